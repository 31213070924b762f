import { Resolver } from 'node:dns/promises';

/** An address that a host name resolved to. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** What name servers say about a name. */
export type AddressAnswer =
  | { readonly kind: 'addresses'; readonly addresses: readonly ResolvedAddress[]; readonly ttlMs: number }
  /** They answer, and the name does not exist or has no address. */
  | { readonly kind: 'no_address' }
  /** The name is not one that can be asked for, or the server cannot read the question: nothing that another server would change. */
  | { readonly kind: 'refused_name'; readonly code: string }
  /** No answer, or one that says that it could not be found out. Whether the name or our name servers are to blame does not show in it. */
  | { readonly kind: 'unanswered'; readonly code: string }
  /** This process could not even ask. */
  | { readonly kind: 'own_fault'; readonly code: string };

export interface NameServers {
  query(hostname: string, deadlineMs: number): Promise<AddressAnswer>;
  /** Reads the system's configuration again: the name servers of a machine that moved to another network. */
  refresh(): void;
}

/** How much longer the other family may take once one has answered: many name servers never answer for IPv6. */
const otherFamilyGraceMs = 250;

const noAddressCodes: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);
const refusedNameCodes: ReadonlySet<string> = new Set(['EBADNAME', 'EBADQUERY', 'EBADSTR', 'EFORMERR', 'ENOTIMP']);
const ownFaultCodes: ReadonlySet<string> = new Set(['ENOMEM', 'EFILE', 'EMFILE', 'ENOTINITIALIZED', 'EDESTRUCTION', 'ECANCELLED']);

/**
 * Asks name servers by c-ares: the look-up of the C library shares four threads with all file access, so that a few slow name servers
 * would stop everything. Those of the system's configuration, unless others are given.
 */
export function createNameServers(options: { readonly servers?: readonly string[]; readonly tryMs: number }): NameServers {
  const open = (): Resolver => {
    const resolver = new Resolver({ timeout: options.tryMs, tries: 2 });
    if (options.servers) {
      resolver.setServers(options.servers);
    }
    return resolver;
  };
  let resolver = open();

  return {
    query: (hostname, deadlineMs) => queryBoth(resolver, hostname, deadlineMs),
    refresh() {
      resolver = open();
    },
  };
}

type FamilyAnswer = { readonly addresses: readonly ResolvedAddress[]; readonly ttlSeconds: number } | { readonly code: string };

/** What is asked ends by itself after its tries; nobody waits for it longer than the deadline, or a moment after the first addresses. */
async function queryBoth(resolver: Resolver, hostname: string, deadlineMs: number): Promise<AddressAnswer> {
  const both = [queryFamily(resolver, hostname, 4), queryFamily(resolver, hostname, 6)];
  const deadline = startTimer(deadlineMs);
  const first = await Promise.race([...both, deadline.passed]);
  const last = first && 'addresses' in first ? startTimer(otherFamilyGraceMs) : deadline;
  const all = await Promise.race([Promise.all(both), last.passed]);
  deadline.stop();
  last.stop();
  return join(all ?? [...(first ? [first] : []), { code: 'ETIMEOUT' }]);
}

async function queryFamily(resolver: Resolver, hostname: string, family: 4 | 6): Promise<FamilyAnswer> {
  try {
    const records = await (family === 4 ? resolver.resolve4(hostname, { ttl: true }) : resolver.resolve6(hostname, { ttl: true }));
    return records.length === 0
      ? { code: 'ENODATA' }
      : { addresses: records.map(({ address }) => ({ address, family })), ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)) };
  } catch (error) {
    return { code: error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN' };
  }
}

function join(answers: readonly FamilyAnswer[]): AddressAnswer {
  const found = answers.filter((answer) => 'addresses' in answer);
  if (found.length > 0) {
    const ttlMs = 1000 * Math.min(...found.map(({ ttlSeconds }) => ttlSeconds));
    return { kind: 'addresses', addresses: found.flatMap(({ addresses }) => addresses), ttlMs };
  }
  const codes = answers.flatMap((answer) => ('code' in answer ? [answer.code] : []));
  const ownFault = codes.find((code) => ownFaultCodes.has(code));
  if (ownFault !== undefined) {
    return { kind: 'own_fault', code: ownFault };
  }
  const refused = codes.find((code) => refusedNameCodes.has(code));
  if (refused !== undefined) {
    return { kind: 'refused_name', code: refused };
  }
  // A name that does not exist does so for both families; that it has no address must be said of each.
  const unanswered = codes.find((code) => !noAddressCodes.has(code));
  return unanswered === undefined || codes.includes('ENOTFOUND') ? { kind: 'no_address' } : { kind: 'unanswered', code: unanswered };
}

function startTimer(delayMs: number): { readonly passed: Promise<null>; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), delayMs);
  return { passed: promise, stop: () => clearTimeout(timer) };
}
