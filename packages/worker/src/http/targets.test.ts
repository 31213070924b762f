import { createServer } from 'node:net';
import { once } from 'node:events';
import { judgeHost } from '@postrider/shared/domain/forbidden-address';
import { type ParsedCidr, parseCidr } from '@postrider/shared/domain/ip-address';
import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import { type DnsServer, startDnsServer } from '@postrider/testkit/dns-server';
import { type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildRequest, prepareTarget } from './build-request.ts';
import { createResolver } from './dns.ts';
import { createSender, type SenderOptions } from './send-request.ts';

const now = (): number => performance.now();

let receiver: Receiver;
let port: string;
let nameServer: DnsServer;

beforeAll(async () => {
  receiver = await startReceiver();
  ({ port } = new URL(receiver.url));
  nameServer = await startDnsServer();
});
afterEach(() => receiver.respond('/', { kind: 'answer', status: 200 }));
afterAll(async () => {
  await receiver.close();
  await nameServer.close();
});

function cidrs(...texts: string[]): ParsedCidr[] {
  return texts.map(parseCidr).filter((range): range is ParsedCidr => range !== null);
}

function givenSender(changes: Partial<SenderOptions> = {}) {
  const sender = createSender({
    slots: 4,
    timeoutMs: 10_000,
    connectTimeoutMs: 5000,
    responseBodyBytesMax: 1024,
    disableTargetIpCheck: false,
    allowedTargetCidrs: [],
    resolve: createResolver({ timeoutMs: 5000, now, servers: [nameServer.address] }),
    now,
    epochNow: Date.now,
    ...changes,
  });
  onTestFinished(() => sender.close());
  return (url: string): Promise<DeliveryOutcome> => {
    const target = prepareTarget({ method: 'POST', url, headers: {} }, { signatureHeaderName: 'X-Hook0-Signature', requireHttps: false });
    if (target.kind === 'invalid') {
      return Promise.resolve({ kind: 'error', errorName: target.errorName, message: target.message, elapsedMs: 0, response: null });
    }
    const request = buildRequest({
      attempt: { requestAttemptId: 'attempt', eventId: 'event', eventTypeName: 'order.item.created', retryCount: 0 },
      event: { payload: Buffer.from('{}'), payloadContentType: 'application/json' },
      target,
      secrets: ['secret'],
      signing: { headerName: 'X-Hook0-Signature', v0: false, v1: true, standard: true },
      userAgent: 'Postrider/test',
      timestampSeconds: 1,
    });
    if (request.kind === 'invalid') {
      throw new Error(request.message);
    }
    return new Promise((resolve) => sender.send(request, null, resolve));
  };
}

