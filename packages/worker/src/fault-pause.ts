const pauseMsMin = 250;
/** Soon enough after the fault is over, and seldom enough that what is claimed in vain meanwhile is little. */
const pauseMsMax = 5000;

export interface FaultPause {
  /** A request ended: by a fault of ours, by an answer, or otherwise, which says nothing about us. */
  note(kind: 'own_fault' | 'response' | 'error'): void;
  /** How long nothing is to be started; 0 when nothing stands against it. */
  leftMs(): number;
}

/**
 * Makes a worker pause that cannot send: out of sockets, or without name servers. Otherwise it would claim the whole queue and put it back,
 * again and again. Each pause in vain is twice as long as the one before; an answer of any receiver ends it.
 */
export function createFaultPause(now: () => number): FaultPause {
  let untilMs = 0;
  let pauseMs = pauseMsMin;

  return {
    note(kind) {
      if (kind === 'response') {
        untilMs = 0;
        pauseMs = pauseMsMin;
      } else if (kind === 'own_fault' && now() >= untilMs) {
        // What was in flight together fails together, and counts once.
        untilMs = now() + pauseMs;
        pauseMs = Math.min(2 * pauseMs, pauseMsMax);
      }
    },
    leftMs: () => Math.max(0, untilMs - now()),
  };
}
