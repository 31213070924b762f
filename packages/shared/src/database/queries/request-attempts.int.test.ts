import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { insertApplication, insertBacklog, insertSubscription } from '@postrider/testkit/factories';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ClaimedAttempt } from '../claimed-attempt-row.ts';
import { claimRequestAttempts } from './claim-request-attempts.ts';
import { loadEvents } from './load-events.ts';
import { moveOpenAttempts } from './move-open-attempts.ts';
import { pauseSubscription } from './pause-subscription.ts';
import { loadSubscriptions } from './load-subscriptions.ts';
import { type OutcomeToRecord, recordOutcomes } from './record-outcomes.ts';
import { releaseRequestAttempts } from './release-request-attempts.ts';
import { renewLeases } from './renew-leases.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

async function givenBacklog(count: number) {
  const application = await insertApplication(database.admin);
  const subscription = await insertSubscription(database.admin, application);
  await database.admin.query({ text: 'delete from webhook.open_attempt' });
  await insertBacklog(database.admin, application, subscription, { count });
  return { application, subscription };
}

function claim(options: { leaseMs?: number; limit?: number; dueFromMicros?: number } = {}) {
  const leaseId = randomUUID();
  return claimRequestAttempts(database.db, {
    poolId: 0,
    lane: 0,
    leaseId,
    leaseMs: 30_000,
    limit: 10,
    workerProcessId: 1,
    dueFromMicros: 0,
    ...options,
  }).then((batch) => ({ ...batch, attempts: batch.attempts.map((attempt) => ({ ...attempt, leaseId })) }));
}

function outcomeOf(attempt: ClaimedAttempt & { leaseId: string }, changes: Partial<OutcomeToRecord> = {}): OutcomeToRecord {
  return {
    applicationId: attempt.applicationId,
    requestAttemptId: attempt.requestAttemptId,
    leaseId: attempt.leaseId,
    succeeded: true,
    elapsedMs: 12,
    errorName: null,
    httpCode: 200,
    responseHeaders: { 'content-type': 'text/plain' },
    responseBody: Buffer.from('thanks'),
    responseBodyTruncated: false,
    retryDelayMs: null,
    retryCount: null,
    reason: null,
    ...changes,
  };
}

test('a connection that is killed inside a transaction fails that transaction and nothing else', async () => {
  const failed = database.db.transaction(async (transaction) => {
    const { rows } = await transaction.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' });
    await database.admin.query({ text: 'select pg_terminate_backend($1)', values: [rows[0]?.pid] });
    await transaction.query({ text: 'select 1' });
  });
  await expect(failed).rejects.toThrow(/connection/i);
  expect((await database.db.query({ text: 'select 1 as one' })).rows).toEqual([{ one: 1 }]);
});

test('claims the attempts that have waited longest, no more than asked for', async () => {
  await givenBacklog(25);

  const first = await claim({ limit: 10 });
  const second = await claim({ limit: 10 });
  const third = await claim({ limit: 10 });

  expect([first, second, third].map(({ attempts }) => attempts.length)).toEqual([10, 10, 5]);
  const ids = [first, second, third].flatMap(({ attempts }) => attempts.map(({ requestAttemptId }) => requestAttemptId));
  expect(new Set(ids).size).toBe(25);
  expect(second.dueUntilMicros).toBeGreaterThan(first.dueUntilMicros ?? 0);
});

test('a claim that found all that was due says when the next attempt will be', async () => {
  const { application, subscription } = await givenBacklog(3);
  await insertBacklog(database.admin, application, subscription, { count: 2, dueInMs: 60_000 });

  expect(await claim({ limit: 2 })).toMatchObject({ seen: 2, nextDueMs: null });
  const { seen, nextDueMs } = await claim({ limit: 2 });
  expect(seen).toBe(1);
  expect(nextDueMs).toBeGreaterThan(30_000);
  expect(nextDueMs).toBeLessThanOrEqual(60_000);
  await database.admin.query({ text: 'delete from webhook.open_attempt' });
  expect(await claim()).toMatchObject({ attempts: [], seen: 0, dueUntilMicros: null, nextDueMs: null });
});

test('gives an expired lease to the next claim and counts it', async () => {
  await givenBacklog(1);
  const [lost] = (await claim({ leaseMs: 0 })).attempts;

  const [taken] = (await claim()).attempts;

  expect(taken).toMatchObject({ requestAttemptId: lost?.requestAttemptId, claimCount: 2 });
});

