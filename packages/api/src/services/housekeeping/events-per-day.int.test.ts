import { ensurePartitions } from '@postrider/shared/database/queries/ensure-partitions';
import { findUtcDay } from '@postrider/shared/database/queries/find-utc-day';
import { listEventsPerDay } from '@postrider/shared/database/queries/list-events-per-day';
import { listOrganizations } from '@postrider/shared/database/queries/list-organizations';
import { loadApplicationUsage } from '@postrider/shared/database/queries/load-application-usage';
import { refreshEventsPerDay } from '@postrider/shared/database/queries/refresh-events-per-day';
import { insertApplication } from '@postrider/testkit/factories';
import { type History, insertHistory } from '@postrider/testkit/history';
import { countRowsRead } from '@postrider/testkit/list-plans';
import { createTestDatabase, openTestPool, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';

let database: TestDatabase;
let history: History;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  history = await insertHistory(database.admin, { events: 4000, days: 4, payloadBytes: 10 });
});
afterEach(() => database.drop());

/** Counts of the last days, oldest first; those of today last. */
async function counts(): Promise<number[]> {
  const rows = await listEventsPerDay(database.db, {
    applicationId: history.application.applicationId,
    organizationId: null,
    from: '2000-01-01',
    to: await findUtcDay(database.db),
  });
  expect(rows.map((row) => row.is_provisional)).toEqual(rows.map((_, index) => index === rows.length - 1));
  return rows.map((row) => row.amount);
}

async function insertEvent(receivedAt = 'statement_timestamp()'): Promise<void> {
  await database.admin.query({
    text: `insert into event.event (application_id, event_id, received_at, occurred_at, event_type_name, payload, payload_content_type, labels, metadata)
           values ($1, gen_random_uuid(), ${receivedAt}, now(), 'a.b.c', '', 'text/plain', '{}', '{}')`,
    values: [history.application.applicationId],
  });
}

test('counts are right before the first refresh, after it, and for what came since', async () => {
  expect(await counts()).toEqual([1000, 1000, 1000, 1000]);
  expect(await refreshEventsPerDay(database.db, 0)).toBe(true);
  expect(await counts()).toEqual([1000, 1000, 1000, 1000]);
  await insertEvent();
  expect(await counts()).toEqual([1000, 1000, 1000, 1001]);
  await refreshEventsPerDay(database.db, 0);
  expect(await counts()).toEqual([1000, 1000, 1000, 1001]);
  const { applicationId, organizationId } = history.application;
  expect(await loadApplicationUsage(database.db, applicationId)).toMatchObject({ events_today: 1001 });
  expect(await listOrganizations(database.db, organizationId)).toMatchObject([{ events_today: 1001 }]);
});

test('an ingest that commits after a refresh with an earlier time is counted', async () => {
  await refreshEventsPerDay(database.db, 0);
  await insertEvent("statement_timestamp() - interval '50 seconds'");
  expect((await counts()).reduce((sum, amount) => sum + amount, 0)).toBe(4001);
});

test('days that are over outlive their partitions', async () => {
  await refreshEventsPerDay(database.db, 0);
  const { rows } = await database.admin.query<{ name: string }>({
    text: `select format('event.event_%s', to_char((statement_timestamp() at time zone 'UTC')::date - 3, 'YYYYMMDD')) as name`,
  });
  await database.admin.query({ text: `drop table ${rows[0]?.name}` });
  await refreshEventsPerDay(database.db, 0);
  expect(await counts()).toEqual([1000, 1000, 1000, 1000]);
});

test('one instance refreshes at a time, and none soon after another', async () => {
  await database.db.transaction(async (transaction) => {
    expect(await refreshEventsPerDay(transaction, 0)).toBe(true);
    expect(await refreshEventsPerDay(database.db, 0)).toBe(false);
  });
  expect(await refreshEventsPerDay(database.db, 60_000)).toBe(false);
  expect(await refreshEventsPerDay(database.db, 0)).toBe(true);
});

test('answers read no more than what came since the refresh', async () => {
  await refreshEventsPerDay(database.db, 0);
  await ensurePartitions(database.db);
  const db = openTestPool(database.runtimeUrl, 1);
  const since = await database.admin.query<{ count: number }>({
    text: 'select count(*)::integer as count from event.event where received_at >= (select counted_until from event.events_per_day_progress)',
  });
  const read = await countRowsRead(db, () => loadApplicationUsage(db, history.application.applicationId));
  await db.end();
  expect(read.byIndexes + read.bySequentialScans).toBeLessThan(50 + 3 * (since.rows[0]?.count ?? 0));
});

test('the counts themselves are not granted, only those of applications that one may see', async () => {
  for (const relation of ['recent_events_per_day', 'snapshotted_events_per_day']) {
    await expect(database.db.query({ text: `select from event.${relation}` })).rejects.toThrow(/permission denied/);
  }
  const stranger = await insertApplication(database.admin);
  const days = { from: '2000-01-01', to: await findUtcDay(database.db) };
  expect(await listEventsPerDay(database.db, { applicationId: stranger.applicationId, organizationId: null, ...days })).toEqual([]);
  expect(
    await listEventsPerDay(database.db, { applicationId: null, organizationId: history.application.organizationId, ...days }),
  ).toHaveLength(4);
});
