import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send } from 'node:http';
import { gzipSync } from 'node:zlib';
import { urlOf } from '@postrider/shared/observability/server-url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ProblemError } from '../problems.ts';
import { type BodyLine, readLines } from './body-lines.ts';

const lineBytesMax = 100;
const server = createServer();

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** A request whose body comes in these parts, as a server gets it. */
async function receive(parts: readonly (string | Buffer)[], headers: Readonly<Record<string, string>> = {}) {
  const client = send(urlOf(server), { method: 'POST', headers });
  client.on('error', () => {});
  onTestFinished(() => void client.destroy());
  const arrived = new Promise<IncomingMessage>((resolve) => {
    server.once('request', resolve);
  });
  client.flushHeaders();
  const message = await arrived;
  for (const part of parts) {
    await new Promise((resolve) => client.write(part, resolve));
  }
  return { client, message };
}

function outcomeOf(line: BodyLine): unknown {
  try {
    return line.read();
  } catch (error) {
    return error instanceof ProblemError ? `${error.status} ${error.message}` : error;
  }
}

async function outcomesOf(parts: readonly (string | Buffer)[], headers: Readonly<Record<string, string>> = {}): Promise<unknown[]> {
  const { client, message } = await receive(parts, headers);
  client.end();
  const outcomes: unknown[] = [];
  for await (const line of readLines(message, lineBytesMax)) {
    outcomes.push(outcomeOf(line));
  }
  return outcomes;
}

test.each([
  ['a line for each', ['1\n2\n3\n'], [1, 2, 3]],
  ['the last one without its end', ['1\n2'], [1, 2]],
  [
    'lines in parts, down to bytes of one character',
    [
      Buffer.from('"a'),
      ...Buffer.from('ä"\n"b"\n')
        .toString('latin1')
        .split('')
        .map((byte) => Buffer.from(byte, 'latin1')),
    ],
    ['aä', 'b'],
  ],
  ['no result for blank lines', ['\n\n1\r\n  \t\r\n2\n\n'], [1, 2]],
  ['nothing', [], []],
  ['broken lines beside good ones', ['1\n{"a"\n2\n'], [1, '400 The line is not valid JSON.', 2]],
  ['bytes that are no text', [Buffer.from([0x22, 0xff, 0x22, 0x0a]), '1\n'], ['400 The line is not UTF-8.', 1]],
  ['lines as long as they may be', [`"${'x'.repeat(98)}"\n`], ['x'.repeat(98)]],
  [
    'lines that are too long, without keeping them',
    [`"${'x'.repeat(99)}`, 'x'.repeat(100_000), '"\n1\n'],
    ['413 The line is larger than 100 bytes.', 1],
  ],
])('reads %s', async (_name, parts, expected) => {
  expect(await outcomesOf(parts)).toEqual(expected);
});

test('reads what is gzipped', async () => {
  const bytes = gzipSync(Array.from({ length: 10_000 }, (_, index) => `${index}\n`).join(''));

  const outcomes = await outcomesOf([bytes.subarray(0, 100), bytes.subarray(100)], { 'content-encoding': 'gzip' });

  expect(outcomes).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
});

test.each([
  ['is cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 20)],
  ['is none', () => Buffer.from('1\n2\n')],
])('tells where gzip %s', async (_name, damage) => {
  const bytes = gzipSync('1\n2\n');

  const outcomes = await outcomesOf([damage(bytes)], { 'content-encoding': 'gzip' });

  expect(outcomes.at(-1)).toBe('400 The request body is not valid gzip from here on.');
});

test('does not take what a client left unfinished for a line', async () => {
  const { client, message } = await receive(['1\n', '2']);
  const lines = readLines(message, lineBytesMax);
  const first = await lines.next();

  client.destroy();

  expect(first).toMatchObject({ done: false, value: { bytes: 1 } });
  await expect(lines.next()).rejects.toThrow('aborted');
});

test('refuses an encoding that it does not know at once', async () => {
  const { message } = await receive([], { 'content-encoding': 'br' });

  expect(() => readLines(message, lineBytesMax)).toThrow('Content-Encoding must be gzip');
});