test('records under the lease and moves the attempt into the log', async () => {
  await givenBacklog(1);
  const [attempt] = (await claim()).attempts;
  if (!attempt) throw new Error('nothing claimed');

  const stolen = await recordOutcomes(database.db, [outcomeOf({ ...attempt, leaseId: randomUUID() })]);
  const recorded = await recordOutcomes(database.db, [outcomeOf(attempt)]);
  const repeated = await recordOutcomes(database.db, [outcomeOf(attempt)]);

  expect([stolen.size, recorded.size, repeated.size]).toEqual([0, 1, 0]);
  const { rows } = await database.db.query({
    text: 'select status, http_response_status, response_id, retry_count from webhook.request_attempt where application_id = $1',
    values: [attempt.applicationId],
  });
  expect(rows).toEqual([{ status: 'successful', http_response_status: 200, response_id: attempt.requestAttemptId, retry_count: 0 }]);
});

test('records one of two outcomes of an attempt that was claimed again, and what is lost in a group beside it', async () => {
  await givenBacklog(2);
  const [, other] = (await claim({ leaseMs: 0 })).attempts;
  const [late] = (await claim({ leaseMs: 0, limit: 1 })).attempts;
  const [attempt] = (await claim({ limit: 1 })).attempts;
  if (!late || !attempt || !other) throw new Error('nothing claimed');

  const recorded = await recordOutcomes(database.db, [
    outcomeOf(late, { httpCode: 201 }),
    outcomeOf(attempt),
    outcomeOf({ ...other, leaseId: randomUUID() }),
  ]);

  expect([...recorded]).toEqual([attempt.requestAttemptId]);
  const { rows } = await database.db.query({
    text: 'select http_code from webhook.finished_attempt where application_id = $1',
    values: [attempt.applicationId],
  });
  expect(rows).toEqual([{ http_code: 200 }]);
});

test('inserts the retry of a failure with its delay', async () => {
  await givenBacklog(1);
  const [attempt] = (await claim()).attempts;
  if (!attempt) throw new Error('nothing claimed');

  await recordOutcomes(database.db, [
    outcomeOf(attempt, { succeeded: false, httpCode: 500, errorName: 'E_HTTP', retryDelayMs: 60_000, retryCount: 1 }),
  ]);

  const { rows } = await database.db.query({
    text: 'select status, retry_count, error_name, delay_until > created_at as is_delayed from webhook.request_attempt where application_id = $1 order by retry_count',
    values: [attempt.applicationId],
  });
  expect(rows).toEqual([
    { status: 'failed', retry_count: 0, error_name: 'E_HTTP', is_delayed: null },
    { status: 'waiting', retry_count: 1, error_name: null, is_delayed: true },
  ]);
});

test('makes no retry for a subscription that was disabled meanwhile, and says so', async () => {
  const { subscription } = await givenBacklog(1);
  const [attempt] = (await claim()).attempts;
  if (!attempt) throw new Error('nothing claimed');
  await database.db.query({
    text: "update webhook.subscription set disabled_at = now(), disabled_reason = 'by_request' where subscription_id = $1",
    values: [subscription.subscriptionId],
  });

  await recordOutcomes(database.db, [outcomeOf(attempt, { succeeded: false, httpCode: 500, retryDelayMs: 1000, retryCount: 1 })]);

  const { rows } = await database.db.query({
    text: 'select status, reason from webhook.request_attempt where application_id = $1',
    values: [attempt.applicationId],
  });
  expect(rows).toEqual([{ status: 'failed', reason: 'cancelled' }]);
});

test('renews a lease that holds and revives none that ran out', async () => {
  await givenBacklog(2);
  const held = await claim({ limit: 1 });
  const expired = await claim({ limit: 1, leaseMs: 0 });

  const renewed = await renewLeases(database.db, [...held.attempts, ...expired.attempts], 60_000);

  expect([...renewed]).toEqual(held.attempts.map(({ requestAttemptId }) => requestAttemptId));
});

test('gives released attempts back as they were', async () => {
  await givenBacklog(3);
  const { attempts } = await claim();

  const released = await releaseRequestAttempts(database.db, attempts);
  const again = await claim();

  expect(released.size).toBe(3);
  expect(again.attempts.map(({ claimCount }) => claimCount)).toEqual([1, 1, 1]);
});

