import { commonSettings } from '@postrider/shared/config/common-settings';
import { boolean, byteSize, duration, integer, integerOrWord, list, secret, text, url } from '@postrider/shared/config/setting-kinds';
import { describeProblems, loadSettings, type SettingProblem, type ValuesOf } from '@postrider/shared/config/settings';
import { normalizeUuid } from '@postrider/shared/domain/ids';
import { apiProcessesMax, eventBodyBytesMax, ingestWaitMsMax } from '@postrider/shared/domain/limits';
import { quotaSettings, rateLimitSettings } from './limit-settings.ts';

/** Exit code for settings that cannot be used (EX_CONFIG of sysexits.h). */
const exitBadSettings = 78;

const serverSettings = {
  ip: text.withDefault({ name: 'IP', group: 'Server', description: 'Address of the API.' }, '127.0.0.1'),
  port: integer(
    { name: 'PORT', group: 'Server', description: 'Port of the API; 0 picks a free one and logs it.', min: 0, max: 65_535 },
    8081,
  ),
  opsIp: text.withDefault({ name: 'OPS_IP', group: 'Server', description: 'Address of the operations server.' }, '127.0.0.1'),
  opsPort: integer(
    {
      name: 'OPS_PORT',
      group: 'Server',
      description: 'Port of `/health/live`, `/health/ready` and `/metrics`; 0 picks a free one.',
      min: 0,
      max: 65_535,
    },
    9081,
  ),
  processes: integerOrWord(
    {
      name: 'API_PROCESSES',
      group: 'Server',
      description:
        'Processes that share the port on this host, each with its own connections; `max` for one per core. One that dies is replaced.',
      min: 1,
      max: apiProcessesMax,
      word: 'max',
    },
    1,
  ),
  eventBodyBytesMax: byteSize(
    { name: 'EVENT_BODY_LIMIT', group: 'Server', description: 'Largest body of one event.', minBytes: 1024, maxBytes: 64 * 1024 * 1024 },
    eventBodyBytesMax,
  ),
  corsAllowedOrigins: list<string>(
    {
      name: 'CORS_ALLOWED_ORIGINS',
      group: 'Server',
      description: 'Whose pages may call the API, such as `https://app.example.com`; unset: all, since tokens never travel in cookies.',
      defaultText: 'unset',
    },
    {
      read: (item) => (URL.canParse(item) && new URL(item).origin === item.replace(/\/$/, '') ? new URL(item).origin : null),
      wants: 'origins such as https://app.example.com, separated by commas',
      show: (item) => item,
      fallback: [],
    },
  ),
  supportEmailAddress: text.withDefault(
    { name: 'SUPPORT_EMAIL_ADDRESS', group: 'Server', description: 'Shown to users.' },
    'support@localhost',
  ),
};

const accessSettings = {
  masterApiKey: secret.optional(
    { name: 'MASTER_API_KEY', group: 'Access', description: 'A UUID that may do everything; unset: nobody may.' },
    normalizeUuid,
    'a UUID, as this prints: node -e "console.log(crypto.randomUUID())"',
  ),
  healthCheckKey: secret.optional(
    {
      name: 'HEALTH_CHECK_KEY',
      group: 'Access',
      description: 'Unset: `/api/v1/health` answers 404; empty: it is public.',
      emptyIsSet: true,
    },
    (raw) => raw,
    'a text',
  ),
  authCacheTtlMs: duration(
    {
      name: 'AUTH_CACHE_TTL',
      group: 'Access',
      description:
        'Tokens are known for this long without asking the database; a deleted one is forgotten by all instances at once. 0 is off.',
      minMs: 0,
      maxMs: 3_600_000,
    },
    60_000,
  ),
  requireHttpsTargets: boolean(
    { name: 'REQUIRE_HTTPS_TARGETS', group: 'Access', description: 'Refuses subscriptions whose target is not https.' },
    false,
  ),
};

const ingestSettings = {
  ingestWaitLimitMs: duration(
    {
      name: 'INGEST_WAIT_LIMIT',
      group: 'Ingest',
      description:
        'How long an event may wait for the database, by how long it takes at the moment. What would wait longer is answered 503 at once.',
      minMs: 100,
      maxMs: 60_000,
    },
    ingestWaitMsMax,
  ),
  ingestBacklogAgeLimitMs: duration(
    {
      name: 'INGEST_BACKLOG_AGE_LIMIT',
      group: 'Ingest',
      description:
        'Answers events with 503 while the oldest due attempt of the public workers has waited longer than this: parked attempts, such as those of paused subscriptions, and dedicated workers do not count. 0 is off.',
      minMs: 0,
      maxMs: 7 * 86_400_000,
    },
    0,
  ),
};

