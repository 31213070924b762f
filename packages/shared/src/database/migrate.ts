import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';

/** One file of the migrations directory. */
interface MigrationFile {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** A migration and whether the database has it. */
export interface MigrationStatus {
  readonly name: string;
  readonly appliedAt: Date | null;
}

export interface MigrateOptions {
  /** The owner's connection; direct, not through a transaction pooler, since it holds a session lock. */
  readonly connectionString: string;
  readonly directory: string;
  /** Told the name of each migration as it is applied. */
  readonly onApplied?: (name: string) => void;
}

/** The files and the database disagree: a released file was edited, or the database is ahead of this version. */
export class MigrationMismatchError extends Error {
  override readonly name = 'MigrationMismatchError';
}

const migrationFileName = /^\d{4}_[a-z0-9_]+\.sql$/;

/** Any number that is ours: session-level, so that migrations of one database run one process at a time. */
const advisoryLock = { space: 0x706f7374, key: 1 };

/**
 * Applies the migrations that the database lacks, in order, each in its own transaction. Safe to call from any number of processes
 * at once; the others wait. A migration that fails leaves nothing behind and can be run again.
 */
export async function migrateUp(options: MigrateOptions): Promise<{ applied: string[] }> {
  const files = await readMigrations(options.directory);
  return withClient(options.connectionString, async (client) => {
    await client.query('select pg_advisory_lock($1, $2)', [advisoryLock.space, advisoryLock.key]);
    await client.query(`
      create schema if not exists postrider;
      create table if not exists postrider.schema_migration (
        name text primary key,
        checksum text not null,
        applied_at timestamptz not null default statement_timestamp()
      );`);
    const known = await readApplied(client);
    checkAgainst(files, known);
    const applied: string[] = [];
    for (const file of files.filter(({ name }) => !known.has(name))) {
      await applyMigration(client, file);
      options.onApplied?.(file.name);
      applied.push(file.name);
    }
    return { applied };
  });
}

/** Which migrations the database has; changes nothing. */
export async function migrationStatus(options: Pick<MigrateOptions, 'connectionString' | 'directory'>): Promise<MigrationStatus[]> {
  const files = await readMigrations(options.directory);
  return withClient(options.connectionString, async (client) => {
    const { rows } = await client.query<{ exists: boolean }>("select to_regclass('postrider.schema_migration') is not null as exists");
    const known = rows[0]?.exists ? await readApplied(client) : new Map<string, AppliedMigration>();
    checkAgainst(files, known);
    return files.map(({ name }) => ({ name, appliedAt: known.get(name)?.appliedAt ?? null }));
  });
}

interface AppliedMigration {
  readonly checksum: string;
  readonly appliedAt: Date;
}

async function readMigrations(directory: string): Promise<MigrationFile[]> {
  const names = (await readdir(directory)).filter((name) => migrationFileName.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(directory, name), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function readApplied(client: Client): Promise<Map<string, AppliedMigration>> {
  const { rows } = await client.query<{ name: string; checksum: string; applied_at: Date }>(
    'select name, checksum, applied_at from postrider.schema_migration order by name',
  );
  return new Map(rows.map((row) => [row.name, { checksum: row.checksum, appliedAt: row.applied_at }]));
}

/** A database that is ahead is fine as long as what both know is the same: the previous version runs beside the next one. */
function checkAgainst(files: readonly MigrationFile[], known: ReadonlyMap<string, AppliedMigration>): void {
  for (const file of files) {
    const applied = known.get(file.name);
    if (applied && applied.checksum !== file.checksum) {
      throw new MigrationMismatchError(`The migration ${file.name} differs from the one that this database was migrated with.`);
    }
  }
  const lastKnown = [...known.keys()].at(-1);
  const missing = files.find(({ name }) => !known.has(name));
  if (lastKnown !== undefined && missing && missing.name < lastKnown) {
    throw new MigrationMismatchError(`The migration ${missing.name} is missing although the later ${lastKnown} is applied.`);
  }
}

async function applyMigration(client: Client, file: MigrationFile): Promise<void> {
  await client.query('begin');
  try {
    await client.query("set local lock_timeout = '5s'");
    await client.query(file.sql);
    await client.query('insert into postrider.schema_migration (name, checksum) values ($1, $2)', [file.name, file.checksum]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new Error(`The migration ${file.name} failed and changed nothing.`, { cause: error });
  }
}

async function withClient<T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString, application_name: 'postrider migrate' });
  // A connection that breaks while idle is reported by the next query; unhandled, the event would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
