import { parseSecretsKey, type SecretsKey } from '../secrets/sealed-secret.ts';
import { boolean, duration, integer, list, oneOf, secret, url } from './setting-kinds.ts';

const protocols = ['postgres:', 'postgresql:'] as const;
const minuteMs = 60_000;

/** The command that makes a value for `SECRETS_KEY`. */
const secretsKeyCommand = `node -e "console.log(require('node:crypto').randomBytes(32).toString('base64'))"`;

const secretsSettings = {
  secretsKey: secret.required(
    {
      name: 'SECRETS_KEY',
      group: 'Secrets',
      description:
        'Seals secrets at rest: 32 bytes in base64, the same for every process of one installation. Keep a copy: without it no secret opens.',
    },
    parseSecretsKey,
    `32 random bytes in base64, as this prints: ${secretsKeyCommand}`,
  ),
  secretsKeysAlsoRead: list<SecretsKey>(
    {
      name: 'SECRETS_KEYS_ALSO_READ',
      group: 'Secrets',
      description: 'Further keys that open secrets but seal none, separated by commas: for a change of SECRETS_KEY.',
      sensitive: true,
      defaultText: 'none',
    },
    {
      read: parseSecretsKey,
      wants: 'keys of 32 bytes in base64, separated by commas',
      show: () => '(hidden)',
      fallback: [],
    },
  ),
} as const;

/** The key of a process: it seals under one and opens what is sealed under any. */
export function secretsKeyOf(config: { readonly secretsKey: SecretsKey; readonly secretsKeysAlsoRead: readonly SecretsKey[] }): SecretsKey {
  return { ...config.secretsKey, alsoOpens: config.secretsKeysAlsoRead };
}

/** Settings that the API and the worker share. */
export function commonSettings(defaults: { readonly databaseConnectionsMax: number }) {
  return {
    databaseUrl: url.required({
      name: 'DATABASE_URL',
      group: 'Database',
      description: 'PostgreSQL 15 or later; may be a transaction pooler.',
      protocols,
    }),
    databaseDirectUrl: url.optional({
      name: 'DATABASE_DIRECT_URL',
      group: 'Database',
      description: 'For LISTEN and long maintenance, when the former is a pooler.',
      defaultText: 'DATABASE_URL',
      protocols,
    }),
    preparedStatements: boolean(
      { name: 'DB_PREPARED_STATEMENTS', group: 'Database', description: 'False for poolers that cannot keep prepared statements.' },
      true,
    ),
    databaseConnectionsMax: integer(
      {
        name: 'MAX_DB_CONNECTIONS',
        group: 'Database',
        description: 'Connections of the process; one more listens for notifications.',
        min: 2,
        max: 1000,
      },
      defaults.databaseConnectionsMax,
    ),
    databaseIdleTimeoutMs: duration(
      {
        name: 'DB_IDLE_TIMEOUT',
        group: 'Database',
        description: 'An idle connection is closed after this.',
        minMs: 1000,
        maxMs: 60 * minuteMs,
      },
      30_000,
    ),
    databaseConnectionTimeoutMs: duration(
      { name: 'DB_CONNECTION_TIMEOUT', group: 'Database', description: 'Longest wait for a connection.', minMs: 100, maxMs: minuteMs },
      5000,
    ),
    databaseStatementTimeoutMs: duration(
      { name: 'DB_STATEMENT_TIMEOUT', group: 'Database', description: 'Longest wait for a statement.', minMs: 1000, maxMs: 10 * minuteMs },
      30_000,
    ),
    ...secretsSettings,
    logLevel: oneOf(
      {
        name: 'LOG_LEVEL',
        group: 'Logs',
        description: 'Least level that is logged: JSON lines on standard output.',
        values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      },
      'info',
    ),
  } as const;
}
