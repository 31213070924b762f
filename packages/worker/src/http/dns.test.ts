import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DnsAnswer, type DnsServer, startDnsServer } from '@postrider/testkit/dns-server';
import { freePort } from '@postrider/testkit/free-port';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DnsError, ResolverFailedError } from './classify-failure.ts';
import { createNameServers } from './query-addresses.ts';
import { createResolver, type ResolveHost, type ResolverOptions } from './dns.ts';

let directory: string;
let server: DnsServer;
let nowMs = 0;
let lookups: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postrider-hosts-'));
  server = await startDnsServer();
  lookups = [];
});
afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

async function givenHosts(text: string): Promise<void> {
  await writeFile(join(directory, 'hosts'), text);
}

function givenResolver(changes: Partial<ResolverOptions> = {}): ResolveHost {
  return createResolver({
    timeoutMs: 5000,
    now: () => nowMs,
    hostsFile: join(directory, 'hosts'),
    servers: [server.address],
    onLookup: (result) => lookups.push(result),
    ...changes,
  });
}

function addresses(ttlSeconds: number, ...list: string[]) {
  return { kind: 'addresses', addresses: list, ttlSeconds } as const;
}

async function resolveTo(resolve: ResolveHost, hostname: string): Promise<string[]> {
  return (await resolve(hostname)).map(({ address }) => address);
}

function failureOf(resolve: ResolveHost, hostname: string): Promise<unknown> {
  return resolve(hostname).then(
    (found) => found,
    (error: unknown) => error,
  );
}

describe('names of this machine', () => {
  test('are taken from the hosts file', async () => {
    await givenHosts('# comment\n10.1.2.3\treceiver.internal alias # more\nnot-an-address other\n\nfd00::1 Receiver.Internal\r\n');
    const resolve = givenResolver();
    const both = [
      { address: '10.1.2.3', family: 4 },
      { address: 'fd00::1', family: 6 },
    ];
    expect(await resolve('receiver.internal')).toEqual(both);
    expect(await resolve('RECEIVER.internal.')).toEqual(both);
    expect(await resolve('alias')).toEqual([{ address: '10.1.2.3', family: 4 }]);
    expect(server.questions('receiver.internal')).toBe(0);
  });

  test('look-ups that come while the hosts file is first read wait for it', async () => {
    await givenHosts('10.0.0.1 a.invalid\n10.0.0.2 b.invalid\n');
    const resolve = givenResolver();
    expect((await Promise.all([resolve('a.invalid'), resolve('b.invalid')])).flat().map(({ address }) => address)).toEqual([
      '10.0.0.1',
      '10.0.0.2',
    ]);
  });

  test('a changed hosts file is read after a while', async () => {
    await givenHosts('10.0.0.1 a.invalid\n');
    const resolve = givenResolver();
    await resolve('a.invalid');
    await givenHosts('10.0.0.9 a.invalid\n');
    nowMs += 10_001;
    expect(await resolve('a.invalid')).toEqual([{ address: '10.0.0.9', family: 4 }]);
  });

  test.each(['localhost', 'sub.localhost', 'LOCALHOST.'])('%s is this machine, without any hosts file', async (name) => {
    expect(await resolveTo(givenResolver(), name)).toEqual(['127.0.0.1', '::1']);
  });
});

