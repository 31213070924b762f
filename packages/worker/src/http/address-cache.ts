import type { ResolvedAddress } from './query-addresses.ts';

/** What is remembered of a name: its addresses, or why it has none. */
export type RememberedAnswer =
  | { readonly kind: 'addresses'; readonly addresses: readonly ResolvedAddress[] }
  | { readonly kind: 'failure'; readonly message: string };

/** A name with more addresses than this is not remembered, so that nobody fills the memory with them. */
const addressesMax = 64;

/** Answers of name servers, each for its time, and a bounded number of them: the name that was not asked for longest goes first. */
export function createAddressCache(options: { readonly namesMax: number; readonly now: () => number }) {
  // From the name that was not asked for longest to the one that was asked for last.
  const names = new Map<string, { readonly answer: RememberedAnswer; readonly untilMs: number; uses: number }>();

  return {
    find(hostname: string): RememberedAnswer | null {
      const found = names.get(hostname);
      if (!found) {
        return null;
      }
      names.delete(hostname);
      if (options.now() >= found.untilMs) {
        return null;
      }
      names.set(hostname, found);
      found.uses += 1;
      return found.answer.kind === 'addresses'
        ? { kind: 'addresses', addresses: inTurn(found.answer.addresses, found.uses) }
        : found.answer;
    },
    remember(hostname: string, answer: RememberedAnswer, forMs: number): void {
      if (forMs <= 0 || (answer.kind === 'addresses' && answer.addresses.length > addressesMax)) {
        return;
      }
      names.delete(hostname);
      names.set(hostname, { answer, untilMs: options.now() + forMs, uses: 0 });
      const [oldest] = names.keys();
      if (names.size > options.namesMax && oldest !== undefined) {
        names.delete(oldest);
      }
    },
    size: () => names.size,
  };
}

/** Each address of a family is the first one in its turn, as name servers do it: the hosts of a receiver share its connections. */
function inTurn(addresses: readonly ResolvedAddress[], turn: number): ResolvedAddress[] {
  return ([4, 6] as const).flatMap((wanted) => {
    const ofFamily = addresses.filter(({ family }) => family === wanted);
    const from = turn % Math.max(1, ofFamily.length);
    return [...ofFamily.slice(from), ...ofFamily.slice(0, from)];
  });
}
