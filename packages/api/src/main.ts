#!/usr/bin/env node
import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { describeEffective } from '@postrider/shared/config/settings';
import { migrateUp } from '@postrider/shared/database/migrate';
import { whenReachable } from '@postrider/shared/database/when-reachable';
import { installShutdown } from '@postrider/shared/lifecycle/shutdown';
import { createLogger } from '@postrider/shared/observability/logger';
import { startOpsServer } from '@postrider/shared/observability/ops-server';
import type { Logger } from 'pino';
import { type ApiConfig, apiSettings, migrationUrlOf, processCountOf, readConfig } from './config.ts';
import { rateLimitsOf } from './limit-settings.ts';
import { migrationsDirectory } from './migrations-directory.ts';
import { serveSupervised } from './processes/serve-supervised.ts';
import { createSupervisor, ProcessDidNotStartError } from './processes/supervisor.ts';
import { drainDeadlineMs, serve } from './serve.ts';
import { version } from './version.ts';

/** Beyond the deadline of the processes, so that their supervisor hears how they ended. */
const supervisorReserveMs = 2000;
/** Tells a process its number among those that share the port. */
const processNumberVariable = 'POSTRIDER_API_PROCESS_NUMBER';

const config = readConfig(process.env);
const count = processCountOf(config, availableParallelism());
if (cluster.isWorker) {
  await runSupervised(config, Number(process.env[processNumberVariable]));
} else if (count === 1) {
  await runAlone(config);
} else {
  await runSupervisor(config, count);
}

/** The whole API in this process. */
async function runAlone(settings: ApiConfig): Promise<void> {
  const logger = createLogger({ level: settings.logLevel, process: 'api', version });
  await prepare(settings, logger);
  const api = await serve({ config: settings, logger, keepsHouse: true });
  const ops = await startOpsServer({
    host: settings.opsIp,
    port: settings.opsPort,
    isAlive: () => true,
    readiness: api.readiness,
    registry: api.registry,
    logger,
  });
  installShutdown({
    process,
    logger,
    deadlineMs: drainDeadlineMs,
    async drain() {
      await api.drain();
      await ops.close();
    },
  });
  logger.info({ event: 'api.started', url: api.url, opsUrl: ops.url }, 'API started');
}

/** One of several processes that share the port. */
async function runSupervised(settings: ApiConfig, processNumber: number): Promise<void> {
  const logger = createLogger({ level: settings.logLevel, process: 'api', processNumber, version });
  await serveSupervised({
    process,
    logger,
    serve: (leaseOfInstance) => serve({ config: settings, logger, keepsHouse: processNumber === 1, leaseOfInstance }),
  });
}

/** What holds several processes together. It serves operators only, so that nothing that requests do can end it. */
async function runSupervisor(settings: ApiConfig, processes: number): Promise<void> {
  const logger = createLogger({ level: settings.logLevel, process: 'api supervisor', version });
  await prepare(settings, logger);
  const supervisor = createSupervisor({
    count: processes,
    fork: (processNumber) => cluster.fork({ [processNumberVariable]: processNumber }),
    logger,
    rateLimits: rateLimitsOf(settings),
    now: () => performance.now(),
  });
  process.once('exit', () => supervisor.kill());
  const ops = await startOpsServer({
    host: settings.opsIp,
    port: settings.opsPort,
    isAlive: () => true,
    readiness: () => supervisor.readiness(),
    registry: { contentType: 'text/plain; version=0.0.4; charset=utf-8', metrics: () => supervisor.metrics() },
    logger,
  });
  installShutdown({
    process,
    logger,
    deadlineMs: drainDeadlineMs + supervisorReserveMs,
    async drain() {
      await supervisor.drain();
      await ops.close();
    },
  });
  try {
    const url = await supervisor.start();
    logger.info({ event: 'api.started', url, opsUrl: ops.url, processes }, 'API started');
  } catch (error) {
    logger.fatal({ event: 'api.not_started', err: error }, 'the API could not start');
    process.exit(error instanceof ProcessDidNotStartError && typeof error.end === 'number' && error.end > 0 ? error.end : 1);
  }
}

/** What is done once, however many processes there will be. */
async function prepare(settings: ApiConfig, logger: Logger): Promise<void> {
  logger.info({ event: 'api.settings', settings: describeEffective(apiSettings, settings) }, 'effective settings');
  if (settings.autoDbMigration) {
    const migrate = () => migrateUp({ connectionString: migrationUrlOf(settings), directory: migrationsDirectory });
    const { applied } = await whenReachable(migrate, wait, logger);
    logger.info({ event: 'database.migrated', applied }, 'the database has all migrations');
  }
}
