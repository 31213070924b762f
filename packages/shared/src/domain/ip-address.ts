import ipaddr from 'ipaddr.js';

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** A range of addresses: its first address and the length of its prefix. */
export type ParsedCidr = readonly [IpAddress, number];

/** Reads `10.0.0.0/8`, `fd00::/8` or a lone address; null for anything else. */
export function parseCidr(text: string): ParsedCidr | null {
  if (ipaddr.isValidCIDR(text) && isAddress(text.replace(/\/\d+$/, ''))) {
    return ipaddr.parseCIDR(text);
  }
  if (!isAddress(text)) {
    return null;
  }
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** An address as it is written by programs, also with the zone of a link; null for anything else. */
export function parseAddress(address: string): IpAddress | null {
  const text = withoutDots(withoutZone(address));
  return isAddress(text) ? ipaddr.parse(text) : null;
}

/** Whether an address is in one of these ranges. */
export function matchesAny(address: IpAddress, ranges: readonly ParsedCidr[]): boolean {
  return ranges.some(([range, bits]) => {
    if (address instanceof ipaddr.IPv4) {
      return range instanceof ipaddr.IPv4 && address.match(range, bits);
    }
    return range instanceof ipaddr.IPv6 && address.match(range, bits);
  });
}

/** Four decimal parts or colons: the short, octal and hexadecimal notations that inet_aton takes are not addresses here. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

/** `::8.8.8.8` as `::808:808`: ipaddr.js takes the dotted form for an IPv4-mapped address, which it is not without `ffff`. */
function withoutDots(address: string): string {
  const url = `http://[${address}]/`;
  return address.includes(':') && address.includes('.') && URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address;
}

/** `fe80::1%eth0` without its zone. */
function withoutZone(address: string): string {
  const zoneAt = address.indexOf('%');
  return zoneAt === -1 ? address : address.slice(0, zoneAt);
}
