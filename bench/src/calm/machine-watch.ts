import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { processorSeconds } from '../cpu-time.ts';

/** What the machine did to everybody on it while something was measured. */
export interface Disturbance {
  /** The part of the processors' time that went to other guests of the same host while somebody here wanted it, from 0 to 1. */
  readonly stolenShare: number;
  /** The longest that 8 KiB took to reach the disk, one such write after another at some distance. */
  readonly slowestWriteMs: number;
}

const written = Buffer.alloc(8 * 1024, 1);
/** A disk that stands still for longer than this is noticed; 40 small writes a second are little beside what a database does. */
const writeEveryMs = 25;

/** Does the work, and watches the processors and the disk that this directory is on meanwhile. Linux only. */
export async function watched<Result>(
  directory: string,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly disturbance: Disturbance }> {
  const before = processorSeconds();
  const ended = new AbortController();
  const slowest = slowestWrite(join(directory, `machine-watch-${process.pid}`), ended.signal);
  const [result, slowestWriteMs] = await Promise.all([work().finally(() => ended.abort()), slowest]);
  const after = processorSeconds();
  const stolen = after.stolen - before.stolen;
  const all = after.busy - before.busy + (after.idle - before.idle) + stolen;
  return { result, disturbance: { stolenShare: all === 0 ? 0 : stolen / all, slowestWriteMs } };
}

/** Writes again and again until it is told to end. */
async function slowestWrite(path: string, ended: AbortSignal): Promise<number> {
  const file = await open(path, 'w');
  let slowestMs = 0;
  try {
    while (!ended.aborted) {
      const startedAt = performance.now();
      await file.write(written, 0, written.length, 0);
      await file.datasync();
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      await wait(writeEveryMs);
    }
  } finally {
    await file.close();
    await rm(path);
  }
  return slowestMs;
}
