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
  await boss.work(queue, settings, (jobs) => Promise.all(jobs.map(deliverOne)));
  const seconds = await secondsToComplete(queue, count);
  await boss.offWork(queue);
  return seconds;
}

/** By the database's own record, asked for until the last job is complete. */
async function secondsToComplete(queue: Phase, count: number): Promise<number> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (await hasOpenJobs(queue)) {
      continue;
    }
    const [row] = await ask(
      `select extract(epoch from max(completed_on) - min(started_on))::double precision as seconds, count(*)::integer as completed
       from pgboss.job where name = $1 and state = 'completed'`,
      queue,
    );
    if (!isCompletion(row) || row.completed !== count) {
      throw new Error(`Not all of ${count} jobs were completed: ${JSON.stringify(row)}`);
    }
    return row.seconds;
  }
}

function isCompletion(row: unknown): row is { readonly seconds: number; readonly completed: number } {
  return typeof row === 'object' && row !== null && 'seconds' in row && 'completed' in row;
}

async function hasOpenJobs(queue: Phase): Promise<boolean> {
  const rows = await ask(`select from pgboss.job where name = $1 and state < 'completed' limit 1`, queue);
  return rows.length > 0;
}

async function ask(text: string, queue: Phase): Promise<readonly unknown[]> {
  const result: { readonly rows: readonly unknown[] } = await boss.getDb().executeSql(text, [queue]);
  return result.rows;
}

await runPeer({ deliver }, peer);
