import { PgBoss } from 'pg-boss';
import { latencySlots } from './contender.ts';
import { createPeerPost, peerQueue } from './peer-queue.ts';

/** pg-boss as a process, polling as often as it may. Arguments: database, receiver. */
const [databaseUrl = '', receiverUrl = ''] = process.argv.slice(2);
const post = createPeerPost(receiverUrl);

const boss = new PgBoss({ connectionString: databaseUrl, supervise: false, schedule: false });
boss.on('error', (error) => process.stderr.write(`pg-boss: ${String(error)}\n`));
await boss.start();
await boss.createQueue(peerQueue);
await boss.work(peerQueue, { batchSize: latencySlots * 10, pollingIntervalSeconds: 0.5 }, async (jobs) => {
  await Promise.all(jobs.map((job) => post(job.data)));
});
process.stdout.write(`${JSON.stringify({ event: 'sender.started' })}\n`);
process.once('SIGTERM', () => void boss.stop({ graceful: false }).finally(() => process.exit(0)));
