const delayMinMs = 100;
const delayMaxMs = 30_000;

/** How long to wait before the place of a process that ended is filled again, after so many that ended soon one after the other. */
export function restartDelayMs(failuresBefore: number): number {
  return Math.min(delayMinMs * 2 ** failuresBefore, delayMaxMs);
}
