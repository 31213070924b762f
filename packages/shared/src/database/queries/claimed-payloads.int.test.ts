import { randomUUID } from 'node:crypto';
import { insertApplication, insertBacklog, insertSubscription, type TestApplication } from '@postrider/testkit/factories';
import { createTestDatabase, openTestPool, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Database, onlyRow } from '../pool.ts';
import { claimRequestAttempts, type PayloadsWanted } from './claim-request-attempts.ts';
import { ingestEvents } from './ingest-events.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

const dayMs = 86_400_000;

/** Attempts that are due, oldest due first, with the ids of their events and the moment at which all of these were received. */
async function givenBacklog(count: number, { admin } = database) {
  const application = await insertApplication(admin);
  const subscription = await insertSubscription(admin, application);
  await admin.query({ text: 'delete from webhook.open_attempt' });
  await insertBacklog(admin, application, subscription, { count });
  const { rows } = await admin.query<{ event_id: string; received_at: Date }>({
    text: 'select event_id, event_received_at as received_at from webhook.open_attempt order by due_at',
  });
  return { eventIds: rows.map(({ event_id }) => event_id), receivedOnDayOf: rows[0]?.received_at.getTime() ?? 0 };
}

function store(eventId: string | undefined, payload: Buffer, contentType: string) {
  return database.admin.query({
    text: `with changed as (update event.event set payload = $2, payload_content_type = $3 where event_id = $1)
           update webhook.open_attempt set payload_bytes = length($2) where event_id = $1`,
    values: [eventId, payload, contentType],
  });
}

/** The payloads that come with a claim, by the ids of their events. */
async function claimPayloads(db: Database, payloads?: PayloadsWanted, limit = 10) {
  const base = { poolId: 0, lane: 0, leaseId: randomUUID(), leaseMs: 0, workerProcessId: 1, dueFromMicros: 0 };
  const { attempts } = await claimRequestAttempts(db, { ...base, limit, ...(payloads && { payloads }) });
  return new Map(attempts.map(({ eventId, event }) => [eventId, event]));
}

test('payloads of the day come with a claim as they are, unless they are too large or gone', async () => {
  const { eventIds, receivedOnDayOf } = await givenBacklog(5);
  const [text, bytes, large, gone] = eventIds;
  await store(text, Buffer.from('{"ä":"€\\u0000"}'), 'application/json');
  await store(bytes, Buffer.from([0, 255, 128]), 'application/octet-stream');
  await store(large, Buffer.alloc(101, 'x'), 'text/plain');
  await database.admin.query({ text: 'delete from event.event where event_id = $1', values: [gone] });

  const payloads = await claimPayloads(database.db, { receivedOnDayOf, bytesMax: 100 }, 4);

  expect(payloads.size).toBe(4);
  expect(payloads.get(text ?? '')).toEqual({ payload: Buffer.from('{"ä":"€\\u0000"}'), payloadContentType: 'application/json' });
  expect(payloads.get(bytes ?? '')).toEqual({ payload: Buffer.from([0, 255, 128]), payloadContentType: 'application/octet-stream' });
  expect([payloads.get(large ?? ''), payloads.get(gone ?? '')]).toEqual([null, null]);
});

test('no payload comes that was not asked for, or that was received on another day', async () => {
  const { eventIds, receivedOnDayOf } = await givenBacklog(3);
  const claims = [
    await claimPayloads(database.db),
    await claimPayloads(database.db, { receivedOnDayOf: receivedOnDayOf - dayMs, bytesMax: 2000 }),
    await claimPayloads(database.db, { receivedOnDayOf: receivedOnDayOf + dayMs, bytesMax: 2000 }),
    await claimPayloads(database.db, { receivedOnDayOf: receivedOnDayOf + 400 * dayMs, bytesMax: 2000 }),
  ];

  for (const claimed of claims) {
    expect([...claimed.values()]).toEqual(eventIds.map(() => null));
  }
});

test('a payload that is not the JSON it claims to be keeps no attempt from being claimed', async () => {
  const { eventIds, receivedOnDayOf } = await givenBacklog(3);
  await store(eventIds[1], Buffer.from([0, 255]), 'application/json');

  const payloads = await claimPayloads(database.db, { receivedOnDayOf, bytesMax: 2000 });

  expect([...payloads.values()]).toEqual([null, null, null]);
});

