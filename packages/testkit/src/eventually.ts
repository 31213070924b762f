import { setTimeout as wait } from 'node:timers/promises';

/** Asks again and again until the answer is neither undefined nor false; fails with the last reason after `timeoutMs`. */
export async function eventually<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  options: { readonly timeoutMs?: number; readonly intervalMs?: number } = {},
): Promise<T> {
  const { timeoutMs = 30_000, intervalMs = 25 } = options;
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown = new Error('the condition never held');
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) {
        return answer;
      }
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= giveUpAt) {
      throw new Error(`Not within ${timeoutMs} ms.`, { cause: failure });
    }
    await wait(intervalMs);
  }
}
