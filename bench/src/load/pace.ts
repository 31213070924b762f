import { setTimeout as wait } from 'node:timers/promises';

/** Starts `count` tasks at a steady rate, however long each takes, and waits for all of them. */
export async function atPace(perSecond: number, count: number, task: (index: number) => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  const running: Promise<void>[] = [];
  while (running.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) / 1000) * perSecond) + 1);
    while (running.length < due) {
      running.push(task(running.length));
    }
    await wait(1);
  }
  await Promise.all(running);
}
