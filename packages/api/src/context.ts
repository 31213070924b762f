import type { AllTenantsDatabase } from '@postrider/shared/database/tenant-database';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import type { ParsedCidr } from '@postrider/shared/domain/ip-address';
import type { SecretsKey } from '@postrider/shared/secrets/sealed-secret';
import type { Quotas } from './services/limits/quotas.ts';
import type { TokenCache } from './services/token-cache.ts';
import type { IngestionBatcher } from './services/ingestion-batcher.ts';

/** What routes work with. */
export interface ApiContext {
  /** Not for handlers, which have a `db` of their request. */
  readonly db: AllTenantsDatabase;
  readonly notifier: WakeUpNotifier;
  readonly batcher: IngestionBatcher;
  readonly secretsKey: SecretsKey;
  readonly quotas: Quotas;
  readonly tokens: Pick<TokenCache, 'forgetAfter' | 'findApplication'>;
  readonly settings: {
    readonly eventBodyBytesMax: number;
    readonly supportEmailAddress: string;
    readonly autoDbMigration: boolean;
    readonly requireHttpsTargets: boolean;
    /** Whose pages may call the API; none or left out: all. */
    readonly corsAllowedOrigins?: readonly string[];
    /** Proxies that may say whom they speak for; none or left out: nobody may. */
    readonly reverseProxyIps?: readonly ParsedCidr[];
    /** Null: `/health` is not served; empty: it is public. */
    readonly healthCheckKey: string | null;
  };
  readonly now: () => number;
  readonly wait: (delayMs: number) => Promise<void>;
  /** Aborted when the process is to stop: what would go on for long comes to an end. */
  readonly stopping: AbortSignal;
}
