import { type Job, type JobResult, PgBoss } from 'pg-boss';
import { readJob } from './job.ts';
import { peerArguments, type Phase, runPeer } from './peer-process.ts';
import { openPoster } from './signed-post.ts';

/**
 * pg-boss: a job per attempt, fetched and completed in batches of 1,000, four batches at a time, fetched without a pause while batches are
 * full. Responses are stored as the output of each job, in the statement that completes the batch.
 */
const peer = peerArguments();
const poster = openPoster(peer.url, peer.concurrent);
// Its periodic maintenance is left out.
const boss = new PgBoss({ connectionString: peer.databaseUrl, supervise: false, schedule: false });
await boss.start();

let busy = 0;
const waiting: (() => void)[] = [];

/** All batches share the slots, so that one that is nearly done leaves none idle. */
async function deliverOne(job: Job<unknown>): Promise<JobResult> {
  if (busy === peer.concurrent) {
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    busy += 1;
  }
  const { httpCode, headers, body } = await poster.post(readJob(job.data));
  const next = waiting.shift();
  if (next) {
    next();
  } else {
    busy -= 1;
  }
  return { id: job.id, status: 'completed', output: { httpCode, headers, body: body.toString('base64') } };
}

async function deliver(queue: Phase, count: number): Promise<number> {
  const settings = {
    batchSize: 1000,
    localConcurrency: 4,
    burstWhenBatchFull: true,
    pollingIntervalSeconds: 0.5,
    perJobResults: true,
  } as const;
  const answered = Promise.withResolvers<void>();
  let left = count;
  const startedAt = performance.now();
  await boss.work(queue, settings, async (jobs) => {
    const results = await Promise.all(jobs.map(deliverOne));
    left -= jobs.length;
    if (left <= 0) {
      answered.resolve();
    }
    return results;
  });
  await answered.promise;
  // Resolves when the last batch has been completed, too.
  await boss.offWork(queue);
  return (performance.now() - startedAt) / 1000;
}

await runPeer({ deliver }, peer);
