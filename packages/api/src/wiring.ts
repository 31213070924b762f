import { ensurePartitions } from '@postrider/shared/database/queries/ensure-partitions';
import { leaseRequestTokens } from '@postrider/shared/database/queries/lease-request-tokens';
import type { AllTenantsDatabase } from '@postrider/shared/database/tenant-database';
import { createWakeUpNotifier, type WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import type { SecretsKey } from '@postrider/shared/secrets/sealed-secret';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { createApp } from './app.ts';
import type { ApiContext } from './context.ts';
import { createAuthenticator } from './http/authenticate.ts';
import { createMetrics } from './metrics.ts';
import { createReport } from './report.ts';
import { ingestGroup } from './services/ingest-events.ts';
import { createIngestionBatcher, type IngestionBatcher, type IngestionBatcherOptions } from './services/ingestion-batcher.ts';
import { ingestWithinQuota } from './services/limits/ingest-within-quota.ts';
import { leaseEventsOfToday } from './services/limits/lease-events-of-today.ts';
import { createQuotas, type QuotaOptions } from './services/limits/quotas.ts';
import { createRateLimiter, type LeaseOfInstance, type RateLimits } from './services/limits/rate-limiter.ts';
import { createTokenCache, type TokenCache } from './services/token-cache.ts';

export interface ApiOptions {
  readonly db: AllTenantsDatabase;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly settings: ApiContext['settings'];
  readonly secretsKey: SecretsKey;
  readonly masterApiKey: string | null;
  readonly authCacheTtlMs: number;
  /** Limits of ingest; the defaults where left out. */
  readonly ingest?: Pick<IngestionBatcherOptions, 'waitLimitMs' | 'refusal'>;
  readonly rateLimits: RateLimits;
  /** Where several processes are one instance: what they share of its limits. */
  readonly leaseOfInstance?: LeaseOfInstance;
  readonly quotas: QuotaOptions;
  readonly now: () => number;
  readonly wait: (delayMs: number) => Promise<void>;
}

/** The parts of an API that are put together here and that its process starts, drains and stops. */
export interface Api {
  readonly app: ReturnType<typeof createApp>;
  readonly context: ApiContext;
  readonly tokens: TokenCache;
  readonly batcher: IngestionBatcher;
  readonly notifier: WakeUpNotifier;
  /** Ends what would go on for as long as its client likes. */
  endStreams(): void;
}

/** Puts an API together. It serves nothing yet. */
export function wireApi(options: ApiOptions): Api {
  const { db, logger, now } = options;
  const report = createReport(logger, createMetrics(options.registry), now);
  const notifier = createWakeUpNotifier(db, logger, Math.random);
  const tokens = createTokenCache(db, { ttlMs: options.authCacheTtlMs, now, report });
  const batcher = createIngestionBatcher({
    ingestGroup: (events, isResent) => ingestGroup(db, events, isResent),
    ensurePartitions: () => ensurePartitions(db),
    notify({ poolIds, parkedPoolIds }, withinMs) {
      notifier.notify(poolIds, { withinMs });
      notifier.notify(parkedPoolIds, { parked: true, withinMs });
    },
    wait: options.wait,
    report,
    now,
    ...options.ingest,
  });
  const { settings, secretsKey, wait } = options;
  const stop = new AbortController();
  const context = {
    db,
    notifier,
    batcher: withinQuota(batcher, tokens, options),
    secretsKey,
    quotas: createQuotas(options.quotas),
    tokens,
    settings,
    now,
    wait,
    stopping: stop.signal,
  };
  const limiter = createRateLimiter({
    limits: options.rateLimits,
    lease: (tokenId, wanted, limit) => leaseRequestTokens(db, tokenId, wanted, limit),
    ...(options.leaseOfInstance ? { leaseOfInstance: options.leaseOfInstance } : {}),
    onFallback: report.rateLimitsFellBack,
    wait,
    now,
  });
  const app = createApp(context, { authenticator: createAuthenticator(tokens, options.masterApiKey), limiter, report });
  return { app, context, tokens, batcher, notifier, endStreams: () => stop.abort() };
}

/** Where no quotas are enforced, none are looked for. */
function withinQuota(batcher: IngestionBatcher, tokens: TokenCache, { db, quotas, now }: ApiOptions): IngestionBatcher {
  const lease = (ownerId: string, wanted: number, limit: number) => leaseEventsOfToday(db, ownerId, wanted, limit);
  return quotas.isEnforced
    ? ingestWithinQuota(batcher, { findLimits: (id) => tokens.findLimits(id), defaults: quotas.defaults, lease, now })
    : batcher;
}
