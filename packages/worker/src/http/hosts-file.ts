import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ResolvedAddress } from './query-addresses.ts';

const readEveryMs = 10_000;

/** Finds the addresses that this machine itself gives a name: in its hosts file, read again when it is asked after a while, or `localhost`. */
export function createLocalNames(hostsFile: string, now: () => number) {
  // The promise is kept, not what it brings: those who ask while the file is read wait for it.
  let entries: Promise<Map<string, ResolvedAddress[]>> | null = null;
  let readAtMs = 0;

  return {
    async find(hostname: string): Promise<ResolvedAddress[] | null> {
      if (entries === null || now() - readAtMs > readEveryMs) {
        readAtMs = now();
        entries = readFile(hostsFile, 'utf8').then(parseHosts, () => new Map());
      }
      return (await entries).get(hostname) ?? thisMachine(hostname);
    },
  };
}

/** `localhost` and what is below it never leave this machine (RFC 6761). */
function thisMachine(hostname: string): ResolvedAddress[] | null {
  return hostname === 'localhost' || hostname.endsWith('.localhost')
    ? [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ]
    : null;
}

/** An address and its names on each line, `#` begins a comment. */
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
