import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * Receivers of many subscriptions on one origin, as a process of its own: `/well/...` answers at once, `/slow/...` after a second, and
 * `/hang/...` never, until `POST /__recover`, from which on all answer within moments. `POST /__reset` forgets what was seen and `GET /__seen`
 * tells: when events arrived at those that are well, and of each other path how many requests came and how many were in flight at most.
 */
const slowMs = 1000;
/** What an answer takes of a receiver that has recovered: enough for requests to be in flight together. */
const recoveredMs = 50;

interface Seen {
  requests: number;
  inFlight: number;
  inFlightMax: number;
}

let isRecovered = false;
let arrivals: [eventId: string, atMs: number][] = [];
const paths = new Map<string, Seen>();

function seenOf(path: string): Seen {
  const seen = paths.get(path) ?? { requests: 0, inFlight: 0, inFlightMax: 0 };
  paths.set(path, seen);
  return seen;
}

function control(url: string): string {
  if (url === '/__recover') {
    isRecovered = true;
  }
  if (url === '/__reset') {
    arrivals = [];
    for (const seen of paths.values()) {
      seen.requests = 0;
      seen.inFlightMax = seen.inFlight;
    }
  }
  return url === '/__seen' ? JSON.stringify({ arrivals, paths: Object.fromEntries(paths) }) : '{}';
}

const server = createServer((request, response) => {
  const atMs = performance.timeOrigin + performance.now();
  const path = request.url ?? '';
  request.resume();
  if (path.startsWith('/__')) {
    response.setHeader('content-type', 'application/json');
    response.end(control(path));
    return;
  }
  if (path.startsWith('/well/')) {
    arrivals.push([String(request.headers['x-event-id']), atMs]);
    request.on('end', () => response.end());
    return;
  }
  const seen = seenOf(path);
  seen.requests += 1;
  seen.inFlight += 1;
  seen.inFlightMax = Math.max(seen.inFlightMax, seen.inFlight);
  response.once('close', () => {
    seen.inFlight -= 1;
  });
  if (isRecovered || path.startsWith('/slow/')) {
    setTimeout(() => response.end(), isRecovered ? recoveredMs : slowMs);
  }
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
process.stdout.write(`${JSON.stringify({ event: 'receiver.started', port: typeof address === 'object' ? address?.port : null })}\n`);
process.once('SIGTERM', () => process.exit(0));
