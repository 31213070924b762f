import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inOrder } from './in-order.ts';

const ahead = { itemsMax: 3, bytesMax: 100 };

interface Job {
  readonly name: string;
  readonly bytes: number;
  readonly finish: () => void;
  readonly finished: Promise<string>;
}

function jobOf(name: string, bytes = 1): Job {
  const { promise, resolve } = Promise.withResolvers<string>();
  return { name, bytes, finish: () => resolve(name), finished: promise };
}

/** Gives jobs, and remembers which were taken. */
function givenSource(jobs: readonly Job[]) {
  const taken: string[] = [];
  async function* source() {
    for (const job of jobs) {
      taken.push(job.name);
      yield job;
    }
  }
  return { taken, source: source() };
}

/** Lets everything go on that can. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await nextTurn();
  }
}

test('gives results in the order of the items, those that are there together as one list', async () => {
  const [a, b, c] = [jobOf('a'), jobOf('b'), jobOf('c')];
  const { source } = givenSource([a, b, c]);
  const results = inOrder(source, ({ finished }) => finished, ahead);

  const first = results.next();
  b.finish();
  await settle();
  a.finish();
  expect(await first).toEqual({ done: false, value: ['a', 'b'] });
  c.finish();
  expect(await results.next()).toEqual({ done: false, value: ['c'] });
  expect(await results.next()).toEqual({ done: true, value: undefined });
});

test('a result does not wait for the item after it', async () => {
  const a = jobOf('a');
  async function* source() {
    yield a;
    await new Promise(() => {});
  }
  const results = inOrder(source(), ({ finished }) => finished, ahead);

  a.finish();

  expect(await results.next()).toEqual({ done: false, value: ['a'] });
  await results.return(undefined);
});

test.each([
  ['items', 1, 3],
  ['bytes', 60, 2],
])('takes no more %s than it may before results are asked for', async (_what, bytes, takenMax) => {
  const jobs = Array.from({ length: 10 }, (_, index) => jobOf(String(index), bytes));
  const { source, taken } = givenSource(jobs);
  const results = inOrder(source, ({ finished }) => finished, ahead);
  const first = results.next();
  await settle();
  expect(taken.length).toBe(takenMax);

  for (const job of jobs) {
    job.finish();
  }
  const all: unknown[] = [(await first).value];
  await settle();
  // Whoever reads slowly holds up the source, although everything taken is done.
  expect(taken.length).toBeLessThanOrEqual(2 * takenMax);

  for await (const more of results) {
    all.push(more);
  }
  expect(all.flat()).toEqual(jobs.map(({ name }) => name));
});

test('what came before the source failed has its results, then comes the failure', async () => {
  const a = jobOf('a');
  async function* source() {
    yield a;
    throw new Error('cut off');
  }
  const results = inOrder(source(), ({ finished }) => finished, ahead);
  const first = results.next();
  await settle();

  a.finish();

  expect(await first).toEqual({ done: false, value: ['a'] });
  await expect(results.next()).rejects.toThrow('cut off');
});

test('stops to take items when nobody wants results any more', async () => {
  const jobs = Array.from({ length: 10 }, (_, index) => jobOf(String(index)));
  const { source, taken } = givenSource(jobs);
  const results = inOrder(source, ({ finished }) => finished, ahead);
  jobs[0]?.finish();
  await results.next();

  await results.return(undefined);
  jobs.forEach(({ finish }) => finish());
  await settle();

  expect(taken.length).toBeLessThan(jobs.length);
});
