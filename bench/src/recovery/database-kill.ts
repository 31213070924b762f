import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '@postrider/testkit/eventually';
import { insertBacklog } from '@postrider/testkit/factories';
import type { BenchServer } from '../bench-database.ts';
import { withCleanUp } from '../clean-up.ts';
import type { ResultColumn, Round } from '../result-table.ts';
import { countSecondDeliveries, isQueueEmpty, receiverDelayMs, recoverySlots, setStage } from './stage.ts';

export interface DatabaseKillOptions {
  /** Load before the kill, and the longest that recovery may take. */
  readonly beforeMs: number;
  readonly afterMs: number;
}

export const databaseKillColumns: readonly ResultColumn[] = [
  { name: 'deliveries/s before', digits: 0 },
  { name: 'seconds without a database', digits: 1, isPlotted: true },
  { name: 'seconds from the kill to 80 % of the rate', digits: 1, isPlotted: true },
  { name: 'of them after its return', digits: 1 },
  { name: 'second deliveries', digits: 0 },
  { name: 'in flight at most', digits: 0 },
  { name: 'lost', digits: 0, target: { atMost: 0 } },
];

/** The rate is read over windows of this length, each a tenth of it later than the one before. */
const windowMs = 500;
const recoveredShare = 0.8;
/** Below this share deliveries have stopped for want of a database: workers go on with what they had claimed for a while. */
const stoppedShare = 0.5;
/** Until code is compiled and all slots are busy. */
const warmUpMs = 1500;
const ratePerSecondMax = (2 * recoverySlots * 1000) / receiverDelayMs;

/** Kills the database under two workers at full load, starts it again, and waits until everything has been delivered. */
export function measureDatabaseKill(server: BenchServer, { beforeMs, afterMs }: DatabaseKillOptions): Promise<Round> {
  return withCleanUp(async (defer) => {
    const stage = await setStage(server, defer);
    const { database, receiver, application, subscription } = stage;
    const count = Math.ceil(((warmUpMs + beforeMs + afterMs) / 1000) * ratePerSecondMax);
    await insertBacklog(database.admin, application, subscription, { count, payloadBytes: 128 });
    await eventually(async () => (await receiver.arrivals()).length > 0);
    await wait(warmUpMs);
    const from = Date.now();
    await wait(beforeMs);

    const killedAt = Date.now();
    await server.kill9();
    await server.restart();
    const returnedAt = Date.now();
    await wait(afterMs);
    await eventually(() => isQueueEmpty(database), { timeoutMs: 120_000, intervalMs: 200 });

    const arrivals = await receiver.arrivals();
    const times = arrivals.map(({ atMs }) => atMs);
    const before = countBetween(times, from, killedAt) / ((killedAt - from) / 1000);
    const recovered = recoveredAt(times, killedAt, before);
    return {
      'deliveries/s before': before,
      'seconds without a database': (returnedAt - killedAt) / 1000,
      'seconds from the kill to 80 % of the rate': (recovered - killedAt) / 1000,
      'of them after its return': Math.max(0, recovered - returnedAt) / 1000,
      'second deliveries': countSecondDeliveries(arrivals),
      'in flight at most': 2 * recoverySlots,
      lost: count - new Set(arrivals.map(({ requestAttemptId }) => requestAttemptId)).size,
    };
  });
}

/** The beginning of the first half second that reaches the share of the rate, after one that did not; the kill itself when all of them do. */
function recoveredAt(times: readonly number[], killedAt: number, perSecond: number): number {
  const last = times.at(-1) ?? killedAt;
  const windows: { at: number; share: number }[] = [];
  for (let at = killedAt; at + windowMs < last; at += windowMs / 10) {
    windows.push({ at, share: countBetween(times, at, at + windowMs) / ((perSecond * windowMs) / 1000) });
  }
  const stopped = windows.find(({ share }) => share < stoppedShare);
  if (!stopped) {
    return killedAt;
  }
  return windows.find(({ at, share }) => at > stopped.at && share >= recoveredShare)?.at ?? Number.NaN;
}

function countBetween(times: readonly number[], fromMs: number, untilMs: number): number {
  return times.filter((at) => at >= fromMs && at < untilMs).length;
}
