import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { migrateUp } from '@postrider/shared/database/migrate';
import { type OpenPool, openPool } from '@postrider/shared/database/pool';
import { type AllTenantsDatabase, seeingAllTenants } from '@postrider/shared/database/tenant-database';
import { Client, escapeIdentifier } from 'pg';
import { pino } from 'pino';
import 'vitest';
import { provisionDatabase } from './provision-database.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the server that the run's databases are made on. */
    superuserUrl: string;
  }
}

/** A migrated database that nobody else uses. */
export interface TestDatabase {
  readonly name: string;
  readonly ownerUrl: string;
  /** With the rights of the API and the workers. */
  readonly runtimeUrl: string;
  readonly superuserUrl: string;
  /** With the rights of the API and the workers. */
  readonly db: AllTenantsDatabase;
  /** With the rights of a superuser, to look at and to prepare what the product itself may not. */
  readonly admin: OpenPool;
  drop(): Promise<void>;
}

export const migrationsDirectory = fileURLToPath(new URL('../../../migrations', import.meta.url));

const password = 'postrider';

/** Clones a template that is migrated once for each server and state of the migrations. */
export async function createTestDatabase(superuserUrl: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const template = await ensureTemplate(superuserUrl);
  await asSuperuser(superuserUrl, (client) =>
    client.query(`create database ${escapeIdentifier(name)} template ${escapeIdentifier(template)} owner postrider_owner`),
  );
  const { ownerUrl, runtimeUrl } = await provisionDatabase({ superuserUrl, database: name, password });
  const adminUrl = withDatabase(superuserUrl, name);
  const db = seeingAllTenants(openTestPool(runtimeUrl), true);
  const admin = openTestPool(adminUrl);
  return {
    name,
    ownerUrl,
    runtimeUrl,
    superuserUrl: adminUrl,
    db,
    admin,
    async drop() {
      await Promise.all([db.end(), admin.end()]);
      await asSuperuser(superuserUrl, (client) => client.query(`drop database ${escapeIdentifier(name)} with (force)`));
    },
  };
}

/** A pool with generous limits whose idle connections may break without a word. */
export function openTestPool(connectionString: string, connectionsMax = 20): OpenPool {
  return openPool(
    {
      connectionString,
      applicationName: 'postrider test',
      connectionsMax,
      idleTimeoutMs: 30_000,
      connectionTimeoutMs: 30_000,
      statementTimeoutMs: 120_000,
      preparedStatements: true,
    },
    pino({ level: 'silent' }),
  );
}

async function ensureTemplate(superuserUrl: string): Promise<string> {
  const template = `template_${hashMigrations()}`;
  await asSuperuser(superuserUrl, async (client) => {
    // One test file migrates, the others wait for it; the lock ends with the connection.
    await client.query("select pg_advisory_lock(hashtext('postrider'), hashtext('template'))");
    const { rowCount } = await client.query('select from pg_database where datname = $1 and datistemplate', [template]);
    if (rowCount === 0) {
      await client.query(`drop database if exists ${escapeIdentifier(template)} with (force)`);
      const { ownerUrl } = await provisionDatabase({ superuserUrl, database: template, password });
      await migrateUp({ connectionString: ownerUrl, directory: migrationsDirectory });
      await client.query(`alter database ${escapeIdentifier(template)} is_template true`);
    }
  });
  return template;
}

/** With the day, since a template has the partitions of the day it was made. */
function hashMigrations(): string {
  const hash = createHash('sha256').update(new Date().toISOString().slice(0, 10));
  for (const file of readdirSync(migrationsDirectory).toSorted()) {
    hash.update(file).update(readFileSync(`${migrationsDirectory}/${file}`));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Works on a connection of its own to the server's own database, and closes it. */
export async function asSuperuser<T>(superuserUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