/** Hosts of URLs that lead to where nobody may connect, in all notations, or that are no hosts at all. */
const forbiddenHosts = [
  // This machine, as browsers and inet_aton read it.
  ...['127.0.0.1', '127.0.0.1.', '127.1', '127.0.1', '127.000.000.001', '0177.0.0.1', '0177.1', '017700000001', '0x7f.0.0.1', '0x7f.1'],
  ...['0x7F000001', '0x7f000001', '2130706433', '2130706433.', '0x7f.0x0.0x0.0x1', '0177.0x0.0.1', '127.0.0x1', '127.255.255.254'],
  ...[
    '%31%32%37.0.0.1',
    '127%2E0%2E0%2E1',
    '１２７.０.０.１',
    '127。0。0。1',
    '①②⑦.0.0.1',
    '𝟏𝟐𝟕.𝟎.𝟎.𝟏',
    '127．0．0．1',
    '0',
    '0.0.0.0',
    '0x0',
  ],
  ...['0.1.2.3', '00000000000'],
  // Private networks, metadata services and ranges for special purposes.
  ...['10.0.0.1', '10.255.255.255', '0xa.1', '012.0.0.1', '167772161', '100.64.0.1', '100.127.255.255', '169.254.169.254', '169.254.43518'],
  ...['0xa9fea9fe', '2852039166', '0251.0376.0251.0376', '169.254.170.2', '172.16.0.1', '172.31.255.255', '192.0.0.192', '192.0.2.1'],
  ...[
    '192.88.99.1',
    '192.168.0.1',
    '192.168.257',
    '0xc0a80001',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
  ],
  ...['239.255.255.255', '240.0.0.1', '255.255.255.255', '4294967295', '0xffffffff'],
  // IPv6, whole and abbreviated, in any case, and IPv4 inside it.
  ...[
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[0000::0001]',
    '[::2]',
    '[::127.0.0.1]',
    '[::8.8.8.8]',
    '[::ffff:127.0.0.1]',
    '[::FFFF:7f00:1]',
  ],
  ...['[::ffff:169.254.169.254]', '[::ffff:10.0.0.1]', '[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b::a9fe:a9fe]'],
  ...['[64:ff9b::c0a8:1]', '[64:FF9B::10.0.0.1]', '[64:ff9b:1::1]', '[64:ff9b:1::8.8.8.8]', '[64:ff9b:1:ffff::808:808]', '[2002:7f00:1::]'],
  ...['[2002:a9fe:a9fe::1]', '[2002:808:808::1]', '[100::1]', '[2001::1]', '[2001:0:53aa:64c:0:7ff2:f5ff:fffe]', '[2001:db8::1]'],
  ...[
    '[3fff::1]',
    '[5f00::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[FD12:3456::1]',
    '[fe80::1]',
    '[fe80::a9fe:a9fe]',
    '[fec0::1]',
    '[ff02::1]',
  ],
  ...['[::ffff:0a00:0001]', '[ff0e::1]'],
  // Names of this machine.
  ...[
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    'LocalHost',
    'ⓛocalhost',
    'local%68ost',
    'user:password@localhost',
    'user@127.0.0.1',
  ],
  // No hosts: browsers refuse them, and so do we.
  ...[
    '[fe80::1%25eth0]',
    '[::1%lo]',
    '256.1.1.1',
    '1.2.3.4.5',
    '127.0.0.1.1',
    '0x100000000',
    '4294967296',
    '127.0.0.08',
    '[::1',
    '[1.2.3.4]',
  ],
  ...['[::ffff:127.1]', '127.0.0.1%00', 'a b', ''],
];

/** What a name server says of a name that may not be reached. */
const forbiddenAnswers = [
  ...[['127.0.0.1'], ['127.9.9.9'], ['0.0.0.0'], ['10.1.2.3'], ['100.100.100.200'], ['169.254.169.254'], ['172.20.0.1'], ['192.168.1.1']],
  ...[['192.0.0.171'], ['198.18.5.5'], ['224.0.0.251'], ['255.255.255.255'], ['::1'], ['::'], ['::ffff:7f00:1'], ['::ffff:a9fe:a9fe']],
  ...[['64:ff9b::7f00:1'], ['64:ff9b::a9fe:a9fe'], ['64:ff9b:1::808:808'], ['2002:7f00:1::'], ['fd00::1'], ['fe80::1'], ['fec0::1']],
  // One of several is enough, wherever it stands and of whichever family.
  ...[
    ['8.8.8.8', '127.0.0.1'],
    ['127.0.0.1', '8.8.8.8'],
    ['8.8.8.8', '::1'],
    ['2606:4700:4700::1111', '10.0.0.1'],
    ['2606:4700:4700::1111', 'fd00::1'],
    [...Array.from({ length: 20 }, (_, index) => `8.8.8.${index}`), '169.254.169.254'],
  ],
];

/** Judged only: these are hosts of others. */
const publicHosts = [
  ...['8.8.8.8', '8.8.8.8.', '134744072', '0x08080808', '010.8.8.8', '8.8.2056', '1.1.1.1', '９.９.９.９', '9.255.255.255', '11.0.0.0'],
  ...['100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.1', '169.253.255.255', '169.255.0.1', '172.15.255.255', '172.32.0.1'],
  ...['191.255.255.255', '192.0.1.1', '192.0.3.1', '192.167.255.255', '192.169.0.1', '198.17.255.255', '198.20.0.1', '223.255.255.255'],
  ...[
    '[2606:4700:4700::1111]',
    '[2001:4860:4860::8888]',
    '[2A00:1450::1]',
    '[2003::1]',
    '[4000::1]',
    '[::ffff:8.8.8.8]',
    '[64:ff9b::8.8.8.8]',
  ],
  ...['[64:ff9b::808:808]', '[100:0:0:1::1]', '[2001:200::1]'],
];

const publicNames = [
  'example.com',
  'EXAMPLE.com.',
  'bücher.example',
  'localhost.example.com',
  'notlocalhost',
  '127.0.0.1.nip.io',
  '1e100.net',
];

