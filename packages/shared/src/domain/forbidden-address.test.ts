import { describe, expect, test } from 'vitest';
import { isForbiddenAddress } from './forbidden-address.ts';
import { type ParsedCidr, parseCidr } from './ip-address.ts';

const forbidden = [
  ...[
    '0.0.0.0',
    '0.255.255.255',
    '10.0.0.0',
    '10.255.255.255',
    '100.64.0.0',
    '100.127.255.255',
    '127.0.0.0',
    '127.0.0.1',
    '127.255.255.255',
  ],
  ...[
    '169.254.0.0',
    '169.254.169.254',
    '169.254.255.255',
    '172.16.0.0',
    '172.31.255.255',
    '192.0.0.0',
    '192.0.0.255',
    '192.0.2.0',
    '192.0.2.255',
  ],
  ...['192.88.99.0', '192.88.99.255', '192.168.0.0', '192.168.255.255', '198.18.0.0', '198.19.255.255', '198.51.100.0', '198.51.100.255'],
  ...['203.0.113.0', '203.0.113.255', '224.0.0.0', '239.255.255.255', '240.0.0.0', '255.255.255.254', '255.255.255.255'],
  ...['::', '::1', '::2', '::8.8.8.8', '00ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
  ...['100::', '100::ffff:ffff:ffff:ffff', '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db8::', '2001:db8:ffff::1'],
  ...['2002::', '2002:808:808::1', '2002:7f00:1::', '3fff::', '3fff:fff:ffff::1', '5f00::', '5f00:ffff::1', 'fc00::', 'fd12:3456::1'],
  ...[
    'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'fe80::',
    'fe80::1%eth0',
    'febf::1',
    'fec0::1',
    'feff::1',
    'ff00::',
    'ff02::1',
    'FF02::FB',
  ],
  // The IPv4 address inside decides.
  ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::ffff:169.254.169.254', '64:ff9b::127.0.0.1', '64:ff9b::a00:1'],
  ...['64:ff9b::c0a8:1'],
  // What cannot be read, or is not an address in full.
  ...[
    '',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '2130706433',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    'fe80',
    ':::',
    '[::1]',
    '1.2.3.4/8',
  ],
];

const allowed = [
  ...['1.0.0.0', '1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
  ...['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '191.255.255.255', '192.0.1.0', '192.0.3.0', '192.88.98.255'],
  ...['192.88.100.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '198.51.99.255', '198.51.101.0', '203.0.112.255'],
  ...['203.0.114.0', '223.255.255.255', '::ffff:8.8.8.8', '::ffff:808:808', '64:ff9b::8.8.8.8', '64:ff9b::808:808'],
  ...['100:0:0:1::', '2001:200::1', '2001:4860:4860::8888', '2001:db7::1', '2001:db9::1', '2003::1', '2606:4700:4700::1111', '3ffe::1'],
  ...['4000::1', '5eff::1', '5f01::1', 'fbff::1', '2a00:1450::1'],
];

test('the tables are as long as they should be', () => {
  expect(new Set([...forbidden, ...allowed]).size).toBeGreaterThanOrEqual(80);
});

test.each(forbidden)('%j is forbidden', (address) => {
  expect(isForbiddenAddress(address, [])).toBe(true);
});

test.each(allowed)('%j is allowed', (address) => {
  expect(isForbiddenAddress(address, [])).toBe(false);
});

describe('ranges that the operator allows', () => {
  const ranges = ['10.1.0.0/16', 'fd00::/8', '127.0.0.1'].map(parseCidr).filter((range): range is ParsedCidr => range !== null);

  test.each(['10.1.0.1', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3', 'fd12::1', '127.0.0.1'])('let %s pass', (address) => {
    expect(isForbiddenAddress(address, ranges)).toBe(false);
  });
  test.each(['10.2.0.1', '127.0.0.2', 'fc00::1', '::1'])('do not let %s pass', (address) => {
    expect(isForbiddenAddress(address, ranges)).toBe(true);
  });
  test.each(['', 'nonsense', '10.0.0.0/33', '10.0.0/8', 'fd00::/129'])('are not read from %j', (text) => {
    expect(parseCidr(text)).toBeNull();
  });
});
