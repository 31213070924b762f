/** What a notification on the channel of due attempts says. */
export interface WakeUp {
  /** Shares wake-ups out: of `live` workers the one at `number mod live` claims at once, a few others later. */
  readonly number: number;
  readonly poolIds: readonly number[];
  /** Attempts were put back behind the point from which workers claim. */
  readonly rewind: boolean;
  /** They are parked: the concern of those workers that have their subscriptions, and of nobody else. */
  readonly parked?: boolean;
}

/** Far below the 8,000 bytes that PostgreSQL allows; a message for more pools than fit names none and wakes all. */
const poolIdsMax = 500;

export function formatWakeUp(wakeUp: WakeUp): string {
  const poolIds = wakeUp.poolIds.length > poolIdsMax ? '*' : wakeUp.poolIds.join(',');
  return `${wakeUp.number} ${wakeUp.parked ? 'parked' : wakeUp.rewind ? 'rewind' : 'due'} ${poolIds}`;
}

/** Reads a notification; one that cannot be read wakes everybody, since a needless claim costs little and a missed one a second. */
export function parseWakeUp(payload: string): {
  readonly number: number;
  readonly poolIds: readonly number[] | 'all';
  readonly rewind: boolean;
  readonly parked: boolean;
} {
  const match = /^(\d{1,15}) (due|rewind|parked) (\*|[\d,]+)$/.exec(payload);
  if (!match) {
    return { number: 0, poolIds: 'all', rewind: true, parked: false };
  }
  const [, number, kind, poolIds = '*'] = match;
  return {
    number: Number(number),
    poolIds: poolIds === '*' ? 'all' : poolIds.split(',').map(Number),
    rewind: kind === 'rewind',
    parked: kind === 'parked',
  };
}