describe('answers', () => {
  test('are of both families', async () => {
    server.answer('both.example', addresses(60, '192.0.2.1', '192.0.2.2', '2001:db8::1'));
    expect(await resolveTo(givenResolver(), 'both.example')).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
  });

  test('of one family are not lost to a deadline that passes while the other is waited for', async () => {
    server.answer('a.example', { ...addresses(60, '192.0.2.1'), ipv6Silent: true });
    const nameServers = createNameServers({ servers: [server.address], tryMs: 15_000 });
    expect(await nameServers.query('a.example', 200)).toMatchObject({ kind: 'addresses', addresses: [{ address: '192.0.2.1' }] });
  });

  test('look-ups of one name at the same time are one', async () => {
    server.answer('a.example', addresses(0, '192.0.2.1'));
    const resolve = givenResolver();
    await Promise.all([resolve('a.example'), resolve('A.example.'), resolve('a.example')]);
    expect(server.questions('a.example')).toBe(1);
    expect(lookups).toEqual(['hit', 'hit', 'miss']);
  });

  test.each([
    ['its time to live', 60, 60],
    ['five minutes at most', 86_400, 300],
  ])('are remembered for %s', async (_name, ttlSeconds, seconds) => {
    server.answer('a.example', addresses(ttlSeconds, '192.0.2.1'), addresses(ttlSeconds, '192.0.2.9'));
    const resolve = givenResolver();
    expect(await resolveTo(resolve, 'a.example')).toEqual(['192.0.2.1']);
    nowMs += seconds * 1000 - 1;
    expect(await resolveTo(resolve, 'a.example')).toEqual(['192.0.2.1']);
    nowMs += 1;
    expect(await resolveTo(resolve, 'a.example')).toEqual(['192.0.2.9']);
    expect(lookups).toEqual(['miss', 'hit', 'miss']);
  });

  test('are remembered for the shortest time of both families', async () => {
    server.answer('a.example', { ...addresses(60, '192.0.2.1', '2001:db8::1'), ipv6TtlSeconds: 20 }, addresses(60, '192.0.2.9'));
    const resolve = givenResolver();
    await resolve('a.example');
    nowMs += 20_000;
    expect(await resolveTo(resolve, 'a.example')).toEqual(['192.0.2.9']);
  });

  test('that are remembered are given in turn, those of IPv4 first', async () => {
    server.answer('a.example', addresses(60, '192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1'));
    const resolve = givenResolver();
    const firsts: (string | undefined)[] = [];
    for (let count = 0; count < 4; count += 1) {
      const found = await resolveTo(resolve, 'a.example');
      expect(found.toSorted()).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1']);
      firsts.push(found[0]);
    }
    expect(firsts).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.1']);
  });

  test('are not remembered with a time to live of 0', async () => {
    server.answer('a.example', addresses(0, '192.0.2.1'), addresses(0, '192.0.2.9'));
    const resolve = givenResolver();
    expect(await resolveTo(resolve, 'a.example')).toEqual(['192.0.2.1']);
    expect(await resolveTo(resolve, 'a.example')).toEqual(['192.0.2.9']);
  });

  test('are remembered for a bounded number of names, those that were asked for last', async () => {
    server.answerAll(addresses(300, '192.0.2.1'));
    const resolve = givenResolver({ namesMax: 2 });
    for (const name of ['a.example', 'b.example', 'a.example', 'c.example', 'a.example', 'b.example']) {
      await resolve(name);
    }
    expect(lookups).toEqual(['miss', 'miss', 'hit', 'miss', 'hit', 'miss']);
  });

  test.each([
    ['does not exist', { kind: 'no_such_name' }],
    ['has no address', addresses(300)],
  ] as const)('that a name %s is remembered for 30 s', async (_name, nothing) => {
    server.answer('a.example', nothing, addresses(60, '192.0.2.1'));
    const resolve = givenResolver();
    expect(await failureOf(resolve, 'a.example')).toMatchObject({ name: 'DnsError', message: expect.stringContaining('has no address') });
    nowMs += 29_999;
    expect(await failureOf(resolve, 'a.example')).toBeInstanceOf(DnsError);
    expect(server.questions('a.example')).toBe(1);
    nowMs += 1;
    expect(await resolveTo(resolve, 'a.example')).toEqual(['192.0.2.1']);
  });

  test.each([{ kind: 'server_failure' }, { kind: 'refused' }] as const)(
    '$kind is no answer, and remembered for a second only',
    async (answer) => {
      server.answer('broken.example', answer);
      const resolve = givenResolver();
      expect(await failureOf(resolve, 'broken.example')).toMatchObject({
        name: 'DnsError',
        message: expect.stringContaining('could not be resolved'),
      });
      expect(await failureOf(resolve, 'broken.example')).toBeInstanceOf(DnsError);
      expect(lookups).toEqual(['failure', 'hit']);
      server.answer('broken.example', addresses(60, '192.0.2.1'));
      nowMs += 1000;
      expect(await resolveTo(resolve, 'broken.example')).toEqual(['192.0.2.1']);
    },
  );

  test.each(['a..example', `${'x'.repeat(64)}.example`])('%s cannot be asked for', async (name) => {
    expect(await failureOf(givenResolver(), name)).toBeInstanceOf(DnsError);
  });
});

