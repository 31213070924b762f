import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { ensurePartitions } from '@postrider/shared/database/queries/ensure-partitions';
import { findApplicationSecret } from '@postrider/shared/database/queries/find-application-secret';
import { createWakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { createRegistry } from '@postrider/shared/observability/registry';
import { urlOf } from '@postrider/shared/observability/server-url';
import { parseSecretsKey } from '@postrider/shared/secrets/sealed-secret';
import { testMasterKey, testSecretsKey } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import type { Express } from 'express';
import { pino } from 'pino';
import { createApp } from '../app.ts';
import type { ApiContext } from '../context.ts';
import { createAuthenticator } from '../http/authenticate.ts';
import { createApiServer } from '../http/server.ts';
import { createMetrics } from '../metrics.ts';
import { createReport } from '../report.ts';
import { ingestGroup } from '../services/ingest-events.ts';
import { createIngestionBatcher } from '../services/ingestion-batcher.ts';
import { createTokenCache } from '../services/token-cache.ts';

export interface ServedApi {
  /** Where it serves, without a final slash. */
  readonly url: string;
  readonly app: Express;
  close(): void;
}

const now = (): number => performance.now();

/** Serves the API on a free port, from its sources and with a database of the test. */
export async function serveApi({ db }: TestDatabase, changes: Partial<ApiContext['settings']> = {}): Promise<ServedApi> {
  const logger = pino({ level: 'silent' });
  const report = createReport(logger, createMetrics(createRegistry()));
  const notifier = createWakeUpNotifier(db, logger, Math.random);
  const secretsKey = parseSecretsKey(testSecretsKey);
  if (!secretsKey) {
    throw new Error('The key of tests is not a key.');
  }
  const batcher = createIngestionBatcher({
    ingestGroup: (events, isResent) => ingestGroup(db, events, isResent),
    ensurePartitions: () => ensurePartitions(db),
    notify: (poolIds) => notifier.notify(poolIds),
    wait,
    report,
    now,
  });
  const tokens = createTokenCache({ lookUp: (hash) => findApplicationSecret(db, hash), ttlMs: 60_000, now });
  tokens.setListening(true);
  const settings = {
    eventBodyBytesMax: 64 * 1024,
    supportEmailAddress: 'help@example.com',
    autoDbMigration: true,
    requireHttpsTargets: false,
    healthCheckKey: 'health',
    ...changes,
  };
  const app = createApp({ db, notifier, batcher, secretsKey, tokens, settings, now }, createAuthenticator(tokens, testMasterKey), report);
  const server = createApiServer(app, { keepAliveTimeoutMs: 5000 }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: urlOf(server),
    app,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
