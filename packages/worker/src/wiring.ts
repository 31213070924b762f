import { secretsKeyOf } from '@postrider/shared/config/common-settings';
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { DatabasePool } from '@postrider/shared/database/pool';
import { isMissingPartition, isRefusedData } from '@postrider/shared/database/postgres-errors';
import { beatWorkerProcess } from '@postrider/shared/database/queries/beat-worker-process';
import { claimRequestAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { ensurePartitions } from '@postrider/shared/database/queries/ensure-partitions';
import { listServedPools } from '@postrider/shared/database/queries/list-served-pools';
import { loadEvents } from '@postrider/shared/database/queries/load-events';
import { loadPassedOverSubscriptions } from '@postrider/shared/database/queries/load-passed-over-subscriptions';
import { loadSubscriptions } from '@postrider/shared/database/queries/load-subscriptions';
import { registerWorkerProcess } from '@postrider/shared/database/queries/register-worker-process';
import { releaseRequestAttempts } from '@postrider/shared/database/queries/release-request-attempts';
import { renewLeases } from '@postrider/shared/database/queries/renew-leases';
import { giveUpParkedSubscriptions } from '@postrider/shared/database/queries/give-up-parked-subscriptions';
import { stopWorkerProcess } from '@postrider/shared/database/queries/stop-worker-process';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { whenReachable } from '@postrider/shared/database/when-reachable';
import { leaseStartMarginMs, workerAliveWithinMs } from '@postrider/shared/domain/limits';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { retryScheduleOf, type WorkerConfig } from './config.ts';
import { createFaultPause, type FaultPause } from './fault-pause.ts';
import { createResolver } from './http/dns.ts';
import { createSender, type Sender } from './http/send-request.ts';
import { createMetrics } from './metrics.ts';
import { createOperationalEvents, type OperationalEvents } from './operational-events.ts';
import { createOutcomeStore } from './outcome-store.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createReport, type WorkerReport } from './report.ts';
import { joinRoster, type Roster } from './roster.ts';
import { createAttemptSender, type PreparedSubscription, prepareSubscription } from './sender.ts';
import { createSlots } from './slots.ts';
import { createSubscriptions } from './subscriptions.ts';
import { wireIsolation } from './wire-isolation.ts';
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

/** What is recorded waits for its operational events; a statement of theirs that takes longer is given up. */
const operationalStatementMs = 5000;

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
  const operationalEvents = createOperationalEvents({
    applicationId: config.operationalEventsApplicationId,
    notifier,
    report: report.operationalEvents,
    statementMs: Math.min(operationalStatementMs, config.databaseStatementTimeoutMs / 2),
  });
  await operationalEvents.prepare(db);
  const recorder = wireRecorder(db, report, operationalEvents);
  const pause = createFaultPause(now);
  const sender = wireSender(config, report, pause);
  const worker = new Worker<PreparedSubscription>({
    slots,
    recorder,
    report,
    claim: {
      claim: (claim) => claimRequestAttempts(db, claim),
      newLeaseId: randomUUID,
      workerProcessId: roster.workerProcessId,
      servedPools: roster.servedPools,
      callOthers: () => notifier.notify(roster.servedPools()),
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
    isolation: wireIsolation({ db, config, notifier, roster, report, operationalEvents, slotsTotal: slots.total, now }),
    deliver: {
      send: createAttemptSender({ sender, signing: signingOf(config), userAgent: `Postrider/${config.workerVersion}`, epochNow: Date.now }),
      schedule: retryScheduleOf(config),
      random: Math.random,
      wait,
    },
    pauseMs: pause.leftMs,
    abortRequests: sender.abortAll,
    announceReleased: () => notifier.notify(roster.servedPools(), { rewind: true }),
    leaseMs: config.leaseMs,
    leaseReserveMs: config.timeoutMs + leaseStartMarginMs,
    now,
    epochNow: Date.now,
  });
  return { worker, recorder, roster, sender };
}

function wireSender(config: WorkerConfig, report: WorkerReport, pause: FaultPause): Sender {
  return createSender({
    slots: config.concurrent,
    timeoutMs: config.timeoutMs,
    connectTimeoutMs: config.connectTimeoutMs,
    responseBodyBytesMax: config.responseBodyLimit,
    disableTargetIpCheck: config.disableTargetIpCheck,
    allowedTargetCidrs: config.allowedTargetCidrs,
    resolve: createResolver({
      timeoutMs: config.connectTimeoutMs,
      now,
      onLookup: report.lookedUp,
      onHealthChanged: report.resolverHealthChanged,
    }),
    now,
    epochNow: Date.now,
    onOutcome: ({ kind }) => pause.note(kind),
  });
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

function wireRecorder(db: DatabasePool, report: WorkerReport, operationalEvents: OperationalEvents): Recorder {
  return createRecorder({
    ...createOutcomeStore({ db, operationalEvents, report }),
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