describe('name servers that do not answer', () => {
  const silence: DnsAnswer = { kind: 'silence' };

  test('are waited for no longer than the deadline, however patient each question is', async () => {
    server.answerAll(silence);
    const nameServers = createNameServers({ servers: [server.address], tryMs: 15_000 });
    expect(await nameServers.query('a.example', 100)).toEqual({ kind: 'unanswered', code: 'ETIMEOUT' });
  }, 10_000);

  test('fail a look-up within its time', async () => {
    server.answerAll(silence);
    const startedAt = performance.now();
    expect(await failureOf(givenResolver({ timeoutMs: 300 }), 'a.example')).toMatchObject({ message: expect.stringContaining('ETIMEOUT') });
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  test('do not matter while another one does', async () => {
    server.answer('a.example', addresses(60, '192.0.2.1'));
    const silent = await startDnsServer();
    silent.answerAll(silence);
    for (const dead of [silent.address, `127.0.0.1:${await freePort()}`]) {
      expect(await resolveTo(givenResolver({ servers: [dead, server.address] }), 'a.example')).toEqual(['192.0.2.1']);
    }
    await silent.close();
  });

  test.each([
    ['silence', silence],
    ['server failures', { kind: 'server_failure' }],
    ['refusal', { kind: 'refused' }],
  ] as const)('for any name any more, by %s, are a fault of ours, until they answer again', async (_name, outage) => {
    const health: boolean[] = [];
    server.answer('a.example', addresses(0, '192.0.2.1'));
    server.answer('b.test', addresses(0, '192.0.2.1'));
    server.answer('new.example', addresses(0, '192.0.2.1'));
    const resolve = givenResolver({ timeoutMs: 2000, onHealthChanged: (hasFailed) => health.push(hasFailed) });
    await resolve('a.example');
    await resolve('b.test');

    server.answerAll(outage);
    expect(await failureOf(resolve, 'new.example')).toBeInstanceOf(ResolverFailedError);
    expect(await failureOf(resolve, 'a.example')).toBeInstanceOf(ResolverFailedError);
    server.answerAll(null);

    expect(await resolveTo(resolve, 'new.example')).toEqual(['192.0.2.1']);
    expect(health).toEqual([true, false]);
  });

  test('are read from the configuration again when others stand there', async () => {
    server.answer('a.example', addresses(0, '192.0.2.1'));
    const servers = [`127.0.0.1:${await freePort()}`];
    const resolve = givenResolver({ servers });
    await Promise.all(['a.example', 'b.example', 'c.example'].map((name) => failureOf(resolve, name)));
    servers[0] = server.address;
    nowMs += 10_001;
    expect(await failureOf(resolve, 'a.example')).toBeInstanceOf(ResolverFailedError);
    expect(await resolveTo(resolve, 'a.example')).toEqual(['192.0.2.1']);
  });

  test('for one name leave the fault with that name, though nothing else is asked for', async () => {
    server.answer('healthy.example', addresses(300, '192.0.2.1'));
    const resolve = givenResolver({ timeoutMs: 2000 });
    await resolve('healthy.example');
    for (const name of ['a.broken.test', 'b.broken.test', 'other-broken.test', 'c.broken.test', 'one-more-broken.test']) {
      server.answer(name, { kind: 'server_failure' });
      expect(await failureOf(resolve, name)).toBeInstanceOf(DnsError);
    }
  });

  test('and refuse even the connection are a fault of ours', async () => {
    const resolve = givenResolver({ servers: [`127.0.0.1:${await freePort()}`] });
    await Promise.all(['a.example', 'b.example', 'c.example'].map((name) => failureOf(resolve, name)));
    expect(await failureOf(resolve, 'd.example')).toBeInstanceOf(ResolverFailedError);
  });
});
