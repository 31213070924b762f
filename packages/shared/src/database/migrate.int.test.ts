import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provisionDatabase } from '@postrider/testkit/provision-database';
import { migrationsDirectory, openTestPool } from '@postrider/testkit/test-database';
import { beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { MigrationMismatchError, migrateUp, migrationStatus } from './migrate.ts';

let connectionString: string;
let directory: string;

beforeEach(async () => {
  const superuserUrl = inject('superuserUrl');
  const database = `migrate_${randomUUID().replaceAll('-', '')}`;
  ({ ownerUrl: connectionString } = await provisionDatabase({ superuserUrl, database, password: 'postrider' }));
  directory = mkdtempSync(join(tmpdir(), 'postrider-migrations-'));
  cpSync(migrationsDirectory, directory, { recursive: true });
  onTestFinished(async () => {
    rmSync(directory, { recursive: true });
    const admin = openTestPool(superuserUrl, 1);
    await admin.query({ text: `drop database ${database} with (force)` });
    await admin.end();
  });
});

async function tableExists(table: string): Promise<boolean> {
  const db = openTestPool(connectionString, 1);
  const { rows } = await db.query<{ exists: boolean }>({ text: 'select to_regclass($1) is not null as exists', values: [table] });
  await db.end();
  return rows[0]?.exists ?? false;
}

test('applies what is missing, once, however many processes start at once', async () => {
  expect((await migrationStatus({ connectionString, directory })).every(({ appliedAt }) => appliedAt === null)).toBe(true);

  const results = await Promise.all(Array.from({ length: 4 }, () => migrateUp({ connectionString, directory })));

  const status = await migrationStatus({ connectionString, directory });
  expect(status.every(({ appliedAt }) => appliedAt !== null)).toBe(true);
  expect(results.flatMap(({ applied }) => applied)).toEqual(status.map(({ name }) => name));
});

test('the next migration is added to what is there', async () => {
  await migrateUp({ connectionString, directory });
  writeFileSync(join(directory, '0900_more.sql'), 'create table webhook.more (id integer primary key);');
  expect(await migrateUp({ connectionString, directory })).toEqual({ applied: ['0900_more.sql'] });
  expect(await tableExists('webhook.more')).toBe(true);
});

test('a migration that fails leaves nothing behind and can be run again', async () => {
  await migrateUp({ connectionString, directory });
  const file = join(directory, '0900_more.sql');
  writeFileSync(file, 'create table webhook.more (id integer primary key); select 1 / 0;');
  await expect(migrateUp({ connectionString, directory })).rejects.toThrow('0900_more.sql failed and changed nothing');
  expect(await tableExists('webhook.more')).toBe(false);
  writeFileSync(file, 'create table webhook.more (id integer primary key);');
  expect(await migrateUp({ connectionString, directory })).toEqual({ applied: ['0900_more.sql'] });
});

test('refuses a released migration that was edited', async () => {
  await migrateUp({ connectionString, directory });
  writeFileSync(join(directory, '0002_tenancy.sql'), 'select 1;');
  await expect(migrateUp({ connectionString, directory })).rejects.toThrow(MigrationMismatchError);
  await expect(migrationStatus({ connectionString, directory })).rejects.toThrow('0002_tenancy.sql differs');
});

test('a database that is ahead keeps working with the version before', async () => {
  writeFileSync(join(directory, '0900_more.sql'), 'create table webhook.more (id integer primary key);');
  await migrateUp({ connectionString, directory });
  rmSync(join(directory, '0900_more.sql'));
  expect(await migrateUp({ connectionString, directory })).toEqual({ applied: [] });
});

test('the runtime role can read and write rows, and neither drop nor alter', async () => {
  await migrateUp({ connectionString, directory });
  const url = new URL(connectionString);
  url.username = 'postrider_app';
  const db = openTestPool(url.href, 1);
  onTestFinished(() => db.end());
  await db.query({ text: "insert into iam.organization (organization_id, name) values (gen_random_uuid(), 'Acme')" });
  for (const text of [
    'drop table webhook.open_attempt',
    'alter table iam.organization add column x text',
    'delete from event.event',
    'update webhook.finished_attempt set reason = null',
    'create table event.mine (id integer)',
  ]) {
    await expect(db.query({ text })).rejects.toThrow(/must be owner|permission denied/);
  }
});
