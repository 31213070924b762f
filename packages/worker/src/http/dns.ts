import { createAddressCache, type RememberedAnswer } from './address-cache.ts';
import { DnsError, ResolverFailedError } from './classify-failure.ts';
import { createLocalNames } from './hosts-file.ts';
import { type AddressAnswer, createNameServers, type ResolvedAddress } from './query-addresses.ts';
import { createResolverHealth } from './resolver-health.ts';

/** The addresses of a host name. Fails with a DnsError, or with a ResolverFailedError where the name is not to blame. */
export type ResolveHost = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** `hit`: known or asked for already; `miss`: name servers were asked and answered; `failure`: they did not. */
export type LookupResult = 'hit' | 'miss' | 'failure';

export interface ResolverOptions {
  /** Over everything: when this has passed, the connection that a look-up is for has failed. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly hostsFile?: string;
  /** Addresses of name servers, with ports where they are not 53; those of the system's configuration otherwise. */
  readonly servers?: readonly string[];
  readonly namesMax?: number;
  readonly onLookup?: (result: LookupResult) => void;
  /** Name servers fail as a whole, or answer again. */
  readonly onHealthChanged?: (hasFailed: boolean) => void;
}

/** Nothing is believed for longer, whatever its time to live: receivers move. */
const rememberedMsMax = 5 * 60_000;
const noAddressMs = 30_000;
/** Long enough that a customer's broken domain is not asked for at each of its attempts. */
const failureMs = 1000;
/** Names remembered at most, at some 500 bytes each. */
const namesMaxDefault = 10_000;
const refreshEveryMs = 10_000;

/** Parts of the whole time: for the name itself, and then for the names that tell whether anything is answered. */
const queryShare = 0.6;
const controlShare = 0.2;
/** Of the time for a name: its servers are each asked once before the first is asked again. */
const tryShare = 0.2;
const tryMsMin = 50;

/**
 * Resolves host names and remembers them within their time to live. Look-ups of one name at the same time share a query. The hosts file
 * is respected.
 */
export function createResolver(options: ResolverOptions): ResolveHost {
  const { now, onLookup = () => {} } = options;
  const localNames = createLocalNames(options.hostsFile ?? '/etc/hosts', now);
  const cache = createAddressCache({ namesMax: options.namesMax ?? namesMaxDefault, now });
  const ask = createQuestions(options);
  const running = new Map<string, Promise<readonly ResolvedAddress[]>>();

  async function resolve(hostname: string): Promise<readonly ResolvedAddress[]> {
    const local = await localNames.find(hostname);
    if (local) {
      onLookup('hit');
      return local;
    }
    const remembered = cache.find(hostname);
    if (remembered) {
      onLookup('hit');
      return addressesOf(remembered);
    }
    const answer = await ask(hostname);
    onLookup(answer.kind === 'addresses' || answer.kind === 'no_address' ? 'miss' : 'failure');
    if (answer.kind === 'own_fault') {
      throw new ResolverFailedError(`host names cannot be resolved (${answer.code})`);
    }
    const { memory, forMs } = memoryOf(hostname, answer);
    cache.remember(hostname, memory, forMs);
    return addressesOf(memory);
  }

  return (hostname) => {
    const name = hostname.toLowerCase().replace(/\.$/, '');
    const shared = running.get(name);
    if (shared) {
      onLookup('hit');
      return shared;
    }
    const lookup = resolve(name).finally(() => running.delete(name));
    running.set(name, lookup);
    return lookup;
  };
}

/** Asks for names, and says `own_fault` of those that are not answered when none are. */
function createQuestions(options: ResolverOptions): (hostname: string) => Promise<AddressAnswer> {
  const queryMs = options.timeoutMs * queryShare;
  const controlMs = options.timeoutMs * controlShare;
  const tryMs = Math.max(tryMsMin, Math.floor(queryMs * tryShare));
  const nameServers = createNameServers({ tryMs, ...(options.servers ? { servers: options.servers } : {}) });
  const health = createResolverHealth();
  let hadFailed = false;
  let refreshedAtMs = options.now();
  let control: Promise<unknown> | null = null;

  async function query(hostname: string, deadlineMs: number): Promise<AddressAnswer> {
    const answer = await nameServers.query(hostname, deadlineMs);
    if (answer.kind === 'addresses' || answer.kind === 'no_address') {
      health.noteAnswer(hostname);
    } else if (answer.kind === 'unanswered') {
      health.noteFailure(hostname);
    }
    noteHealth();
    return answer;
  }

  function noteHealth(): void {
    const hasFailed = health.hasFailed();
    if (hasFailed !== hadFailed) {
      hadFailed = hasFailed;
      options.onHealthChanged?.(hasFailed);
    }
    if (hasFailed && options.now() - refreshedAtMs > refreshEveryMs) {
      refreshedAtMs = options.now();
      nameServers.refresh();
    }
  }

  /** Names that were answered before are asked for again, once for all that wait for it. */
  function askControlNames(): Promise<unknown> {
    control ??= Promise.all(health.controlNames().map((name) => query(name, controlMs))).finally(() => {
      control = null;
    });
    return control;
  }

  return async (hostname) => {
    const answersBefore = health.answers();
    const answer = await query(hostname, queryMs);
    if (answer.kind !== 'unanswered') {
      return answer;
    }
    if (!health.hasFailed() && health.answers() === answersBefore) {
      await askControlNames();
    }
    return health.hasFailed() ? { kind: 'own_fault', code: answer.code } : answer;
  };
}

function memoryOf(
  hostname: string,
  answer: Exclude<AddressAnswer, { readonly kind: 'own_fault' }>,
): { readonly memory: RememberedAnswer; readonly forMs: number } {
  switch (answer.kind) {
    case 'addresses':
      return { memory: { kind: 'addresses', addresses: answer.addresses }, forMs: Math.min(answer.ttlMs, rememberedMsMax) };
    case 'no_address':
      return { memory: { kind: 'failure', message: `the host name ${hostname} has no address` }, forMs: noAddressMs };
    case 'refused_name':
    case 'unanswered':
      return {
        memory: { kind: 'failure', message: `the host name ${hostname} could not be resolved (${answer.code})` },
        forMs: failureMs,
      };
  }
}

function addressesOf(answer: RememberedAnswer): readonly ResolvedAddress[] {
  if (answer.kind === 'failure') {
    throw new DnsError(answer.message);
  }
  return answer.addresses;
}
