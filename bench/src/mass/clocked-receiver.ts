import { once } from 'node:events';
import { createServer } from 'node:http';

/** A receiver in this process, so that its clock is the one that the calls of the API are timed by. */
export interface ClockedReceiver {
  readonly url: string;
  /** When requests of a path arrived, in milliseconds since 1970, in order. */
  arrivals(path: string): readonly number[];
  close(): Promise<void>;
}

/** Starts it; paths answer 200 after a delay of their own. */
export async function startClockedReceiver(delaysMs: Readonly<Record<string, number>>): Promise<ClockedReceiver> {
  const arrivals = new Map<string, number[]>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const times = arrivals.get(path) ?? [];
    times.push(Date.now());
    arrivals.set(path, times);
    request.resume();
    request.on('end', () => {
      const delayMs = delaysMs[path] ?? 0;
      if (delayMs === 0) {
        response.end();
      } else {
        setTimeout(() => response.end(), delayMs);
      }
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${address === null || typeof address === 'string' ? 0 : address.port}`,
    arrivals: (path) => arrivals.get(path) ?? [],
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
