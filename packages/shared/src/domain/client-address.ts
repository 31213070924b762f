import ipaddr from 'ipaddr.js';
import { type IpAddress, matchesAny, type ParsedCidr, parseAddress } from './ip-address.ts';

/** What a request says of where it comes from. */
export interface Hops {
  /** The other end of the connection: the one part that nobody can make up. */
  readonly peer: string | undefined;
  /** `X-Forwarded-For`; several of them joined by commas. */
  readonly forwardedFor: string | undefined;
  /** `Forwarded` of RFC 7239. */
  readonly forwarded: string | undefined;
}

/** Hops that are looked at: beyond, somebody plays with the header. */
const hopsMax = 20;

/**
 * The address of the client; null when there is none to be read. Each proxy adds at the right who it was connected to, so the list is believed
 * from the right, as long as a proxy that is trusted said so: the first address that is none of them is the client's.
 *
 * `Forwarded` counts only without `X-Forwarded-For`: proxies pass on the one of the two that they do not write, and whoever could choose which is
 * read could choose his address.
 */
export function clientAddress(hops: Hops, trusted: readonly ParsedCidr[]): string | null {
  const peer = hops.peer === undefined ? null : plainAddress(hops.peer);
  if (peer === null || !matchesAny(peer, trusted)) {
    return peer?.toString() ?? null;
  }
  const named = hops.forwardedFor === undefined ? forwardedNodes(hops.forwarded ?? '') : hops.forwardedFor.split(',');
  let client = peer;
  for (const node of named.slice(-hopsMax).toReversed()) {
    const address = plainAddress(withoutPort(node.trim()));
    // Names, obfuscated ids and nonsense: the proxy that let it pass is all that is known.
    if (address === null) {
      break;
    }
    client = address;
    if (!matchesAny(address, trusted)) {
      break;
    }
  }
  return client.toString();
}

/** What stands for a client where requests are counted: an IPv4 address, or the /64 that an IPv6 host can choose its addresses in. */
export function limitedAddress(address: string): string {
  if (!address.includes(':')) {
    return address;
  }
  const parsed = plainAddress(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : (parsed?.toString() ?? address);
}

/** An IPv4 address in an IPv6 one, as a server on `::` sees it, is an IPv4 address. */
function plainAddress(text: string): IpAddress | null {
  const address = parseAddress(text);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** `192.0.2.1:4711` and `[2001:db8::1]:4711` without their ports. */
function withoutPort(node: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(node)?.[1] ?? /^([\d.]+):\d+$/.exec(node)?.[1] ?? node;
}

/** Who each hop of a `Forwarded` header was connected to; empty for a hop that does not say. */
function forwardedNodes(header: string): string[] {
  return header.split(',').map((hop) => /(?:^|;)\s*for=(?:"([^"]*)"|([^;\s"]*))/i.exec(hop.trim())?.slice(1).join('') ?? '');
}
