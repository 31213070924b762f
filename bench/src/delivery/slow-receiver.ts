import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';

/** A receiver that takes its time. Arguments: the delay of its answers in milliseconds, its processes, and its port. */
const [delayText, processesText, portText] = process.argv.slice(2);
const processes = Number(processesText);
const body = 'ok';

if (cluster.isPrimary) {
  process.once('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers ?? {})) {
      worker?.kill();
    }
    process.exit(0);
  });
  const listening = Array.from({ length: processes }, () => once(cluster.fork(), 'listening'));
  await Promise.all(listening);
  process.stdout.write(`${JSON.stringify({ event: 'receiver.started' })}\n`);
} else {
  const delayMs = Number(delayText);
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => setTimeout(() => response.end(body), delayMs));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(Number(portText), '127.0.0.1', 4096);
}
