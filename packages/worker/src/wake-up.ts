import { parseWakeUp } from '@postrider/shared/domain/wake-up';
import type { Claimer } from './claimer.ts';
import type { ParkedClaimer } from './parked-claimer.ts';
import type { Roster } from './roster.ts';

/** How long a worker leaves a wake-up to the one whose turn it is. */
const othersDelayMs = 20;

/**
 * Answers notifications that attempts are due. Of all live workers the one whose turn it is claims at once, the others a moment later, so
 * that one event does not make every worker claim.
 */
export function createWakeUpHandler(
  claimer: Pick<Claimer, 'wake' | 'rewind'>,
  parked: Pick<ParkedClaimer, 'wake'>,
  roster: Pick<Roster, 'isFirstFor' | 'servedPools'>,
) {
  let timer: NodeJS.Timeout | null = null;

  return (payload: string): void => {
    const { number, poolIds, rewind, parked: isParked } = parseWakeUp(payload);
    const served = roster.servedPools();
    if (poolIds !== 'all' && !poolIds.some((poolId) => served.includes(poolId))) {
      return;
    }
    if (isParked) {
      parked.wake();
    } else if (rewind) {
      claimer.rewind();
    } else if (roster.isFirstFor(number)) {
      claimer.wake();
    } else {
      timer ??= setTimeout(() => {
        timer = null;
        claimer.wake();
      }, othersDelayMs);
    }
  };
}
