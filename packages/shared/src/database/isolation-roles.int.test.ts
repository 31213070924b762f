import { startTemporaryPostgres } from '@postrider/testkit/temporary-postgres';
import { insertApplication } from '@postrider/testkit/factories';
import { migrationsDirectory, openTestPool } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { migrateUp } from './migrate.ts';
import type { DatabasePool, OpenPool } from './pool.ts';
import { checkDatabase } from './queries/check-database.ts';
import { seeingAllTenants } from './tenant-database.ts';

// Roles belong to the whole server, so these cases need one of their own.
let stop: () => Promise<void>;
let superuserUrl: string;
let superuser: OpenPool;

beforeAll(async () => {
  const server = await startTemporaryPostgres({ fsync: 'off' });
  ({ superuserUrl } = server);
  superuser = openTestPool(superuserUrl, 1);
  stop = async () => {
    await superuser.end();
    await server.stop();
  };
});
afterAll(() => stop());

beforeEach(async () => {
  for (const text of [
    'drop database if exists single with (force)',
    'drop role if exists postrider_runtime, postrider_tenant',
    'drop role if exists single',
  ]) {
    await superuser.query({ text });
  }
});

/** A database with one role for everything, migrated. */
async function migrated(role: string): Promise<{ url: string; pool: OpenPool }> {
  const url = new URL(superuserUrl);
  url.pathname = '/single';
  if (role !== 'postgres') {
    url.username = role;
    url.password = 'single';
  }
  await superuser.query({ text: `create database single owner ${role}` });
  await migrateUp({ connectionString: url.href, directory: migrationsDirectory });
  const pool = openTestPool(url.href, 2);
  onTestFinished(() => pool.end());
  return { url: url.href, pool };
}

/** How many applications one of two tenants sees. */
async function visibleToOne(pool: OpenPool, isIsolating: boolean): Promise<number | null> {
  const mine = await insertApplication(pool);
  await insertApplication(pool);
  const tenant = seeingAllTenants(pool, isIsolating).forTenant({
    organizationId: mine.organizationId,
    applicationIds: [mine.applicationId],
  });
  return countApplications(tenant);
}

async function countApplications(db: DatabasePool): Promise<number | null> {
  return (await db.query({ text: 'select from event.application' })).rowCount;
}

test('a superuser for everything is warned of, and isolates nevertheless', async () => {
  const { pool } = await migrated('postgres');
  expect(await checkDatabase(pool)).toEqual({ excess_rights: ['superuser', 'bypassrls', 'owner of the tables'], is_isolating: true });
  expect(await visibleToOne(pool, true)).toBe(1);
  expect(await countApplications(pool)).toBe(2);
});

test('one role that may make roles makes what it needs', async () => {
  await superuser.query({ text: "create role single login createrole password 'single'" });
  const { pool } = await migrated('single');
  expect(await checkDatabase(pool)).toEqual({ excess_rights: ['owner of the tables'], is_isolating: true });
  expect(await visibleToOne(pool, true)).toBe(1);
  expect(await countApplications(pool)).toBe(2);
});

test('an owner who may make roles adds the one for tenants to those that are there', async () => {
  await superuser.query({ text: "create role single login createrole password 'single'" });
  await superuser.query({ text: 'create role postrider_runtime nologin' });
  const { url, pool } = await migrated('single');
  expect(await checkDatabase(pool)).toMatchObject({ is_isolating: true });

  await superuser.query({ text: "create role app login password 'single' in role postrider_runtime" });
  const appUrl = new URL(url);
  appUrl.username = 'app';
  const app = openTestPool(appUrl.href, 2);
  try {
    expect(await checkDatabase(app)).toEqual({ excess_rights: [], is_isolating: true });
    expect(await visibleToOne(app, true)).toBe(1);
  } finally {
    await app.end();
    await superuser.query({ text: 'drop role app' });
  }
});

test('one role that may not works all the same, until somebody makes the role for tenants', async () => {
  await superuser.query({ text: "create role single login password 'single'" });
  const { pool } = await migrated('single');
  expect(await checkDatabase(pool)).toEqual({ excess_rights: ['owner of the tables'], is_isolating: false });
  expect(await visibleToOne(pool, false)).toBe(2);

  await superuser.query({ text: 'create role postrider_tenant nologin' });
  await superuser.query({ text: 'grant postrider_tenant to single' });
  await pool.query({ text: 'select postrider.isolate_tenants()' });

  expect(await checkDatabase(pool)).toMatchObject({ is_isolating: true });
  expect(await visibleToOne(pool, true)).toBe(1);
  expect(await countApplications(pool)).toBe(4);
});

test('one role among roles of others works without them', async () => {
  await superuser.query({ text: 'create role postrider_runtime nologin' });
  await superuser.query({ text: 'create role postrider_tenant nologin' });
  await superuser.query({ text: "create role single login password 'single'" });
  const { pool } = await migrated('single');
  expect(await checkDatabase(pool)).toMatchObject({ is_isolating: false });
  expect(await visibleToOne(pool, false)).toBe(2);
});
