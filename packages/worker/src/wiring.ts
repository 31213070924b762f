import { secretsKeyOf } from '@postrider/shared/config/common-settings';
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { DatabasePool } from '@postrider/shared/database/pool';
import { isMissingPartition, isRefusedData } from '@postrider/shared/database/postgres-errors';
import { beatWorkerProcess } from '@postrider/shared/database/queries/beat-worker-process';
import { claimParkedAttempts } from '@postrider/shared/database/queries/claim-parked-attempts';
import { claimRequestAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { disableGoneSubscriptions } from '@postrider/shared/database/queries/disable-gone-subscriptions';
import { ensurePartitions } from '@postrider/shared/database/queries/ensure-partitions';
import { listServedPools } from '@postrider/shared/database/queries/list-served-pools';
import { loadEvents } from '@postrider/shared/database/queries/load-events';
import { loadNextDueMs } from '@postrider/shared/database/queries/load-next-due';
import { loadPassedOverSubscriptions } from '@postrider/shared/database/queries/load-passed-over-subscriptions';
import { loadSubscriptions } from '@postrider/shared/database/queries/load-subscriptions';
import { recordOutcomes } from '@postrider/shared/database/queries/record-outcomes';
import { registerWorkerProcess } from '@postrider/shared/database/queries/register-worker-process';
import { releaseRequestAttempts } from '@postrider/shared/database/queries/release-request-attempts';
import { renewLeases } from '@postrider/shared/database/queries/renew-leases';
import { giveUpParkedSubscriptions } from '@postrider/shared/database/queries/give-up-parked-subscriptions';
import { stopWorkerProcess } from '@postrider/shared/database/queries/stop-worker-process';
import { takeParkedSubscriptions } from '@postrider/shared/database/queries/take-parked-subscriptions';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { whenReachable } from '@postrider/shared/database/when-reachable';
import { leaseStartMarginMs, workerAliveWithinMs } from '@postrider/shared/domain/limits';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { retryScheduleOf, type WorkerConfig } from './config.ts';
import { createResolver } from './http/dns.ts';
import { createSender, type Sender } from './http/send-request.ts';
import { createMetrics } from './metrics.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createReport, type WorkerReport } from './report.ts';
import { joinRoster, type Roster } from './roster.ts';
import { createAttemptSender, type PreparedSubscription, prepareSubscription } from './sender.ts';
import { changeHealth, returnAttempts } from './change-health.ts';
import type { IsolationOptions } from './isolation.ts';
import { createSlots } from './slots.ts';
import { createSubscriptions } from './subscriptions.ts';
import { Worker } from './worker.ts';

export interface WiringOptions {
  readonly config: WorkerConfig;
  readonly db: DatabasePool;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly notifier: WakeUpNotifier;
}

export interface WiredWorker {
  readonly worker: Worker<PreparedSubscription>;
  readonly recorder: Recorder;
  readonly roster: Roster;
  readonly sender: Sender;
}

/** A process that shows no sign of life for this long loses its parked subscriptions. */
const ownedForMs = 15_000;
/** Parked subscriptions that a process takes at a time, so that they spread over all. */
const takenMax = 16;

const now = (): number => performance.now();

/** Puts the parts of a worker together: statements, sender, recorder, roster. Waits for the database when it is away. */
export async function wireWorker(options: WiringOptions): Promise<WiredWorker> {
  const { config, db, logger, registry, notifier } = options;
  const slots = createSlots(config.concurrent);
  const metrics = createMetrics(registry, {
    slotsBusy: slots.busy,
    slotsFree: slots.free,
    waiting: () => worker.waiting(),
    deferred: () => worker.isolation.traffic.deferredCount(),
    parkedOwned: () => worker.isolation.parked.owned(),
    unrecorded: () => recorder.unrecorded(),
  });
  const report = createReport(logger, metrics);
  const roster = await enterRoster(options, () => worker.claimer.rewind());
  const recorder = wireRecorder(db, report);
  const sender = createSender({
    slots: slots.total,
    timeoutMs: config.timeoutMs,
    connectTimeoutMs: config.connectTimeoutMs,
    responseBodyBytesMax: config.responseBodyLimit,
    disableTargetIpCheck: config.disableTargetIpCheck,
    allowedTargetCidrs: config.allowedTargetCidrs,
    resolve: createResolver({ timeoutMs: config.connectTimeoutMs, now }),
    now,
    epochNow: Date.now,
  });
  const worker = new Worker<PreparedSubscription>({
    slots,
    recorder,
    report,
    claim: {
      claim: (claim) => claimRequestAttempts(db, claim),
      nextDueMs: (poolId, lane) => loadNextDueMs(db, poolId, lane),
      newLeaseId: randomUUID,
      workerProcessId: roster.workerProcessId,
      servedPools: roster.servedPools,
    },
    leases: {
      renew: (attempts) => renewLeases(db, attempts, config.leaseMs),
      release: (attempts) => releaseRequestAttempts(db, attempts),
    },
    loadEvents: (events) => loadEvents(db, events),
    loadPassedOver: (ids) => loadPassedOverSubscriptions(db, ids),
    subscriptions: (follow) =>
      createSubscriptions({
        load: (ids) => loadSubscriptions(db, ids),
        prepare: (row) => prepareSubscription(prepareOptions(config, report), row),
        follow,
        now,
      }),
    isolation: wireIsolation(options, { roster, report, slotsTotal: slots.total }),
    deliver: {
      send: createAttemptSender({ sender, signing: signingOf(config), userAgent: `Postrider/${config.workerVersion}`, epochNow: Date.now }),
      schedule: retryScheduleOf(config),
      random: Math.random,
      wait,
    },
    abortRequests: sender.abortAll,
    announceReleased: () => notifier.notify(roster.servedPools(), { rewind: true }),
    leaseMs: config.leaseMs,
    leaseReserveMs: config.timeoutMs + leaseStartMarginMs,
    now,
  });
  return { worker, recorder, roster, sender };
}

async function enterRoster(options: WiringOptions, onServedPoolsChanged: () => void): Promise<Roster> {
  const { config, db, logger } = options;
  const join = (): Promise<Roster> =>
    joinRoster({
      register: () =>
        registerWorkerProcess(db, {
          name: config.workerName,
          version: config.workerVersion,
          retriesMax: config.maxFastRetries + config.maxSlowRetries,
        }),
      beat: (workerProcessId) => beatWorkerProcess(db, workerProcessId, workerAliveWithinMs),
      async leave(workerProcessId) {
        await giveUpParkedSubscriptions(db, workerProcessId);
        await stopWorkerProcess(db, workerProcessId);
      },
      servedPools: () => listServedPools(db, config.workerName),
      onServedPoolsChanged,
      logger,
    });
  return whenReachable(join, wait, logger);
}

function wireIsolation(
  { config, db, notifier }: WiringOptions,
  { roster, report, slotsTotal }: { readonly roster: Roster; readonly report: WorkerReport; readonly slotsTotal: number },
): IsolationOptions {
  const { workerProcessId, servedPools } = roster;
  const capDefault = config.inFlightPerSubscriptionMax ?? Math.max(1, Math.floor(slotsTotal / 4));
  const changing = {
    db,
    capDefault,
    slotsTotal,
    disableAfterMs: config.disableFailingAfterMs,
    workerProcessId,
    ownedForMs,
    random: Math.random,
    now,
  };
  return {
    capDefault,
    take: () => takeParkedSubscriptions(db, { workerProcessId: workerProcessId(), poolIds: servedPools(), ownedForMs, takenMax }),
    claimParked: (claim) => claimParkedAttempts(db, claim),
    giveUp: () => giveUpParkedSubscriptions(db, workerProcessId()),
    async change({ subscriptionId }, signals) {
      const change = await changeHealth(changing, subscriptionId, signals);
      if (change.kind === 'disabled') {
        report.subscriptionFailing(subscriptionId);
      }
      if (change.kind !== 'changed') {
        return null;
      }
      report.healthChanged(subscriptionId, change);
      if (change.before.parkReason !== null && change.after.parkReason === null) {
        notifier.notify(await returnAttempts(db, subscriptionId), { rewind: true });
      }
      return change.after;
    },
    wait,
    random: Math.random,
  };
}

function wireRecorder(db: DatabasePool, report: WorkerReport): Recorder {
  return createRecorder({
    record: (outcomes) => recordOutcomes(db, outcomes),
    async disableSubscriptions(subscriptionIds) {
      report.subscriptionsDisabled(await disableGoneSubscriptions(db, subscriptionIds));
    },
    ensurePartitions: () => ensurePartitions(db),
    isMissingPartition,
    isRefused: isRefusedData,
    wait,
    report: {
      recorded: report.recorded,
      leaseLost: report.leaseLost,
      retried: report.recordRetried,
      refused: report.recordRefused,
    },
    now,
  });
}

function prepareOptions(config: WorkerConfig, report: WorkerReport) {
  return {
    secretsKey: secretsKeyOf(config),
    signatureHeaderName: config.signatureHeaderName,
    requireHttps: config.requireHttpsTargets,
    onSecretUnreadable: report.secretUnreadable,
  };
}

function signingOf(config: WorkerConfig) {
  const enabled = new Set(config.signatureVersions);
  return { headerName: config.signatureHeaderName, v0: enabled.has('v0'), v1: enabled.has('v1'), standard: enabled.has('standard') };
}