test('parks released attempts when their subscription is paused, samples aside', async () => {
  const { application, subscription } = await givenBacklog(3);
  await database.admin.query({
    text: 'update webhook.open_attempt set is_test = true where ctid = (select ctid from webhook.open_attempt order by due_at limit 1)',
  });
  const { attempts } = await claim();
  expect(attempts.filter(({ isTest }) => isTest)).toHaveLength(1);
  await pauseSubscription(database.db, { ...application, ...subscription, isPaused: true });

  await releaseRequestAttempts(database.db, attempts);

  expect((await claim()).attempts.map(({ isTest }) => isTest)).toEqual([true]);
});

test('moves attempts in the order in which they are due, and goes on where it stopped', async () => {
  const { application, subscription } = await givenBacklog(25);
  const { subscriptionId } = subscription;
  await pauseSubscription(database.db, { ...application, ...subscription, isPaused: true });
  await moveOpenAttempts(database.db, subscriptionId, { limit: 100, dueFromMicros: 0 });
  expect((await claim()).attempts).toEqual([]);
  await pauseSubscription(database.db, { ...application, ...subscription, isPaused: false });

  const first = await moveOpenAttempts(database.db, subscriptionId, { limit: 10, dueFromMicros: 0 });
  const released = await claim({ limit: 25 });
  const second = await moveOpenAttempts(database.db, subscriptionId, { limit: 10, dueFromMicros: first.dueUntilMicros ?? 0 });
  const third = await moveOpenAttempts(database.db, subscriptionId, { limit: 10, dueFromMicros: second.dueUntilMicros ?? 0 });

  expect(first).toEqual({ count: 10, poolIds: [0], dueUntilMicros: released.dueUntilMicros });
  expect([second.count, third.count]).toEqual([10, 5]);
  const { rows } = await database.db.query<{ is_first: boolean }>({
    text: 'select min(due_at) filter (where leased_until is null) > max(due_at) filter (where leased_until is not null) as is_first from webhook.open_attempt',
  });
  expect(rows).toEqual([{ is_first: true }]);
});

test('loads what deliveries need', async () => {
  const { application, subscription } = await givenBacklog(2);
  const { attempts } = await claim();

  const events = await loadEvents(
    database.db,
    attempts.map(({ applicationId, eventId, eventReceivedAt }) => ({ applicationId, eventId, receivedAt: eventReceivedAt })),
  );
  const subscriptions = await loadSubscriptions(database.db, [subscription.subscriptionId, randomUUID()]);

  expect(events).toHaveLength(2);
  expect(JSON.parse(events[0]?.payload.toString() ?? '')).toHaveProperty('data');
  expect(subscriptions).toMatchObject([{ subscription_id: subscription.subscriptionId, is_live: true, cancelled_until: null }]);
  expect(application.eventTypeName).toBe(attempts[0]?.eventTypeName);
});

test('loads payloads as they are: text, bytes, one that is not the JSON it claims to be, and none that is gone', async () => {
  await givenBacklog(4);
  const { attempts } = await claim();
  const [text, binary, broken, gone] = attempts.map(({ applicationId, eventId, eventReceivedAt }) => ({
    applicationId,
    eventId,
    receivedAt: eventReceivedAt,
  }));
  const change = (eventId: string | undefined, payload: Buffer, type: string) =>
    database.admin.query({
      text: 'update event.event set payload = $2, payload_content_type = $3 where event_id = $1',
      values: [eventId, payload, type],
    });
  await change(text?.eventId, Buffer.from('{"ä":"€\\u0000"}'), 'application/json');
  await change(binary?.eventId, Buffer.from([0, 255, 128]), 'application/octet-stream+base64');
  const references = [text, binary, broken, gone].filter((reference) => reference !== undefined);

  const loaded = await loadEvents(database.db, references);
  await change(broken?.eventId, Buffer.from([0, 255]), 'application/json');
  await database.admin.query({ text: 'delete from event.event where event_id = $1', values: [gone?.eventId] });
  const afterwards = await loadEvents(database.db, references);

  expect(loaded.map((event) => event?.payload.length)).toEqual([18, 3, 1024, 1024]);
  expect(afterwards.map((event) => event?.payload)).toEqual([
    Buffer.from('{"ä":"€\\u0000"}'),
    Buffer.from([0, 255, 128]),
    Buffer.from([0, 255]),
    undefined,
  ]);
});
