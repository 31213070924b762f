import { parseWakeUp } from '@postrider/shared/domain/wake-up';
import type { Claimer } from './claimer.ts';
import type { ParkedClaimer } from './parked-claimer.ts';
import type { Roster } from './roster.ts';

/**
 * How long the workers leave a wake-up to the one whose turn it is: that one may be full, stopped or dead. By the third everybody else will
 * have looked by itself, as idle workers do every second.
 */
const delaysMs: readonly (number | undefined)[] = [0, 20, 100, 400];

export interface WakeUpHandlerOptions {
  readonly claimer: Pick<Claimer, 'wake' | 'rewind' | 'claimedAtMs'>;
  readonly parked: Pick<ParkedClaimer, 'wake'>;
  readonly roster: Pick<Roster, 'rankFor' | 'servedPools'>;
  readonly now: () => number;
}

/**
 * Answers notifications that attempts are due. Of all live workers the one whose turn it is claims at once, and a few others look later
 * unless they have claimed meanwhile, so that one event does not make every worker claim. One that finds more than it has room for calls
 * another in its turn.
 */
export function createWakeUpHandler({ claimer, parked, roster, now }: WakeUpHandlerOptions) {
  /** By delay, when this worker was last told of what it will look for then. */
  const toldAtMs = new Map<number, number>();

  function lookLater(delayMs: number): void {
    const isWaiting = toldAtMs.has(delayMs);
    toldAtMs.set(delayMs, now());
    if (!isWaiting) {
      setTimeout(() => {
        if (claimer.claimedAtMs() < (toldAtMs.get(delayMs) ?? 0)) {
          claimer.wake();
        }
        toldAtMs.delete(delayMs);
      }, delayMs);
    }
  }

  return (payload: string): void => {
    const { number, poolIds, rewind, parked: isParked } = parseWakeUp(payload);
    const served = roster.servedPools();
    if (poolIds !== 'all' && !poolIds.some((poolId) => served.includes(poolId))) {
      return;
    }
    if (isParked) {
      parked.wake();
      return;
    }
    const delayMs = delaysMs[roster.rankFor(number)];
    if (rewind) {
      claimer.rewind();
    } else if (delayMs === 0) {
      claimer.wake();
    } else if (delayMs !== undefined) {
      lookLater(delayMs);
    }
  };
}
