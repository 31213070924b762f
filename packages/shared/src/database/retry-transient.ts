import { isTransient } from './postgres-errors.ts';

const triesMax = 5;

/** Runs a statement again when it stood in another's way (a deadlock, a lock that was not to be had); any other failure is passed on. */
export async function retryTransient<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || tries === triesMax) {
        throw error;
      }
    }
  }
}