const housekeepingSettings = {
  viewsRefreshPeriodSeconds: integer(
    {
      name: 'MATERIALIZED_VIEWS_REFRESH_PERIOD_IN_S',
      group: 'Housekeeping',
      description:
        'Seconds between refreshes of the counts of events per day, by one instance at a time. What came since is counted when it is asked for, so that answers are right at any period; 0 is off, and then all that came since the last refresh is counted each time.',
      min: 0,
      max: 86_400,
    },
    60,
  ),
};

const migrationSettings = {
  autoDbMigration: boolean({ name: 'AUTO_DB_MIGRATION', group: 'Database', description: 'Migrate at start, under a lock.' }, true),
  migrationDatabaseUrl: url.optional({
    name: 'MIGRATION_DATABASE_URL',
    group: 'Database',
    description: 'With the role that owns the tables, for migrations.',
    defaultText: 'DATABASE_DIRECT_URL',
    protocols: ['postgres:', 'postgresql:'],
  }),
};

/** All settings of the API. */
export const apiSettings = {
  ...serverSettings,
  ...accessSettings,
  ...ingestSettings,
  ...commonSettings({ databaseConnectionsMax: 5 }),
  ...rateLimitSettings,
  ...quotaSettings,
  ...migrationSettings,
  ...housekeepingSettings,
};

export type ApiConfig = ValuesOf<typeof apiSettings>;

/** What migrations need of the settings. */
export const migrateSettings = {
  databaseUrl: apiSettings.databaseUrl,
  databaseDirectUrl: apiSettings.databaseDirectUrl,
  migrationDatabaseUrl: apiSettings.migrationDatabaseUrl,
};

/** What the change of SECRETS_KEY needs of the settings. */
const rotateKeySettings = {
  databaseUrl: apiSettings.databaseUrl,
  databaseStatementTimeoutMs: apiSettings.databaseStatementTimeoutMs,
  databaseConnectionTimeoutMs: apiSettings.databaseConnectionTimeoutMs,
  preparedStatements: apiSettings.preparedStatements,
  secretsKey: apiSettings.secretsKey,
  secretsKeysAlsoRead: apiSettings.secretsKeysAlsoRead,
};

/** How many processes `API_PROCESSES` asks for. */
export function processCountOf(config: Pick<ApiConfig, 'processes'>, cores: number): number {
  return config.processes === 'max' ? Math.min(cores, apiProcessesMax) : config.processes;
}

/** Where migrations connect to. */
export function migrationUrlOf(config: ValuesOf<typeof migrateSettings>): string {
  return config.migrationDatabaseUrl ?? config.databaseDirectUrl ?? config.databaseUrl;
}

/** Reads the settings of the environment. Ends the process with 78 and every problem when something cannot be used. */
export function readConfig(env: NodeJS.ProcessEnv): ApiConfig {
  const loaded = loadSettings(apiSettings, { env });
  return loaded.ok ? loaded.values : refuse('The API', loaded.problems);
}

/** The same for the migration command. */
export function readMigrateConfig(env: NodeJS.ProcessEnv): ValuesOf<typeof migrateSettings> {
  const loaded = loadSettings(migrateSettings, { env });
  return loaded.ok ? loaded.values : refuse('The migration', loaded.problems);
}

/** The same for the command that changes SECRETS_KEY. */
export function readRotateKeyConfig(env: NodeJS.ProcessEnv): ValuesOf<typeof rotateKeySettings> {
  const loaded = loadSettings(rotateKeySettings, { env });
  return loaded.ok ? loaded.values : refuse('The change of SECRETS_KEY', loaded.problems);
}

/** What the verification of the audit log needs of the settings. */
export function readVerifyConfig(env: NodeJS.ProcessEnv): { readonly databaseUrl: string } {
  const loaded = loadSettings({ databaseUrl: apiSettings.databaseUrl }, { env });
  return loaded.ok ? loaded.values : refuse('The verification', loaded.problems);
}

function refuse(what: string, problems: readonly SettingProblem[]): never {
  process.stderr.write(
    `${what} cannot start with these settings:\n${describeProblems(problems)
      .map((line) => `  ${line}\n`)
      .join('')}`,
  );
  process.exit(exitBadSettings);
}
