import { Logger, run } from 'graphile-worker';
import { readJob } from './job.ts';
import { peerArguments, runPeer } from './peer-process.ts';
import { openPoster } from './signed-post.ts';

/**
 * graphile-worker: a job per attempt. The task sends, and stores the response with an insert of its own before its job counts as done. The
 * settings are those of the makers' own measurements (https://worker.graphile.org/docs/performance).
 */
const peer = peerArguments();
const poster = openPoster(peer.url, peer.concurrent);
const preset = {
  worker: {
    connectionString: peer.databaseUrl,
    concurrentJobs: peer.concurrent,
    // As recommended, two more than jobs at a time, up to what they measure with: a hundred backends on a few cores only contend.
    maxPoolSize: Math.min(peer.concurrent + 2, 25),
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
    logger: new Logger(() => () => {}),
  },
};

const storeResponse = {
  name: 'store_response',
  text: 'insert into delivery_response (request_attempt_id, http_code, headers, body) values ($1, $2, $3, $4)',
};

async function deliver(count: number): Promise<number> {
  const last = Promise.withResolvers<number>();
  let startedAt = 0;
  let stored = 0;
  const runner = await run({
    preset,
    noHandleSignals: true,
    parsedCronItems: [],
    taskList: {
      async deliver(payload, { withPgClient }) {
        startedAt ||= performance.now();
        const delivery = readJob(payload);
        const { httpCode, headers, body } = await poster.post(delivery);
        const values = [delivery.requestAttemptId, httpCode, JSON.stringify(headers), body];
        await withPgClient((client) => client.query({ ...storeResponse, values }));
        stored += 1;
        if (stored === count) {
          last.resolve(performance.now());
        }
      },
    },
  });
  const finishedAt = await last.promise;
  // Jobs whose completion waits for company are completed now; that they are is counted afterwards.
  await runner.stop();
  return (finishedAt - startedAt) / 1000;
}

await runPeer({ deliver: (_phase, count) => deliver(count) }, peer);
