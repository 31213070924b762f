#!/usr/bin/env node
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { secretsKeyOf } from '@postrider/shared/config/common-settings';
import { describeEffective } from '@postrider/shared/config/settings';
import { migrateUp } from '@postrider/shared/database/migrate';
import { listen } from '@postrider/shared/database/listen';
import { connectionConfig, type OpenPool, openPool } from '@postrider/shared/database/pool';
import { checkDatabase } from '@postrider/shared/database/queries/check-database';
import { countOpenAttempts } from '@postrider/shared/database/queries/count-open-attempts';
import { deletedTokensChannel } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { seeingAllTenants } from '@postrider/shared/database/tenant-database';
import { whenReachable } from '@postrider/shared/database/when-reachable';
import { installShutdown } from '@postrider/shared/lifecycle/shutdown';
import { createLogger } from '@postrider/shared/observability/logger';
import { startOpsServer } from '@postrider/shared/observability/ops-server';
import { createRegistry, registerDatabaseGauge } from '@postrider/shared/observability/registry';
import { urlOf } from '@postrider/shared/observability/server-url';
import { apiSettings, migrationUrlOf, readConfig } from './config.ts';
import { createApiServer } from './http/server.ts';
import { quotaLimitsOf, rateLimitsOf } from './limit-settings.ts';
import { migrationsDirectory } from './migrations-directory.ts';
import { startHousekeeping } from './services/housekeeping/housekeeping.ts';
import { registerQueueGauges } from './services/housekeeping/queue-gauges.ts';
import { version } from './version.ts';
import { wireApi } from './wiring.ts';

/** Load balancers keep idle connections for a minute: a shorter time here would close one just as they use it. */
const keepAliveTimeoutMs = 65_000;
const drainDeadlineMs = 25_000;

const config = readConfig(process.env);
const logger = createLogger({ level: config.logLevel, process: 'api', version });
logger.info({ event: 'api.settings', settings: describeEffective(apiSettings, config) }, 'effective settings');
if (config.autoDbMigration) {
  const migrate = () => migrateUp({ connectionString: migrationUrlOf(config), directory: migrationsDirectory });
  const { applied } = await whenReachable(migrate, wait, logger);
  logger.info({ event: 'database.migrated', applied }, 'the database has all migrations');
}

const database = {
  connectionString: config.databaseUrl,
  applicationName: 'postrider api',
  connectionsMax: config.databaseConnectionsMax,
  idleTimeoutMs: config.databaseIdleTimeoutMs,
  connectionTimeoutMs: config.databaseConnectionTimeoutMs,
  statementTimeoutMs: config.databaseStatementTimeoutMs,
  preparedStatements: config.preparedStatements,
};
const pool = openPool(database, logger);
const db = seeingAllTenants(pool, await checkRights(pool));
const registry = createRegistry();
registerDatabaseGauge(registry, db.pool);
const now = (): number => performance.now();
registerQueueGauges(registry, {
  count: () => countOpenAttempts(db),
  onFailure: (error) => logger.warn({ event: 'queue.count_failed', err: error }, 'could not count the queue'),
  now,
});
const { app, tokens, batcher, notifier } = wireApi({
  db,
  logger,
  registry,
  settings: config,
  secretsKey: secretsKeyOf(config),
  masterApiKey: config.masterApiKey,
  authCacheTtlMs: config.authCacheTtlMs,
  rateLimits: rateLimitsOf(config),
  quotas: { isEnforced: config.quotaEnforcement, defaults: quotaLimitsOf(config) },
  now,
  wait,
});

let draining = false;
const server = createApiServer(app, { keepAliveTimeoutMs });
server.listen(config.port, config.ip);
await once(server, 'listening');
const ops = await startOpsServer({
  host: config.opsIp,
  port: config.opsPort,
  isAlive: () => true,
  async readiness() {
    const isReachable = await checkDatabase(db).then(
      () => true,
      () => false,
    );
    return { ready: isReachable && !draining, details: { database: isReachable, draining } };
  },
  registry,
  logger,
});
const listener = listen({
  connection: connectionConfig({ ...database, connectionString: config.databaseDirectUrl ?? config.databaseUrl, statementTimeoutMs: 0 }),
  channel: deletedTokensChannel,
  onNotification: tokens.clear,
  onListening: () => tokens.setListening(true),
  onLost: () => tokens.setListening(false),
  logger,
});
const housekeeping = startHousekeeping({ db, notifier, logger, viewsRefreshMs: config.viewsRefreshPeriodSeconds * 1000 });

installShutdown({
  process,
  logger,
  deadlineMs: drainDeadlineMs,
  async drain() {
    draining = true;
    server.close();
    server.closeIdleConnections();
    await Promise.race([once(server, 'close'), wait(drainDeadlineMs - 5000)]);
    await batcher.drain();
    await listener.stop();
    await housekeeping.stop();
    await notifier.flush();
    await ops.close();
    await db.end();
  },
});
logger.info({ event: 'api.started', url: urlOf(server), opsUrl: ops.url }, 'API started');

/** One role for everything works; what is lost by it is said once. Returns whether the database keeps tenants apart. */
async function checkRights(openedPool: OpenPool): Promise<boolean> {
  const { excess_rights: excessRights, is_isolating: isIsolating } = await whenReachable(() => checkDatabase(openedPool), wait, logger);
  if (excessRights.length > 0) {
    logger.warn(
      { event: 'database.excess_rights', excessRights },
      'the role of DATABASE_URL has more rights than it needs: a fault in the API could change or drop tables. Use a role of postrider_runtime, and the owner for MIGRATION_DATABASE_URL only.',
    );
  }
  if (!isIsolating) {
    logger.warn(
      { event: 'database.not_isolating' },
      'the role of DATABASE_URL cannot switch to postrider_tenant, so that the API alone keeps tenants apart. docs/operations.md tells how to make that role.',
    );
  }
  return isIsolating;
}
