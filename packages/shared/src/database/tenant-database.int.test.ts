import { randomUUID } from 'node:crypto';
import { insertApplication, insertBacklog, insertSubscription, insertTenancy, type TestApplication } from '@postrider/testkit/factories';
import { createTestDatabase, openTestPool, type TestDatabase } from '@postrider/testkit/test-database';
import { escapeIdentifier } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Database, DatabasePool, OpenPool } from './pool.ts';
import { seeingAllTenants } from './tenant-database.ts';

/** What belongs to the installation, not to a tenant: no column of these may say whose a row is. */
const sharedTables = [
  'event.daily_quota',
  'event.events_per_day_progress',
  'iam.rate_limit_bucket',
  'postrider.isolated_table',
  'postrider.schema_migration',
  'webhook.worker',
  'webhook.worker_pool',
  'webhook.worker_process',
];

interface TableRow {
  readonly name: string;
  readonly is_isolated: boolean;
  readonly columns: string[];
}

const tablesSql = `
select n.nspname || '.' || c.relname as name, c.relrowsecurity and c.relforcerowsecurity as is_isolated,
       array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_' and c.relkind in ('r', 'p') and not c.relispartition
order by name
`;

/** An application with a row in every table. */
interface Owner extends TestApplication {
  readonly subscriptionId: string;
}

let database: TestDatabase;
let tables: TableRow[];
let mine: Owner;
let sibling: Owner;
let foreign: Owner;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  ({ rows: tables } = await database.admin.query<TableRow>({ text: tablesSql }));
  mine = await insertOwner(null);
  sibling = await insertOwner(mine.organizationId);
  foreign = await insertOwner(null);
});
afterAll(() => database.drop());

async function insertOwner(organizationId: string | null): Promise<Owner> {
  const application = await insertApplication(database.admin, organizationId);
  const subscription = await insertSubscription(database.admin, application);
  await insertBacklog(database.admin, application, subscription, { count: 3 });
  await insertTenancy(database.admin, application, subscription.subscriptionId);
  return { ...application, subscriptionId: subscription.subscriptionId };
}

/** The tables of tenants, each with the column that says whose a row is and what that is for each owner. */
function tenantTables(): {
  readonly name: string;
  readonly column: string;
  readonly idOf: (owner: Owner) => string;
  readonly list: string;
}[] {
  return tables
    .filter(({ name }) => !sharedTables.includes(name))
    .map(({ name, columns }) => {
      const list = columns.map((column) => escapeIdentifier(column)).join(', ');
      // The audit log is an organization's as a whole, whatever application an entry is about.
      if (columns.includes('application_id') && name !== 'iam.audit_log') {
        return { name, column: 'application_id', idOf: (owner) => owner.applicationId, list };
      }
      return columns.includes('organization_id')
        ? { name, column: 'organization_id', idOf: (owner) => owner.organizationId, list }
        : { name, column: 'subscription_id', idOf: (owner) => owner.subscriptionId, list };
    });
}

/** Counts of days are granted to nobody and read through a view. */
function readableAs(table: string): string {
  return table === 'event.snapshotted_events_per_day' ? 'event.events_per_day' : table;
}

/** Past the view, by the function that it asks. */
async function countedDays(db: Database, { applicationId }: Owner): Promise<number> {
  const { rowCount } = await db.query({ text: 'select from event.counted_events_per_day($1)', values: [applicationId] });
  return rowCount ?? 0;
}

async function distinct(db: Database, table: string, column: string): Promise<unknown[]> {
  const { rows } = await db.query<{ value: unknown }>({ text: `select distinct ${column} as value from ${table} order by 1` });
  return rows.map(({ value }) => value);
}

/** By a policy or by a missing privilege. */
function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '42501';
}

test('every table is isolated, or says nothing of tenants', () => {
  expect(tables.filter(({ is_isolated }) => !is_isolated).map(({ name }) => name)).toEqual(sharedTables);
  for (const { name, columns } of tables.filter((table) => sharedTables.includes(table.name))) {
    expect([name, columns.filter((column) => column === 'application_id' || column === 'organization_id')]).toEqual([name, []]);
  }
});

test('neither partitions nor materialized views can be read past the policies of their table', async () => {
  const { rows } = await database.admin.query<{ name: string }>({
    text: `select c.oid::regclass::text as name from pg_class c
           where (c.relispartition or c.relkind = 'm') and c.relkind in ('r', 'p', 'm')
             and (has_table_privilege('postrider_tenant', c.oid, 'select') or has_table_privilege('postrider_runtime', c.oid, 'select'))`,
  });
  expect(rows).toEqual([]);
  const { rows: views } = await database.admin.query<{ name: string }>({
    text: `select c.oid::regclass::text as name from pg_class c
           where c.relkind = 'v' and has_table_privilege('postrider_tenant', c.oid, 'select')
             and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
             and not coalesce('security_invoker=true' = any (c.reloptions), false)`,
  });
  expect(views).toEqual([]);
});

