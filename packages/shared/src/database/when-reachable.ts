import type { Logger } from 'pino';
import { isConnectionFailure } from './postgres-errors.ts';

const delayMinMs = 500;
const delayMaxMs = 5000;

/**
 * Runs the first work of a process, again and again while the database cannot be reached: whichever starts first waits for the other.
 * Any other failure is passed on.
 */
export async function whenReachable<T>(work: () => Promise<T>, wait: (delayMs: number) => Promise<unknown>, logger: Logger): Promise<T> {
  for (let delayMs = delayMinMs; ; delayMs = Math.min(delayMs * 2, delayMaxMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionFailure(error)) {
        throw error;
      }
      logger.warn({ event: 'database.unreachable', err: error }, 'the database cannot be reached; trying again');
      await wait(delayMs);
    }
  }
}
