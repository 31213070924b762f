import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { makeTestCertificates } from './test-certificates.ts';

let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

/** All bytes that one request over a connection of its own brings back. */
async function bytesOf(path: string): Promise<string> {
  const socket = connect(Number(new URL(receiver.url).port), '127.0.0.1');
  let bytes = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    bytes += chunk;
  });
  socket.write(`GET ${path} HTTP/1.1\r\nhost: receiver\r\n\r\n`);
  await once(socket, 'close');
  return bytes;
}

describe('what arrived', () => {
  test('is kept as it was sent', async () => {
    const sent = { method: 'POST', headers: { 'X-Attempt-Id': 'attempt-1', 'content-type': 'text/plain' }, body: 'payload' };
    const response = await fetch(`${receiver.url}/hook?x=1`, sent);

    expect(response.status).toBe(200);
    const [request] = receiver.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/hook?x=1', headers: { 'x-attempt-id': 'attempt-1' }, connection: 1 });
    expect(request?.rawHeaders).toContain('attempt-1');
    expect(request?.body.toString()).toBe('payload');
    expect(Math.abs(Date.now() - (request?.receivedAtMs ?? 0))).toBeLessThan(60_000);
  });

  test('tells connections apart', async () => {
    for (let count = 1; count <= 2; count += 1) {
      const response = await fetch(receiver.url, { headers: { connection: 'close' } });
      await response.arrayBuffer();
    }
    expect(receiver.requests.map(({ connection }) => connection)).toEqual([1, 2]);
    expect(receiver.connections()).toBe(2);
  });

  test('can be awaited by path', async () => {
    const awaited = receiver.waitForRequests(2, { path: '/awaited' });
    await fetch(`${receiver.url}/other`);
    await fetch(`${receiver.url}/awaited`);
    await fetch(`${receiver.url}/awaited`);

    expect((await awaited).map(({ path }) => path)).toEqual(['/awaited', '/awaited']);
    await expect(receiver.waitForRequests(4, { timeoutMs: 10 })).rejects.toThrow('Not within 10 ms.');
  });
});

describe('what is answered', () => {
  test('status, headers and body', async () => {
    receiver.respond('/', { kind: 'answer', status: 418, headers: { 'x-a': ['1', '2'] }, body: 'tea' });
    const response = await fetch(receiver.url);
    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([418, '1, 2', 'tea']);
  });

  test('no body', async () => {
    receiver.respond('/', { kind: 'answer', status: 204 });
    const response = await fetch(receiver.url);
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([204, null, '']);
  });

  test('a redirect', async () => {
    receiver.respond('/', { kind: 'answer', status: 307, headers: { location: '/elsewhere' } });
    const response = await fetch(receiver.url, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([307, '/elsewhere']);
  });

  test('one behaviour after the other, and the last one from then on', async () => {
    receiver.respond('/', { kind: 'answer', status: 500 }, { kind: 'answer', status: 429 }, { kind: 'answer', status: 200 });
    const statuses: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      statuses.push((await fetch(receiver.url)).status);
    }
    expect(statuses).toEqual([500, 429, 200, 200]);
  });

  test('after a delay', async () => {
    receiver.respond('/', { kind: 'answer', status: 200, delayMs: 100 });
    const startedAt = performance.now();
    await fetch(receiver.url);
    // A timer may fire a millisecond early.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(98);
  });

  test('when it is released, and at once from then on', async () => {
    receiver.respond('/', { kind: 'hold' });
    let answered = false;
    const held = fetch(receiver.url).then((response) => {
      answered = true;
      return response.status;
    });
    await receiver.waitForRequests(1);
    expect(answered).toBe(false);

    receiver.release();

    expect(await held).toBe(200);
    expect((await fetch(receiver.url, { signal: AbortSignal.timeout(10_000) })).status).toBe(200);
  });
});

describe('how it misbehaves', () => {
  test('says nothing', async () => {
    receiver.respond('/', { kind: 'hang' });
    await expect(fetch(receiver.url, { signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout/);
    expect(receiver.requests).toHaveLength(1);
  });

  test('drips its body for ever', async () => {
    receiver.respond('/', { kind: 'drip', everyMs: 5 });
    const response = await new Promise<IncomingMessage>((resolve) => {
      get(receiver.url, resolve);
    });
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await eventually(() => bytes >= 5);
    expect(response.complete).toBe(false);
    response.destroy();
  });

  test('floods with a body', async () => {
    const bytes = 20 * 1024 * 1024;
    receiver.respond('/', { kind: 'flood', bytes });
    expect((await (await fetch(receiver.url)).arrayBuffer()).byteLength).toBe(bytes);
  });

  test('resets the connection before the head', async () => {
    receiver.respond('/', { kind: 'reset', when: 'before_head' });
    await expect(bytesOf('/')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('resets the connection in the body', async () => {
    receiver.respond('/', { kind: 'reset', when: 'in_body' });
    const response = await fetch(receiver.url);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  });

  test('writes what is not HTTP', async () => {
    receiver.respond('/', { kind: 'garbage' });
    expect(await bytesOf('/')).toBe('220 mail.example.com ESMTP ready\r\n');
  });

  test('closes without an answer', async () => {
    receiver.respond('/', { kind: 'close' });
    expect(await bytesOf('/')).toBe('');
  });
});

describe('over TLS', () => {
  /** The status, or the code of the error. */
  function statusOverTls(url: string, ca: string): Promise<number | string | undefined> {
    return new Promise((resolve) => {
      const request = tlsRequest(url, { ca, agent: false }, (response) => resolve(response.resume().statusCode));
      request.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
      request.end();
    });
  }

  test('is trusted by those who know the authority of its certificate', async () => {
    const { ca, trusted, untrusted } = await makeTestCertificates();
    const good = await startReceiver({ tls: trusted });
    const bad = await startReceiver({ tls: untrusted });

    expect(good.url).toMatch(/^https:/);
    expect(await statusOverTls(good.url, ca)).toBe(200);
    expect(await statusOverTls(bad.url, ca)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect([good.requests.length, bad.requests.length]).toEqual([1, 0]);
    await Promise.all([good.close(), bad.close()]);
  });

  test('resets connections too', async () => {
    const { ca, trusted } = await makeTestCertificates();
    const tls = await startReceiver({ tls: trusted });
    tls.respond('/', { kind: 'reset', when: 'before_head' });

    expect(await statusOverTls(tls.url, ca)).toBe('ECONNRESET');
    await tls.close();
  });
});