test('the tables are as long as they should be', () => {
  const hosts = new Set([...forbiddenHosts, ...publicHosts, ...publicNames]);
  expect(hosts.size).toBeGreaterThanOrEqual(120);
  expect(hosts.size + forbiddenAnswers.length).toBeGreaterThanOrEqual(190);
});

describe('nobody connects to', () => {
  test.each(forbiddenHosts)('%j', async (host) => {
    const connectionsBefore = receiver.connections();
    const outcome = await givenSender()(`http://${host}:${port}/`);
    expect(outcome).toMatchObject({ kind: 'error', errorName: 'E_INVALID_TARGET' });
    expect(receiver.connections()).toBe(connectionsBefore);
  });

  test.each(forbiddenAnswers.map((answer) => [answer]))('a name with the addresses %j', async (addresses) => {
    const connectionsBefore = receiver.connections();
    nameServer.answer('target.example', { kind: 'addresses', addresses, ttlSeconds: 0 });
    const outcome = await givenSender()(`http://target.example:${port}/`);
    expect(outcome).toMatchObject({ kind: 'error', errorName: 'E_INVALID_TARGET' });
    expect(receiver.connections()).toBe(connectionsBefore);
  });

  test('a forbidden address, and the reason names the setting, not the address', async () => {
    nameServer.answer('inside.example', { kind: 'addresses', addresses: ['10.1.2.3'], ttlSeconds: 0 });
    const outcome = await givenSender()('http://inside.example/');
    expect(outcome).toMatchObject({ message: expect.stringContaining('ALLOWED_TARGET_CIDRS') });
    expect(JSON.stringify(outcome)).not.toContain('10.1.2.3');
  });
});

describe('the public internet', () => {
  test.each(publicHosts)('%s is an address of it', (host) => {
    expect(judgeHost(new URL(`http://${host}/`).hostname, [])).toBe('allowed_address');
  });
  test.each(publicNames)('%s is a name that is looked up', (host) => {
    expect(judgeHost(new URL(`http://${host}/`).hostname, [])).toBe('name');
  });
});

describe('ranges that the operator allows', () => {
  const loopback = ['127.0.0.1', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '127.0.0.1.', '１２７.0.0.1', '%31%32%37.0.0.1'];

  test.each(loopback)('are connected to at %s', async (host) => {
    const send = givenSender({ allowedTargetCidrs: cidrs('127.0.0.0/30') });
    expect(await send(`http://${host}:${port}/`)).toMatchObject({ kind: 'response', response: { httpCode: 200 } });
  });

  test.each([
    ['127.0.0.1', ['127.0.0.1']],
    ['127.0.0.0/8', ['127.0.0.1']],
    ['127.0.0.0/8', ['127.0.0.1', '127.0.0.2']],
  ])('%s lets a name with the addresses %j pass', async (range, addresses) => {
    nameServer.answer('inside.example', { kind: 'addresses', addresses, ttlSeconds: 0 });
    const send = givenSender({ allowedTargetCidrs: cidrs(range) });
    expect(await send(`http://inside.example:${port}/`)).toMatchObject({ kind: 'response' });
  });

  test.each([
    ['127.0.0.2/32', '127.0.0.1'],
    ['10.0.0.0/8', '127.0.0.1'],
    ['127.0.0.0/8', '[::1]'],
    ['127.0.0.0/8', '169.254.169.254'],
    ['::/0', '127.0.0.1'],
    ['fd00::/8', '[fe80::1]'],
  ])('%s leaves %s forbidden', async (range, host) => {
    const send = givenSender({ allowedTargetCidrs: cidrs(range) });
    expect(await send(`http://${host}:${port}/`)).toMatchObject({ errorName: 'E_INVALID_TARGET' });
  });

  test('do not let a name pass of which one address is outside', async () => {
    nameServer.answer('mixed.example', { kind: 'addresses', addresses: ['127.0.0.1', '10.0.0.1'], ttlSeconds: 0 });
    const send = givenSender({ allowedTargetCidrs: cidrs('127.0.0.0/8') });
    expect(await send(`http://mixed.example:${port}/`)).toMatchObject({ errorName: 'E_INVALID_TARGET' });
  });
});

