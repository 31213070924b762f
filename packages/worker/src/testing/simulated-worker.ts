import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import type { HealthSignal, SubscriptionHealth } from '@postrider/shared/domain/subscription-health';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { LoadedAttempt } from '../attempt.ts';
import type { IsolationOptions } from '../isolation.ts';
import { createMetrics } from '../metrics.ts';
import { createRecorder, type Recorder } from '../recorder.ts';
import { createReport, type WorkerReport } from '../report.ts';
import { createSlots, type Slots } from '../slots.ts';
import { createSubscriptions } from '../subscriptions.ts';
import type { SubscriptionTraffic } from '../subscription-traffic.ts';
import { Worker } from '../worker.ts';
import type { ModelParking } from './model-parking.ts';
import { modelEvent, type ModelQueue } from './model-queue.ts';
import type { SimulatedClock } from './simulated-clock.ts';

export interface SimulatedWorkerOptions {
  readonly id: number;
  readonly clock: SimulatedClock;
  readonly queue: ModelQueue;
  readonly parking: ModelParking;
  readonly slotsTotal: number;
  readonly capDefault: number;
  readonly timeoutMs: number;
  readonly leaseMs: number;
  readonly ownedForMs: number;
  /** Statements that fail, of all; half of them were executed all the same. */
  readonly failureRatio: number;
  readonly random: () => number;
  readonly send: (attempt: LoadedAttempt, onOutcome: (outcome: DeliveryOutcome) => void) => void;
  readonly abortRequests: () => void;
  /** Tells all workers that attempts were put back to the queue. */
  readonly announce: () => void;
}

const takenMax = 16;
const statementMsMin = 1;
const statementMsMax = 8;
const sharedSlowMs = 150;

/** A worker as the wiring makes it, on a database and receivers that are simulated, with a monotonic clock of its own. */
export function createSimulatedWorker(options: SimulatedWorkerOptions): Worker<string> {
  const { id, clock, queue, parking, leaseMs, timeoutMs, random } = options;
  const slots = createSlots(options.slotsTotal);
  const report = createReport(pino({ level: 'silent' }), createMetrics(new Registry(), noGauges));
  const statement = statementsOf(options);
  const bootedAtMs = clock.now() - 1000 * id;
  const now = (): number => clock.now() - bootedAtMs;
  let leases = 0;
  return new Worker<string>({
    slots,
    recorder: recorderOf(options, { statement, report, now }),
    report,
    claim: {
      claim: (claim) => statement(() => queue.claim(claim)),
      newLeaseId: () => {
        leases += 1;
        return `lease-${id}-${leases}`;
      },
      workerProcessId: () => id,
      servedPools: () => [0],
      callOthers() {},
    },
    leases: {
      renew: (attempts) => statement(() => queue.renew(attempts, leaseMs)),
      release: (attempts) => statement(() => queue.release(attempts)),
    },
    loadEvents: (events) => statement(() => events.map(() => modelEvent)),
    loadPassedOver: (ids) => statement(() => queue.loadPassedOver(ids)),
    subscriptions: (follow) =>
      createSubscriptions({ load: (ids) => statement(() => parking.load(ids)), prepare: (row) => row.target_url, follow, now }),
    isolation: isolationOf(options, { statement, slots, now }),
    deliver: {
      send: (attempt, _prepared, onOutcome) => options.send(attempt, onOutcome),
      schedule: {
        maxFastRetries: 16,
        fastDelayMs: 1000,
        fastMaxDelayMs: 20_000,
        maxSlowRetries: 0,
        slowDelayMs: 1,
        slowMaxDelayMs: 1,
        jitterRatio: 0.1,
        jitterMaxMs: 10_000,
      },
      random,
      wait: clock.wait,
    },
    pauseMs: () => 0,
    abortRequests: options.abortRequests,
    announceReleased: options.announce,
    leaseMs,
    leaseReserveMs: timeoutMs + 5000,
    now,
    epochNow: clock.now,
  });
}

const noGauges = {
  slotsBusy: () => 0,
  slotsFree: () => 0,
  waiting: () => 0,
  deferred: () => 0,
  parkedOwned: () => 0,
  unrecorded: () => 0,
};

type Statement = <Answer>(execute: () => Answer) => Promise<Answer>;

/** Statements take a moment, now and then a longer one, and sometimes fail, before or after they were executed. */
function statementsOf({ clock, random, failureRatio }: SimulatedWorkerOptions): Statement {
  const delayMs = (): number => (random() < 0.01 ? sharedSlowMs : statementMsMin + (statementMsMax - statementMsMin) * random()) / 2;
  return async (execute) => {
    const fails = random() < failureRatio;
    await clock.wait(delayMs());
    if (fails && random() < 0.5) {
      throw new Error('the connection broke before the statement');
    }
    const answer = execute();
    await clock.wait(delayMs());
    if (fails) {
      throw new Error('the connection broke after the statement');
    }
    return answer;
  };
}

function recorderOf(
  { clock, queue }: SimulatedWorkerOptions,
  { statement, report, now }: { readonly statement: Statement; readonly report: WorkerReport; readonly now: () => number },
): Recorder {
  return createRecorder({
    record: (outcomes) => statement(() => queue.record(outcomes)),
    disableSubscriptions: (ids) =>
      statement(() => {
        for (const subscription of ids.map((id) => queue.subscription(id))) {
          subscription.isDisabled = true;
          subscription.unsettledSinceMs = clock.now();
        }
      }),
    ensurePartitions: () => Promise.resolve(),
    isMissingPartition: () => false,
    isRefused: () => false,
    wait: clock.wait,
    report: { recorded: report.recorded, leaseLost: report.leaseLost, retried: report.recordRetried, refused: report.recordRefused },
    now,
  });
}

function isolationOf(
  { id, clock, parking, capDefault, ownedForMs, random, announce }: SimulatedWorkerOptions,
  { statement, slots, now }: { readonly statement: Statement; readonly slots: Slots; readonly now: () => number },
): IsolationOptions {
  return {
    capDefault: Math.min(capDefault, slots.total),
    take: () => statement(() => parking.take({ workerProcessId: id, poolIds: [0], ownedForMs, takenMax })),
    claimParked: (claim) => statement(() => parking.claim(claim)),
    giveUp: () => statement(() => parking.giveUp(id)),
    async change({ subscriptionId }: SubscriptionTraffic, signals: readonly HealthSignal[]): Promise<SubscriptionHealth | null> {
      let aheadMs = 0;
      const changed = await statement(() => {
        aheadMs = now() - clock.now();
        return parking.change(subscriptionId, signals, id);
      });
      if (changed !== null && changed.parkReason === null) {
        announce();
      }
      return changed && shifted(changed, aheadMs);
    },
    wait: clock.wait,
    random,
  };
}

/** A health by the clock of another process. */
function shifted(health: SubscriptionHealth, byMs: number): SubscriptionHealth {
  const shift = (timeMs: number | null): number | null => (timeMs === null ? null : timeMs + byMs);
  return { ...health, holdUntilMs: shift(health.holdUntilMs), failingSinceMs: shift(health.failingSinceMs) };
}
