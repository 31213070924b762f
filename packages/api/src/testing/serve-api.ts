import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { createRegistry } from '@postrider/shared/observability/registry';
import { urlOf } from '@postrider/shared/observability/server-url';
import { parseSecretsKey } from '@postrider/shared/secrets/sealed-secret';
import { ApiClient } from '@postrider/testkit/api-client';
import { DocumentedAnswers } from '@postrider/testkit/documented-answers';
import { testMasterKey, testSecretsKey } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { pino } from 'pino';
import type { ApiContext } from '../context.ts';
import type { MountedRoutes } from '../http/mount.ts';
import { createApiServer } from '../http/server.ts';
import { noQuotas, type QuotaOptions } from '../services/limits/quotas.ts';
import { noRateLimits, type RateLimits } from '../services/limits/rate-limiter.ts';
import { wireApi } from '../wiring.ts';

export interface ServedApi {
  /** Where it serves, without a final slash. */
  readonly url: string;
  /** With the master key; every answer is held to the OpenAPI document. */
  readonly master: ApiClient;
  readonly router: MountedRoutes['router'];
  readonly context: ApiContext;
  /** As when the process is to stop. */
  endStreams(): void;
  close(): void;
}

export interface ServeOptions {
  readonly settings?: Partial<ApiContext['settings']>;
  /** None unless given. */
  readonly rateLimits?: RateLimits;
  /** Not enforced unless given. */
  readonly quotas?: QuotaOptions;
  /** A minute unless given. */
  readonly authCacheTtlMs?: number;
}

/** Serves the API on a free port, from its sources and with a database of the test. */
export async function serveApi({ db }: Pick<TestDatabase, 'db'>, options: ServeOptions = {}): Promise<ServedApi> {
  const secretsKey = parseSecretsKey(testSecretsKey);
  if (!secretsKey) {
    throw new Error('The key of tests is not a key.');
  }
  const { app, context, tokens, endStreams } = wireApi({
    db,
    logger: pino({ level: 'silent' }),
    registry: createRegistry(),
    settings: {
      eventBodyBytesMax: 64 * 1024,
      supportEmailAddress: 'help@example.com',
      autoDbMigration: true,
      requireHttpsTargets: false,
      healthCheckKey: 'health',
      ...options.settings,
    },
    secretsKey,
    masterApiKey: testMasterKey,
    authCacheTtlMs: options.authCacheTtlMs ?? 60_000,
    rateLimits: options.rateLimits ?? noRateLimits,
    quotas: options.quotas ?? noQuotas,
    now: () => performance.now(),
    wait: (delayMs) => wait(delayMs),
  });
  tokens.setListening(true);
  const { server } = createApiServer(app.listener, { keepAliveTimeoutMs: 5000 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = urlOf(server);
  return {
    url,
    master: new ApiClient(url, testMasterKey, (await DocumentedAnswers.of(url)).check),
    router: app.router,
    context,
    endStreams,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
