import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { DnsError } from './classify-failure.ts';

/** An address that a host name resolved to. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export type ResolveHost = (hostname: string) => Promise<ResolvedAddress[]>;

/** How much longer the other family may take once one has answered. */
const otherFamilyGraceMs = 250;
const hostsReadEveryMs = 10_000;

/**
 * Resolves host names by c-ares: the look-up of the C library shares four threads with all file access, so that a few slow name servers
 * would stop everything. The hosts file is respected, and `localhost` is always this machine (RFC 6761). Look-ups of one name at the same
 * time share a query.
 */
export function createResolver(options: {
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly hostsFile?: string;
}): ResolveHost {
  const resolver = new Resolver({ timeout: Math.max(250, Math.floor(options.timeoutMs / 3)), tries: 2 });
  const running = new Map<string, Promise<ResolvedAddress[]>>();
  const hosts = createHostsFile(options.hostsFile ?? '/etc/hosts', options.now);

  async function resolve(hostname: string): Promise<ResolvedAddress[]> {
    const known = (await hosts.find(hostname)) ?? localAddresses(hostname);
    if (known) {
      return known;
    }
    const addresses = await queryBoth(resolver, hostname);
    if (addresses.length === 0) {
      throw new DnsError(`the host name ${hostname} has no address`);
    }
    return addresses;
  }

  return (hostname) => {
    const name = hostname.toLowerCase().replace(/\.$/, '');
    const shared = running.get(name);
    if (shared) {
      return shared;
    }
    const lookup = resolve(name).finally(() => running.delete(name));
    running.set(name, lookup);
    return lookup;
  };
}

/** Asks for both families. When one has answered, the other has a moment left: many name servers never answer for IPv6. */
async function queryBoth(resolver: Resolver, hostname: string): Promise<ResolvedAddress[]> {
  const failures: string[] = [];
  const query = (family: 4 | 6): Promise<ResolvedAddress[]> =>
    (family === 4 ? resolver.resolve4(hostname) : resolver.resolve6(hostname)).then(
      (addresses) => addresses.map((address) => ({ address, family })),
      (error: unknown) => {
        failures.push(error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN');
        return [];
      },
    );
  const both = [query(4), query(6)];
  const first = await Promise.race(both);
  const all =
    first.length === 0
      ? (await Promise.all(both)).flat()
      : ((await Promise.race([Promise.all(both), later(otherFamilyGraceMs)]))?.flat() ?? first);
  if (all.length === 0 && failures.some((code) => code !== 'ENODATA')) {
    throw new DnsError(`the host name ${hostname} could not be resolved (${failures[0] ?? 'no answer'})`);
  }
  return all;
}

function later(delayMs: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), delayMs).unref();
  });
}

function localAddresses(hostname: string): ResolvedAddress[] | null {
  return hostname === 'localhost' || hostname.endsWith('.localhost')
    ? [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ]
    : null;
}

/** The hosts file, read again when it is asked after a while. Its form: an address and its names on each line, `#` begins a comment. */
function createHostsFile(path: string, now: () => number) {
  // The promise is kept, not what it brings: those who ask while the file is read wait for it.
  let entries: Promise<Map<string, ResolvedAddress[]>> | null = null;
  let readAtMs = 0;

  return {
    async find(hostname: string): Promise<ResolvedAddress[] | null> {
      if (entries === null || now() - readAtMs > hostsReadEveryMs) {
        readAtMs = now();
        entries = readFile(path, 'utf8').then(parseHosts, () => new Map());
      }
      return (await entries).get(hostname) ?? null;
    },
  };
}

function parseHosts(text: string): Map<string, ResolvedAddress[]> {
  const entries = new Map<string, ResolvedAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    if (family !== 4 && family !== 6) {
      continue;
    }
    for (const name of names) {
      const key = name.toLowerCase();
      entries.set(key, [...(entries.get(key) ?? []), { address, family }]);
    }
  }
  return entries;
}
