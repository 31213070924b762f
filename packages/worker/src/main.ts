#!/usr/bin/env node
import { describeEffective } from '@postrider/shared/config/settings';
import { listen } from '@postrider/shared/database/listen';
import { connectionConfig, type DatabaseOptions, openPool } from '@postrider/shared/database/pool';
import { dueAttemptsChannel } from '@postrider/shared/database/queries/notify-due-attempts';
import { createWakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { worstCaseMs } from '@postrider/shared/domain/retry-schedule';
import { installShutdown } from '@postrider/shared/lifecycle/shutdown';
import { createLogger } from '@postrider/shared/observability/logger';
import { startOpsServer } from '@postrider/shared/observability/ops-server';
import { createRegistry, registerDatabaseGauge } from '@postrider/shared/observability/registry';
import { readCommandLine } from './cli.ts';
import { retryScheduleOf, type WorkerConfig, workerSettings } from './config.ts';
import { startHeartbeat } from './http/heartbeat.ts';
import { version } from './version.ts';
import { createWakeUpHandler } from './wake-up.ts';
import { wireWorker } from './wiring.ts';

/** Beyond the time for requests in flight: for the last statements. */
const drainReserveMs = 5000;
/** A delivery that runs this much longer than its timeout will never end. */
const stuckAfterTimeoutMs = 60_000;

const config = readCommandLine(process.argv, process.env);
const logger = createLogger({ level: config.logLevel, process: 'worker', version });
logger.info({ event: 'worker.settings', settings: describeEffective(workerSettings, config) }, 'effective settings');
logger.info(
  { event: 'worker.retry_schedule', worstCaseHours: Math.round(worstCaseMs(retryScheduleOf(config)) / 3_600_000) },
  'the longest time from a first failure to the last retry',
);

const database = databaseOptions(config);
const db = openPool(database, logger);
const registry = createRegistry();
registerDatabaseGauge(registry, db.pool);
const notifier = createWakeUpNotifier(db, logger, Math.random);
const { worker, recorder, roster, sender } = await wireWorker({ config, db, logger, registry, notifier });

const isStuck = (): boolean => worker.oldestDeliveryMs() > config.timeoutMs + stuckAfterTimeoutMs;
const isClaiming = (): boolean => worker.claimer.isClaiming();
const ops = await startOpsServer({
  host: config.opsIp,
  port: config.opsPort,
  isAlive: () => !isStuck(),
  readiness: async () => ({ ready: isClaiming() && !isStuck(), details: { claiming: isClaiming(), unrecorded: recorder.unrecorded() } }),
  registry,
  logger,
});
const listener = listen({
  connection: connectionConfig({ ...database, connectionString: config.databaseDirectUrl ?? config.databaseUrl, statementTimeoutMs: 0 }),
  channel: dueAttemptsChannel,
  onNotification: createWakeUpHandler({ claimer: worker.claimer, parked: worker.isolation.parked, roster, now: () => performance.now() }),
  onListening: () => worker.claimer.wake(),
  logger,
});
const heartbeat =
  config.heartbeatUrl === null
    ? null
    : startHeartbeat({
        url: config.heartbeatUrl,
        periodMs: config.heartbeatMinPeriodSeconds * 1000,
        isWorking: () => isClaiming() && !isStuck(),
        logger,
      });

installShutdown({
  process,
  logger,
  deadlineMs: config.shutdownTimeoutMs + drainReserveMs,
  async drain() {
    heartbeat?.stop();
    await listener.stop();
    await worker.drain(config.shutdownTimeoutMs);
    await notifier.flush();
    await roster.stop();
    await sender.close();
    await ops.close();
    await db.end();
  },
});
worker.start();
logger.info(
  {
    event: 'worker.started',
    opsUrl: ops.url,
    workerProcessId: roster.workerProcessId(),
    name: config.workerName,
    servedPools: roster.servedPools(),
  },
  'worker started',
);

function databaseOptions(settings: WorkerConfig): DatabaseOptions {
  return {
    connectionString: settings.databaseUrl,
    applicationName: 'postrider worker',
    connectionsMax: settings.databaseConnectionsMax,
    idleTimeoutMs: settings.databaseIdleTimeoutMs,
    connectionTimeoutMs: settings.databaseConnectionTimeoutMs,
    statementTimeoutMs: settings.databaseStatementTimeoutMs,
    preparedStatements: settings.preparedStatements,
  };
}
