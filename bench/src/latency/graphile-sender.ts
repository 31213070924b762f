import { Logger, run } from 'graphile-worker';
import { latencySlots } from './contender.ts';
import { createPeerPost, peerQueue } from './peer-queue.ts';

/** graphile-worker as a process: takes jobs as it is told of them. Arguments: database, receiver. */
const [databaseUrl = '', receiverUrl = ''] = process.argv.slice(2);
const post = createPeerPost(receiverUrl);

const runner = await run({
  connectionString: databaseUrl,
  concurrency: latencySlots,
  noHandleSignals: true,
  logger: new Logger(() => () => {}),
  taskList: { [peerQueue]: (job) => post(job) },
});
process.stdout.write(`${JSON.stringify({ event: 'sender.started' })}\n`);
process.once('SIGTERM', () => void runner.stop().finally(() => process.exit(0)));
