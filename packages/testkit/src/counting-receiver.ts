import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * A receiver for many requests, as a process of its own: it answers 200 and counts how often each attempt arrived. `GET /__stats` tells.
 * Arguments: the delay of its answers in milliseconds (0) and its port (a free one).
 */
const delayMs = Number(process.argv[2] ?? 0);
const port = Number(process.argv[3] ?? 0);

const timesSeen = new Map<string, number>();
let requests = 0;
let connections = 0;
let lastAtMs = 0;

const server = createServer((request, response) => {
  if (request.method === 'GET' && request.url === '/__stats') {
    const repeated = [...timesSeen].filter(([, times]) => times > 1);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ requests, connections, distinct: timesSeen.size, repeated, lastAtMs }));
    return;
  }
  request.resume();
  request.on('end', () => {
    requests += 1;
    lastAtMs = Date.now();
    const attemptId = String(request.headers['x-attempt-id']);
    timesSeen.set(attemptId, (timesSeen.get(attemptId) ?? 0) + 1);
    if (delayMs > 0) {
      setTimeout(() => response.end(), delayMs);
    } else {
      response.end();
    }
  });
});
server.keepAliveTimeout = 60_000;
server.on('connection', () => {
  connections += 1;
});
server.listen(port, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
process.stdout.write(`${JSON.stringify({ event: 'receiver.started', port: typeof address === 'object' ? address?.port : null })}\n`);
process.once('SIGTERM', () => process.exit(0));