describe.each([
  ['the runtime role', () => database.runtimeUrl],
  ['the owner', () => database.ownerUrl],
  ['a superuser', () => database.superuserUrl],
])('a tenant, connected as %s', (_, url) => {
  let pool: OpenPool;
  let tenant: DatabasePool;

  beforeAll(() => {
    pool = openTestPool(url(), 2);
    tenant = seeingAllTenants(pool, true).forTenant({ organizationId: mine.organizationId, applicationIds: [mine.applicationId] });
  });
  afterAll(() => pool.end());

  test('finds its rows and no others where no clause asks for them', async () => {
    for (const { name, column, idOf } of tenantTables()) {
      const all = await distinct(database.admin, name, column);
      expect([name, all]).toEqual([name, [...new Set([mine, sibling, foreign].map(idOf))].toSorted()]);
      // An application is not its organization: the organization's tokens are none of its business.
      const expected = name === 'iam.service_token' ? [] : [idOf(mine)];
      expect([name, await distinct(tenant, readableAs(name), column)]).toEqual([name, expected]);
    }
    expect(await distinct(tenant, 'webhook.request_attempt', 'application_id')).toEqual([mine.applicationId]);
    expect([await countedDays(tenant, mine), await countedDays(tenant, sibling), await countedDays(tenant, foreign)]).toEqual([1, 0, 0]);
  });

  test('changes and deletes no rows of others', async () => {
    for (const { name, column, idOf } of tenantTables()) {
      const values = [[sibling, foreign].map(idOf).filter((id) => id !== idOf(mine))];
      for (const text of [
        `update ${name} set ${column} = ${column} where ${column} = any ($1::uuid[])`,
        `delete from ${name} where ${column} = any ($1::uuid[])`,
      ]) {
        const outcome: unknown = await tenant.query({ text, values }).then(
          ({ rowCount }) => rowCount,
          (error: unknown) => isRefused(error) || error,
        );
        expect([text, outcome === 0 || outcome === true ? 'nothing done' : outcome]).toEqual([text, 'nothing done']);
      }
    }
  });

  test('writes no rows for others', async () => {
    for (const { name, column, idOf, list } of tenantTables()) {
      const { rows } = await database.admin.query<{ row: unknown }>({
        text: `select to_jsonb(t) as row from ${name} t where ${column} = $1 limit 1`,
        values: [idOf(foreign)],
      });
      const writable = name === 'event.event_type' ? list.replace('"event_type_name", ', '') : list;
      const outcome = await tenant
        .query({
          text: `insert into ${name} (${writable}) select ${writable} from jsonb_populate_record(null::${name}, $1)`,
          values: [rows[0]?.row],
        })
        .then(
          () => 'written',
          (error: unknown) => (isRefused(error) ? 'refused' : error),
        );
      expect([name, outcome]).toEqual([name, 'refused']);
    }
  });
});

test('an organization as a whole sees all its applications, also those of the same transaction, and its tokens', async () => {
  const whole = database.db.forTenant({ organizationId: mine.organizationId, applicationIds: 'all' });
  expect(await distinct(whole, 'event.event', 'application_id')).toEqual([mine.applicationId, sibling.applicationId].toSorted());
  expect(await distinct(whole, 'iam.service_token', 'organization_id')).toEqual([mine.organizationId]);
  const applicationId = randomUUID();
  await whole.transaction(async (transaction) => {
    await transaction.query({
      text: "insert into event.application (application_id, organization_id, name) values ($1, $2, 'new')",
      values: [applicationId, mine.organizationId],
    });
    await transaction.query({
      text: "insert into event.event_type (application_id, service, resource_type, verb) values ($1, 'a', 'b', 'c')",
      values: [applicationId],
    });
  });
  expect(await distinct(whole, 'event.event_type', 'application_id')).toContain(applicationId);
});

test('who names no tenant as a tenant sees nothing, and the next user of a connection is nobody’s tenant', async () => {
  const nobody = database.db.forTenant({ organizationId: null, applicationIds: [] });
  for (const { name, column } of tenantTables()) {
    expect([name, await distinct(nobody, readableAs(name), column)]).toEqual([name, []]);
  }
  const { rows } = await database.db.query<{ role: string; setting: string | null }>({
    text: "select current_user::text as role, current_setting('postrider.application_ids', true) as setting",
  });
  expect(rows).toEqual([{ role: 'postrider_app', setting: '' }]);
});

test('the name of a tenant cannot smuggle anything in', () => {
  expect(() => database.db.forTenant({ organizationId: "x', true); reset role; --", applicationIds: [] })).toThrow(TypeError);
  expect(() => database.db.forTenant({ organizationId: null, applicationIds: ['*'] })).toThrow(TypeError);
});
