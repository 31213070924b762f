import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientAddress, limitedAddress } from './client-address.ts';
import { parseCidr, type ParsedCidr } from './ip-address.ts';

const trusted: readonly ParsedCidr[] = ['10.0.0.0/8', 'fd00::/8'].map((cidr) => parseCidr(cidr)).filter((cidr) => cidr !== null);

function addressOf(peer: string | undefined, headers: { readonly forwardedFor?: string; readonly forwarded?: string } = {}): string | null {
  return clientAddress({ peer, forwardedFor: headers.forwardedFor, forwarded: headers.forwarded }, trusted);
}

test('a peer that is not trusted is the client, whatever it claims', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), fc.string(), (forwardedFor, forwarded) => {
      expect(addressOf('198.51.100.7', { forwardedFor, forwarded })).toBe('198.51.100.7');
    }),
  );
});

test('whatever a client claims, it is the one that the proxy saw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (claimed) => {
      expect(addressOf('10.0.0.1', { forwardedFor: `${claimed}, 198.51.100.7` })).toBe('198.51.100.7');
      expect(addressOf('10.0.0.1', { forwardedFor: '198.51.100.7', forwarded: claimed })).toBe('198.51.100.7');
    }),
  );
});

test('what comes out is an address that PostgreSQL can store, or nothing', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (peer, forwardedFor, forwarded) => {
      const address = addressOf(peer, { forwardedFor, forwarded });
      expect(address === null || /^[\da-f.:]+$/.test(address)).toBe(true);
      expect(addressOf('10.0.0.1', { forwardedFor, forwarded })).toMatch(/^[\da-f.:]+$/);
    }),
  );
});

describe('through proxies', () => {
  test.each([
    ['one', '10.0.0.1', '203.0.113.5', '203.0.113.5'],
    ['two, the nearer one last', '10.0.0.1', '203.0.113.5, 10.0.0.2', '203.0.113.5'],
    ['the right-most that is not trusted', '10.0.0.1', '192.0.2.9, 203.0.113.5, 10.0.0.2', '203.0.113.5'],
    ['proxies only', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['with ports', '10.0.0.1', '203.0.113.5:4711', '203.0.113.5'],
    ['IPv6 with a port', 'fd00::1', '[2001:db8::5]:4711', '2001:db8::5'],
    ['IPv6', 'fd00::1', '2001:DB8::5', '2001:db8::5'],
    ['a server that listens on both', '::ffff:10.0.0.1', '::ffff:203.0.113.5', '203.0.113.5'],
    ['no header', '10.0.0.1', undefined, '10.0.0.1'],
    ['an empty header', '10.0.0.1', '', '10.0.0.1'],
    ['nonsense behind a proxy', '10.0.0.1', '203.0.113.5, unknown, 10.0.0.2', '10.0.0.2'],
    ['an octal address', '10.0.0.1', '010.1.1.1', '10.0.0.1'],
  ])('%s', (_, peer, forwardedFor, expected) => {
    expect(addressOf(peer, forwardedFor === undefined ? {} : { forwardedFor })).toBe(expected);
  });

  test.each([
    ['one', 'for=203.0.113.5', '203.0.113.5'],
    ['with other parameters', 'by=10.0.0.1;For="203.0.113.5:80";proto=https', '203.0.113.5'],
    ['IPv6', 'for="[2001:db8::5]:4711"', '2001:db8::5'],
    ['two', 'for=203.0.113.5;proto=http, for=10.0.0.2', '203.0.113.5'],
    ['an obfuscated one', 'for=203.0.113.5, for=_hidden', '10.0.0.1'],
    ['a hop that does not say', 'for=203.0.113.5, proto=https', '10.0.0.1'],
  ])('Forwarded: %s', (_, forwarded, expected) => {
    expect(addressOf('10.0.0.1', { forwarded })).toBe(expected);
  });
});

test('nobody is believed where no proxy is trusted', () => {
  const headers = { forwardedFor: '203.0.113.5', forwarded: 'for=203.0.113.5' };
  expect(clientAddress({ peer: '10.0.0.1', ...headers }, [])).toBe('10.0.0.1');
  expect(clientAddress({ peer: '::ffff:10.0.0.1', ...headers }, [])).toBe('10.0.0.1');
  expect(clientAddress({ peer: undefined, ...headers }, [])).toBeNull();
  expect(clientAddress({ peer: 'nonsense', ...headers }, [])).toBeNull();
});

test('a connection without an address has none', () => {
  expect(addressOf(undefined, { forwardedFor: '203.0.113.5' })).toBeNull();
});

test('the zone of a link is no part of an address', () => {
  expect(addressOf('fe80::1%eth0')).toBe('fe80::1');
});

describe('what requests are counted by', () => {
  test.each([
    ['192.0.2.1', '192.0.2.2', false],
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', true],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
  ])('%s and %s are one: %s', (one, other, isOne) => {
    expect(limitedAddress(one) === limitedAddress(other)).toBe(isOne);
  });
});
