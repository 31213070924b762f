import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { secretsKeyOf } from '@postrider/shared/config/common-settings';
import { listen } from '@postrider/shared/database/listen';
import { connectionConfig, type OpenPool, openPool } from '@postrider/shared/database/pool';
import { checkDatabase } from '@postrider/shared/database/queries/check-database';
import { countOpenAttempts } from '@postrider/shared/database/queries/count-open-attempts';
import { loadOldestDueAgeMs } from '@postrider/shared/database/queries/load-oldest-due-age';
import { deletedTokensChannel } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { type AllTenantsDatabase, seeingAllTenants } from '@postrider/shared/database/tenant-database';
import { whenReachable } from '@postrider/shared/database/when-reachable';
import type { Readiness } from '@postrider/shared/observability/ops-server';
import { createRegistry, registerDatabaseGauge } from '@postrider/shared/observability/registry';
import { urlOf } from '@postrider/shared/observability/server-url';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { ApiConfig } from './config.ts';
import { createApiServer } from './http/server.ts';
import { quotaLimitsOf, rateLimitsOf } from './limit-settings.ts';
import { watchBacklog } from './services/backlog-watch.ts';
import { startHousekeeping } from './services/housekeeping/housekeeping.ts';
import { registerQueueGauges } from './services/housekeeping/queue-gauges.ts';
import type { LeaseOfInstance } from './services/limits/rate-limiter.ts';
import type { TokenCache } from './services/token-cache.ts';
import { wireApi } from './wiring.ts';

/** Load balancers keep idle connections for a minute: a shorter time here would close one just as they use it. */
const keepAliveTimeoutMs = 65_000;
/** A process exits after this, whatever still runs. */
export const drainDeadlineMs = 25_000;
/** Of the deadline, for what comes after the last answer. */
const drainReserveMs = 5000;

export interface ServeOptions {
  readonly config: ApiConfig;
  readonly logger: Logger;
  /** Whether this is the process that does what only one of several does: housekeeping, and the gauges of the queue. */
  readonly keepsHouse: boolean;
  /** Where it is one of several: what they share of the rate limits. */
  readonly leaseOfInstance?: LeaseOfInstance;
}

/** An API that serves. */
export interface ServingApi {
  readonly url: string;
  readonly registry: Registry;
  readiness(): Promise<Readiness>;
  /** Finishes what is under way and closes everything. */
  drain(): Promise<void>;
}

/** Starts one process of the API and resolves when it serves. */
export async function serve({ config, logger, keepsHouse, leaseOfInstance }: ServeOptions): Promise<ServingApi> {
  const db = await openDatabase(config, logger);
  const registry = createRegistry();
  registerDatabaseGauge(registry, db.pool);
  if (keepsHouse) {
    registerQueueGauges(registry, {
      count: () => countOpenAttempts(db),
      onFailure: (error) => logger.warn({ event: 'queue.count_failed', err: error }, 'could not count the queue'),
      now: monotonicMs,
    });
  }
  const backlog = watchBacklog({ limitMs: config.ingestBacklogAgeLimitMs, load: () => loadOldestDueAgeMs(db), logger });
  const { app, tokens, batcher, notifier, endStreams } = wireApi({
    db,
    logger,
    registry,
    settings: config,
    secretsKey: secretsKeyOf(config),
    masterApiKey: config.masterApiKey,
    authCacheTtlMs: config.authCacheTtlMs,
    rateLimits: rateLimitsOf(config),
    ...(leaseOfInstance ? { leaseOfInstance } : {}),
    quotas: { isEnforced: config.quotaEnforcement, defaults: quotaLimitsOf(config) },
    ingest: { waitLimitMs: config.ingestWaitLimitMs, refusal: () => (backlog.isTooOld() ? 'backlog' : null) },
    now: monotonicMs,
    wait,
  });

  let draining = false;
  const { server, answers } = createApiServer(app.listener, { keepAliveTimeoutMs });
  server.listen(config.port, config.ip);
  await once(server, 'listening');
  const listener = listenForDeletedTokens(config, logger, tokens);
  const housekeeping = keepsHouse
    ? startHousekeeping({ db, notifier, logger, viewsRefreshMs: config.viewsRefreshPeriodSeconds * 1000 })
    : null;
  return {
    url: urlOf(server),
    registry,
    async readiness() {
      const isReachable = await checkDatabase(db).then(
        () => true,
        () => false,
      );
      return { ready: isReachable && !draining, details: { database: isReachable, draining } };
    },
    async drain() {
      draining = true;
      endStreams();
      await Promise.race([answers.close(), wait(drainDeadlineMs - drainReserveMs)]);
      await batcher.drain();
      await backlog.stop();
      await listener.stop();
      await housekeeping?.stop();
      await notifier.flush();
      await db.end();
    },
  };
}

function monotonicMs(): number {
  return performance.now();
}

function databaseOptions(config: ApiConfig) {
  return {
    connectionString: config.databaseUrl,
    applicationName: 'postrider api',
    connectionsMax: config.databaseConnectionsMax,
    idleTimeoutMs: config.databaseIdleTimeoutMs,
    connectionTimeoutMs: config.databaseConnectionTimeoutMs,
    statementTimeoutMs: config.databaseStatementTimeoutMs,
    preparedStatements: config.preparedStatements,
  };
}

async function openDatabase(config: ApiConfig, logger: Logger): Promise<AllTenantsDatabase> {
  const pool = openPool(databaseOptions(config), logger);
  return seeingAllTenants(pool, await checkRights(pool, logger));
}

function listenForDeletedTokens(config: ApiConfig, logger: Logger, tokens: Pick<TokenCache, 'heard' | 'setListening'>) {
  const connectionString = config.databaseDirectUrl ?? config.databaseUrl;
  return listen({
    connection: connectionConfig({ ...databaseOptions(config), connectionString, statementTimeoutMs: 0 }),
    channel: deletedTokensChannel,
    onNotification: tokens.heard,
    onListening: () => tokens.setListening(true),
    onLost: () => tokens.setListening(false),
    logger,
  });
}

/** One role for everything works; what is lost by it is said once. Returns whether the database keeps tenants apart. */
async function checkRights(pool: OpenPool, logger: Logger): Promise<boolean> {
  const { excess_rights: excessRights, is_isolating: isIsolating } = await whenReachable(() => checkDatabase(pool), wait, logger);
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
