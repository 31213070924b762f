import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiServer } from './server.ts';

const requestTimeoutMs = 500;

/** Answers what it hears as it hears it; below /whole after all of it. */
const echo: RequestListener = (request, response) => {
  if (request.url === '/whole') {
    request.resume().once('end', () => response.end('whole'));
  } else {
    response.flushHeaders();
    request.pipe(response);
  }
};
const { server } = createApiServer(echo, {
  keepAliveTimeoutMs: 1000,
  arrival: { requestTimeout: requestTimeoutMs, connectionsCheckingInterval: 50 },
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** Sends a part of a request now, and one long after its time is up; returns all that came back. */
async function sendSlowly(path: string): Promise<string> {
  const address = server.address();
  const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n`);
  await wait(requestTimeoutMs * 3);
  socket.end('4\r\nlate\r\n0\r\n\r\n');
  await closed;
  return answer;
}

test('a request whose answer is under way takes as long as it takes', async () => {
  const answer = await sendSlowly('/stream');

  expect(answer).toContain('HTTP/1.1 200');
  expect(answer).toContain('early');
  expect(answer).toContain('late');
});

test('another one that does not arrive in time is told so', async () => {
  expect(await sendSlowly('/whole')).toContain('HTTP/1.1 408');
});
