import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createResolver, type ResolveHost } from './dns.ts';

let directory: string;
let nowMs = 0;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postrider-hosts-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function givenHosts(text: string): Promise<void> {
  await writeFile(join(directory, 'hosts'), text);
}

function givenResolver(): ResolveHost {
  return createResolver({ timeoutMs: 300, now: () => nowMs, hostsFile: join(directory, 'hosts') });
}

test('takes the addresses of the hosts file', async () => {
  await givenHosts('# comment\n10.1.2.3\treceiver.internal alias # more\nnot-an-address other\n\nfd00::1 Receiver.Internal\r\n');
  const resolve = givenResolver();
  const both = [
    { address: '10.1.2.3', family: 4 },
    { address: 'fd00::1', family: 6 },
  ];
  expect(await resolve('receiver.internal')).toEqual(both);
  expect(await resolve('RECEIVER.internal.')).toEqual(both);
  expect(await resolve('alias')).toEqual([{ address: '10.1.2.3', family: 4 }]);
});

test('look-ups that come while the hosts file is first read wait for it', async () => {
  await givenHosts('10.0.0.1 a.invalid\n10.0.0.2 b.invalid\n');
  const resolve = givenResolver();
  expect((await Promise.all([resolve('a.invalid'), resolve('b.invalid')])).flat().map(({ address }) => address)).toEqual([
    '10.0.0.1',
    '10.0.0.2',
  ]);
});

test('reads a changed hosts file after a while', async () => {
  await givenHosts('10.0.0.1 a.invalid\n');
  const resolve = givenResolver();
  await resolve('a.invalid');
  await givenHosts('10.0.0.9 a.invalid\n');
  nowMs += 10_001;
  expect(await resolve('a.invalid')).toEqual([{ address: '10.0.0.9', family: 4 }]);
});

test.each(['localhost', 'sub.localhost', 'LOCALHOST.'])('%s is this machine, without any hosts file', async (name) => {
  expect((await givenResolver()(name)).map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
});

test('look-ups of one name at the same time are one', () => {
  const resolve = givenResolver();
  expect(resolve('localhost')).toBe(resolve('Localhost.'));
});
