#!/usr/bin/env node
import { setTimeout as wait } from 'node:timers/promises';
import { secretsKeyOf } from '@postrider/shared/config/common-settings';
import { openPool } from '@postrider/shared/database/pool';
import { seeingAllTenants } from '@postrider/shared/database/tenant-database';
import { createLogger } from '@postrider/shared/observability/logger';
import { readRotateKeyConfig } from './config.ts';
import { rotateSecrets } from './services/rotate-secrets.ts';
import { version } from './version.ts';

const usage = `Usage: rotate-key

  Seals all secrets anew under SECRETS_KEY. The keys that they are sealed under so far stand in SECRETS_KEYS_ALSO_READ.
  Everything may run meanwhile, and the command can be run again. docs/operations.md tells the order of a change.
`;

if (process.argv.length > 2) {
  process.stderr.write(usage);
  process.exit(64);
}
const config = readRotateKeyConfig(process.env);
const pool = openPool(
  {
    connectionString: config.databaseUrl,
    applicationName: 'postrider rotate-key',
    connectionsMax: 1,
    idleTimeoutMs: 30_000,
    connectionTimeoutMs: config.databaseConnectionTimeoutMs,
    statementTimeoutMs: config.databaseStatementTimeoutMs,
    preparedStatements: config.preparedStatements,
  },
  createLogger({ level: 'warn', process: 'rotate-key', version }),
);
try {
  const { done, broken, left } = await rotateSecrets(seeingAllTenants(pool, false), {
    key: secretsKeyOf(config),
    onProgress: (count) => process.stdout.write(`${count} sealed anew\n`),
    wait,
  });
  for (const secret of broken) {
    process.stderr.write(`${secret} does not open: it was altered or belongs to something else, and stays as it is\n`);
  }
  if (left > 0) {
    process.stderr.write(`${left} are held by others for long: run this again\n`);
  }
  process.stdout.write(`${done} sealed anew under the key ${config.secretsKey.id.toString('hex')}\n`);
  process.exitCode = broken.length + left > 0 ? 1 : 0;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await pool.end();
}
