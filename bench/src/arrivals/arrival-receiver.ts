import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * A receiver, as a process of its own, that notes when each request arrived, on the clock that PostgreSQL reads too. `GET /__arrivals` tells.
 * Argument: the delay of its answers in milliseconds (0).
 */
const delayMs = Number(process.argv[2] ?? 0);
const arrivals: [eventId: string, requestAttemptId: string, atMs: number][] = [];

const server = createServer((request, response) => {
  // `Date.now()` counts whole milliseconds, which is too coarse for what takes two or three.
  const atMs = performance.timeOrigin + performance.now();
  if (request.method === 'GET') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(arrivals));
    return;
  }
  arrivals.push([String(request.headers['x-event-id']), String(request.headers['x-attempt-id']), atMs]);
  request.resume();
  request.on('end', () => {
    if (delayMs > 0) {
      setTimeout(() => response.end(), delayMs);
    } else {
      response.end();
    }
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
process.stdout.write(`${JSON.stringify({ event: 'receiver.started', port: typeof address === 'object' ? address?.port : null })}\n`);
process.once('SIGTERM', () => process.exit(0));