test('the attempts of an event share its payload, which travels once', async () => {
  await givenBacklog(0);
  const [application, other] = [await insertApplication(database.admin), await insertApplication(database.admin)];
  for (const owner of [application, application, application, other]) {
    await insertSubscription(database.admin, owner);
  }
  const eventIds = Array.from({ length: 20 }, () => randomUUID());
  const eventsOf = ({ applicationId, eventTypeName }: TestApplication) =>
    eventIds.map((eventId) => ({
      ...{
        applicationId,
        eventId,
        eventTypeName,
        payload: Buffer.from(`"${applicationId} ${eventId}"`),
        payloadContentType: 'application/json',
      },
      ...{
        occurredAt: new Date(),
        labels: { all: 'yes' },
        metadata: {},
        ip: null,
        applicationSecretId: null,
        contentHash: Buffer.alloc(32),
      },
    }));
  // Two applications have events of the same ids.
  const { receivedAt } = await ingestEvents(database.db, [...eventsOf(application), ...eventsOf(other)]);

  const base = { poolId: 0, lane: 0, leaseId: randomUUID(), leaseMs: 0, limit: 100, workerProcessId: 1, dueFromMicros: 0 };
  const { attempts } = await claimRequestAttempts(database.db, {
    ...base,
    payloads: { receivedOnDayOf: receivedAt.getTime(), bytesMax: 200 },
  });

  expect(attempts.map(({ event }) => event?.payload.toString())).toEqual(
    attempts.map(({ applicationId, eventId }) => `"${applicationId} ${eventId}"`),
  );
  expect(attempts).toHaveLength(80);
  expect(new Set(attempts.map(({ event }) => event)).size).toBe(40);
});

test('a claim locks the partition of its day alone, by a plan that is kept', async () => {
  const { receivedOnDayOf } = await givenBacklog(3);
  const db = openTestPool(database.runtimeUrl, 1);

  // PostgreSQL plans the first five for their values.
  for (let round = 0; round < 6; round += 1) {
    const payloads = await claimPayloads(db, { receivedOnDayOf, bytesMax: 2000 });
    expect([...payloads.values()].map((event) => event?.payload.length)).toEqual([1024, 1024, 1024]);
  }
  const { rows } = await db.transaction(async (transaction) => {
    await claimPayloads(transaction, { receivedOnDayOf, bytesMax: 2000 });
    return transaction.query<{ name: string }>({
      text: `select c.relname as name from pg_locks l join pg_class c on c.oid = l.relation
             where l.pid = pg_backend_pid() and c.relispartition and c.relkind = 'r'`,
    });
  });
  const plans = await db.query<{ generic: number }>({
    text: `select generic_plans::integer as generic from pg_prepared_statements where name like 'claim%'`,
  });
  await db.end();

  const day = new Date(receivedOnDayOf).toISOString().slice(0, 10).replaceAll('-', '');
  expect(rows).toEqual([{ name: `event_${day}` }]);
  expect(plans.rows).toEqual([{ generic: 2 }]);
});

/** How often the partitions of events were read from end to end, and by index. */
async function readScans({ admin }: TestDatabase): Promise<{ sequential: number; index: number }> {
  const result = await admin.query<{ sequential: number; index: number }>({
    text: `select sum(seq_scan)::integer as sequential, sum(idx_scan)::integer as index
           from pg_stat_user_tables where schemaname = 'event' and relname like 'event_2%'`,
  });
  return onlyRow(result);
}

test('a plan that is made while a partition is nearly empty, and kept, looks payloads up by index', async () => {
  const fresh = await createTestDatabase(inject('superuserUrl'));
  // As a nightly job does before the day begins.
  await fresh.admin.query({ text: 'vacuum analyze event.event' });
  const { receivedOnDayOf } = await givenBacklog(3, fresh);
  await fresh.admin.query({ text: 'vacuum analyze event.event' });
  const db = openTestPool(fresh.runtimeUrl, 1);
  const before = await readScans(fresh);
  for (let round = 0; round < 7; round += 1) {
    await claimPayloads(db, { receivedOnDayOf, bytesMax: 2000 });
  }
  await db.query({ text: 'select pg_stat_force_next_flush()' });
  await db.end();
  const after = await readScans(fresh);
  await fresh.drop();

  expect(after.sequential).toBe(before.sequential);
  expect(after.index - before.index).toBeGreaterThanOrEqual(7 * 3);
});