describe('a name server that changes its answer', () => {
  const allowed = { kind: 'addresses', addresses: ['127.0.0.1'], ttlSeconds: 0 } as const;
  const inside = { kind: 'addresses', addresses: ['127.0.0.2'], ttlSeconds: 0 } as const;

  /** Something inside, at the port of the receiver, that nobody may reach. */
  async function givenTrap() {
    let connections = 0;
    const trap = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(Number(port), '127.0.0.2');
    await once(trap, 'listening');
    onTestFinished(() => void trap.close());
    return { connections: () => connections };
  }

  test('between the check and the connection gains nothing: there is one look-up', async () => {
    const trap = await givenTrap();
    nameServer.answer('rebinding.example', allowed, inside);
    const send = givenSender({ allowedTargetCidrs: cidrs('127.0.0.1') });

    expect(await send(`http://rebinding.example:${port}/`)).toMatchObject({ kind: 'response' });

    expect(nameServer.questions('rebinding.example')).toBe(1);
    expect(trap.connections()).toBe(0);
  });

  test('from one connection to the next is found out at the next', async () => {
    const trap = await givenTrap();
    receiver.respond('/', { kind: 'answer', status: 200, headers: { connection: 'close' } });
    nameServer.answer('rebinding.example', allowed, inside, allowed, inside);
    const send = givenSender({ allowedTargetCidrs: cidrs('127.0.0.1') });

    const outcomes: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      const outcome = await send(`http://rebinding.example:${port}/`);
      outcomes.push(outcome.kind === 'error' ? outcome.errorName : outcome.kind);
    }

    expect(outcomes).toEqual(['response', 'E_INVALID_TARGET', 'response', 'E_INVALID_TARGET']);
    expect(trap.connections()).toBe(0);
  });
});

describe('a redirect is never followed', () => {
  test.each([301, 302, 303, 307, 308])('%i to a metadata service', async (status) => {
    const trap = await startReceiver();
    onTestFinished(() => trap.close());
    for (const location of ['http://169.254.169.254/latest/meta-data/', `${trap.url}/`, '//169.254.169.254/']) {
      receiver.respond('/', { kind: 'answer', status, headers: { location } });
      const requestsBefore = receiver.requests.length;
      expect(await givenSender({ disableTargetIpCheck: true })(`${receiver.url}/`)).toMatchObject({
        kind: 'response',
        response: { httpCode: status },
      });
      expect(receiver.requests).toHaveLength(requestsBefore + 1);
    }
    expect(trap.connections()).toBe(0);
  });
});

test('name servers that fail as a whole are a fault of ours, and a name that fails alone is not', async () => {
  const own = await startDnsServer();
  onTestFinished(() => own.close());
  for (const name of ['a.example', 'b.test']) {
    own.answer(name, { kind: 'addresses', addresses: ['127.0.0.1'], ttlSeconds: 0 });
  }
  own.answer('broken.example', { kind: 'server_failure' });
  receiver.respond('/', { kind: 'answer', status: 200, headers: { connection: 'close' } });
  const send = givenSender({ disableTargetIpCheck: true, resolve: createResolver({ timeoutMs: 3000, now, servers: [own.address] }) });
  const kindOf = async (name: string): Promise<string> => {
    const outcome = await send(`http://${name}:${port}/`);
    return outcome.kind === 'error' ? outcome.errorName : outcome.kind;
  };

  expect([await kindOf('a.example'), await kindOf('b.test'), await kindOf('broken.example')]).toEqual(['response', 'response', 'E_DNS']);
  own.answerAll({ kind: 'silence' });
  expect([await kindOf('a.example'), await kindOf('b.test')]).toEqual(['own_fault', 'own_fault']);
  own.answerAll(null);
  expect(await kindOf('a.example')).toBe('response');
});

test('requests to one origin do not wait for each other, however many hang', async () => {
  for (const path of ['/hang-1', '/hang-2', '/hang-3']) {
    receiver.respond(path, { kind: 'hold' });
  }
  const send = givenSender({ disableTargetIpCheck: true, slots: 4 });
  const hanging = [1, 2, 3].map((number) => send(`${receiver.url}/hang-${number}`));
  await Promise.all([1, 2, 3].map((number) => receiver.waitForRequests(1, { path: `/hang-${number}` })));

  for (let count = 0; count < 20; count += 1) {
    expect(await send(`${receiver.url}/healthy`)).toMatchObject({ kind: 'response' });
  }

  receiver.release();
  expect(await Promise.all(hanging)).toMatchObject([{ kind: 'response' }, { kind: 'response' }, { kind: 'response' }]);
});
