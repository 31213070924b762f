import ipaddr from 'ipaddr.js';
import { type IpAddress, matchesAny, type ParsedCidr, parseAddress } from './ip-address.ts';

/** Special-purpose ranges that no receiver on the public internet lives in (RFC 6890 and the registries of IANA that follow it). */
const forbiddenIPv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map((cidr) => ipaddr.IPv4.parseCIDR(cidr));

const forbiddenIPv6 = [
  '::/8',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
].map((cidr) => ipaddr.IPv6.parseCIDR(cidr));

/** Addresses of the well-known NAT64 prefix (RFC 6052) reach the IPv4 address in their last four bytes. */
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
/** Addresses of 6to4 (RFC 3056) carry an IPv4 address after their first two bytes. */
const sixToFour = ipaddr.IPv6.parseCIDR('2002::/16');

/**
 * Whether a resolved address may not be connected to. What the operator allows wins; IPv4 addresses that hide in IPv6 ones are judged as
 * what they are; what cannot be read is forbidden.
 */
export function isForbiddenAddress(address: string, allowedCidrs: readonly ParsedCidr[]): boolean {
  const parsed = parseAddress(address);
  if (parsed === null) {
    return true;
  }
  const embedded = embeddedIPv4(parsed);
  if (matchesAny(parsed, allowedCidrs) || (embedded !== null && matchesAny(embedded, allowedCidrs))) {
    return false;
  }
  if (parsed instanceof ipaddr.IPv4) {
    return matchesAny(parsed, forbiddenIPv4);
  }
  // Mapped and NAT64 addresses lead to an IPv4 address and nowhere else; relays of 6to4 are gone (RFC 7526), so all of it is forbidden.
  if (embedded !== null && !parsed.match(sixToFour)) {
    return matchesAny(embedded, forbiddenIPv4);
  }
  return matchesAny(parsed, forbiddenIPv6);
}

/** What the host of a URL is: a name to look up, one of this machine, or an address, which may be connected to or not. */
export type HostKind = 'name' | 'local_name' | 'allowed_address' | 'forbidden_address';

/**
 * Judges the host of a parsed URL, with or without the brackets of an IPv6 address. Parsing has made octal, hexadecimal, short, encoded and
 * non-ASCII notations plain, so that what is no address here is a name, and is judged by what it resolves to.
 */
export function judgeHost(hostname: string, allowedCidrs: readonly ParsedCidr[]): HostKind {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (parseAddress(host) !== null) {
    return isForbiddenAddress(host, allowedCidrs) ? 'forbidden_address' : 'allowed_address';
  }
  return /(^|\.)localhost\.?$/i.test(host) ? 'local_name' : 'name';
}

function embeddedIPv4(address: IpAddress): ipaddr.IPv4 | null {
  if (address instanceof ipaddr.IPv4) {
    return null;
  }
  if (address.isIPv4MappedAddress()) {
    return address.toIPv4Address();
  }
  const bytes = address.toByteArray();
  if (address.match(nat64)) {
    return new ipaddr.IPv4(bytes.slice(12));
  }
  return address.match(sixToFour) ? new ipaddr.IPv4(bytes.slice(2, 6)) : null;
}
