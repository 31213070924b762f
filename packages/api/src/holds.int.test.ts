import { lockSubscriptionHealth } from '@postrider/shared/database/queries/lock-subscription-health';
import { healthOf } from '@postrider/shared/database/subscription-health-row';
import { isOnHold, nextHealth } from '@postrider/shared/domain/subscription-health';
import { type ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { type HoldOptions, holdSubscription } from '@postrider/testkit/factories';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type ServedApi, serveApi } from './testing/serve-api.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

let database: TestDatabase;
let api: ServedApi;
let master: ApiClient;
let setup: ApplicationSetup;
let subscriptionId: string;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  api = await serveApi(database);
  ({ master } = api);
});
beforeEach(async () => {
  setup = await setUpApplication(master);
  ({ subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/'));
});
afterAll(async () => {
  api.close();
  await database.drop();
});

const hold = (options: HoldOptions) => holdSubscription(database.admin, subscriptionId, options);
const act = (action: 'pause' | 'resume') => setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/${action}`);

/** The subscription by itself, which the list shows in the same way. */
async function read(): Promise<Record<string, unknown>> {
  const subscription = await setup.client.expect('GET', `/api/v1/subscriptions/${subscriptionId}`);
  expect(await setup.client.list(`/api/v1/subscriptions?application_id=${setup.applicationId}`)).toEqual([subscription]);
  return subscription;
}

async function ingest(): Promise<string> {
  return String((await setup.client.expect('POST', '/api/v1/event', eventOf(setup)))['event_id']);
}

/** The one attempt of an event, by its id, which lists of any kind show in the same way. */
async function attemptOf(eventId: string): Promise<Record<string, unknown>> {
  const query = `application_id=${setup.applicationId}`;
  const [attempt] = await setup.client.list(`/api/v1/request_attempts?${query}&event_id=${eventId}`);
  const id = String(attempt?.['request_attempt_id']);
  const found = await setup.client.expect('GET', `/api/v1/request_attempts/${id}?${query}`);
  expect(found).toEqual(attempt);
  const listed = await setup.client.list(`/api/v1/request_attempts?${query}`);
  expect(listed.find((each) => each['request_attempt_id'] === id)).toEqual(attempt);
  return found;
}

async function deliveryOf(eventId: string): Promise<unknown> {
  const { deliveries } = await setup.client.expect('GET', `/api/v1/events/${eventId}/deliveries?application_id=${setup.applicationId}`);
  return Array.isArray(deliveries) ? deliveries[0] : undefined;
}

async function changeOpen(eventId: string, change: string): Promise<void> {
  await database.admin.query({ text: `update webhook.open_attempt set ${change} where event_id = $1`, values: [eventId] });
}

const inMinutes = (time: unknown): number => Math.round((Date.parse(String(time)) - Date.now()) / minute);

describe('a subscription', () => {
  test('that nothing is wrong with is active', async () => {
    expect(await read()).toMatchObject({ status: 'active', hold_until: null, why: null, failing_since: null });
  });

  test('on hold says until when, why, and since when it fails', async () => {
    await hold({ reason: 'failing', holdMs: 10 * minute, failures: 12, failingForMs: 60 * minute });
    const held = await read();
    expect(held).toMatchObject({
      status: 'held',
      is_enabled: true,
      is_paused: false,
      why: `The receiver failed 12 times in a row; the next probe is at ${String(held['hold_until'])}.`,
    });
    expect(inMinutes(held['hold_until'])).toBe(10);
    expect(inMinutes(held['failing_since'])).toBe(-60);
  });

  test.each<[name: string, options: HoldOptions, status: string, why: string]>([
    ['that asked for a pause', { reason: 'retry_after', holdMs: minute }, 'held', '429 or 503 and asked for a pause'],
    ['whose hold is over', { reason: 'failing', holdMs: -1, failures: 10 }, 'recovering', 'one request at a time'],
    ['that answers again', { reason: 'throttled', budget: 4 }, 'recovering', 'one request at a time'],
    ['with a rate', { reason: 'rate', budget: 8 }, 'limited', 'rate limit'],
    ['over its cap', { reason: 'over_cap', budget: 8 }, 'limited', 'than the receiver gets at once'],
    ['that is slow', { reason: 'slow' }, 'limited', 'far slower'],
  ])('%s tells', async (_name, options, status, why) => {
    await hold(options);
    const told = await read();
    expect(told).toMatchObject({ status, why: expect.stringContaining(why) });
    expect(told['hold_until'] === null).toBe(status !== 'held');
  });

  test('that is paused or disabled on hold says that before the hold', async () => {
    await hold({ reason: 'retry_after', holdMs: minute });
    await act('pause');
    expect(await read()).toMatchObject({ status: 'paused', hold_until: null, why: expect.stringContaining('is paused') });
    await setup.client.expect('PUT', `/api/v1/subscriptions/${subscriptionId}`, {
      ...(await read()),
      dedicated_workers: null,
      is_enabled: false,
    });
    expect(await read()).toMatchObject({
      status: 'disabled',
      disabled_reason: 'by_request',
      hold_until: null,
      why: 'The subscription was disabled by request.',
    });
  });

  test('that was disabled for failing says so', async () => {
    await database.admin.query({
      text: "update webhook.subscription set disabled_at = now(), disabled_reason = 'failing' where subscription_id = $1",
      values: [subscriptionId],
    });
    expect(await read()).toMatchObject({
      status: 'disabled',
      disabled_reason: 'failing',
      why: expect.stringContaining('nothing but fail'),
    });
  });

  test('is written without its hold being anybody’s change', async () => {
    await hold({ reason: 'retry_after', holdMs: minute });
    await setup.client.expect('PUT', `/api/v1/subscriptions/${subscriptionId}`, {
      ...(await read()),
      dedicated_workers: null,
      description: 'new',
      target: { type: 'http', method: 'POST', url: 'http://127.0.0.1:9/moved' },
    });
    const [entry] = await master.list(`/api/v1/audit_log?organization_id=${setup.organizationId}`);
    expect(Object.keys(Object(entry?.['changes'])).toSorted()).toEqual(['description', 'target_url']);
    expect(await read()).toMatchObject({ status: 'active' });
  });
});

describe('an attempt', () => {
  test('that is held says until when and why, and so does its delivery', async () => {
    const eventId = await ingest();
    await hold({ reason: 'retry_after', holdMs: 10 * minute });
    const { hold_until: holdUntil, why } = await read();
    expect(await attemptOf(eventId)).toMatchObject({ status: { type: 'pending' }, hold_until: holdUntil, why });
    expect(await deliveryOf(eventId)).toMatchObject({
      state: 'held',
      explanation: `${String(why)} Next is the first attempt.`,
      next_attempt: { at: holdUntil },
    });
  });

  test('that waits, waits for the later of its time and the end of the hold', async () => {
    const eventId = await ingest();
    await hold({ reason: 'retry_after', holdMs: 10 * minute });
    const { hold_until: holdUntil } = await read();
    await changeOpen(eventId, "due_at = now() + interval '1 minute'");
    expect(await attemptOf(eventId)).toMatchObject({ status: { type: 'waiting', until: holdUntil }, hold_until: holdUntil });
    expect(await deliveryOf(eventId)).toMatchObject({ state: 'held', next_attempt: { at: holdUntil } });

    await changeOpen(eventId, "due_at = now() + interval '20 minutes'");
    const attempt = await attemptOf(eventId);
    expect(attempt).toMatchObject({ status: { type: 'waiting', until: attempt['delay_until'] }, hold_until: holdUntil });
    expect(await deliveryOf(eventId)).toMatchObject({ state: 'waiting', next_attempt: { at: attempt['delay_until'] } });
  });

  test('of a paused subscription has no time', async () => {
    const eventId = await ingest();
    await act('pause');
    expect(await attemptOf(eventId)).toMatchObject({
      status: { type: 'pending' },
      hold_until: null,
      why: expect.stringContaining('paused'),
    });
    expect(await deliveryOf(eventId)).toMatchObject({ state: 'paused', next_attempt: { at: null } });
  });

  test.each<[HoldOptions, string]>([
    [{ reason: 'rate', budget: 8 }, 'rate limit'],
    [{ reason: 'failing', holdMs: -1, failures: 10 }, 'failed 10 times'],
  ])('that goes out through a budget says why: %j', async (options, why) => {
    const eventId = await ingest();
    await hold(options);
    expect(await attemptOf(eventId)).toMatchObject({ status: { type: 'pending' }, hold_until: null, why: expect.stringContaining(why) });
    expect(await deliveryOf(eventId)).toMatchObject({
      state: 'limited',
      explanation: expect.stringContaining(why),
      next_attempt: { at: expect.any(String) },
    });
  });

  test.each([
    ['is being made', "leased_until = now() + interval '1 minute'", 'in_progress'],
    ['is a sample', 'is_test = true', 'pending'],
  ])('that %s is not held', async (_name, change, state) => {
    const eventId = await ingest();
    await hold({ reason: 'failing', holdMs: 10 * minute, failures: 10 });
    await changeOpen(eventId, change);
    expect(await attemptOf(eventId)).toMatchObject({ status: { type: state }, hold_until: null, why: null });
    expect(await deliveryOf(eventId)).toMatchObject({ state });
  });

  test('that was cancelled or is done is not held', async () => {
    const eventId = await ingest();
    await hold({ reason: 'failing', holdMs: 10 * minute, failures: 10 });
    await database.admin.query({
      text: "update webhook.subscription set disabled_at = now(), disabled_reason = 'failing' where subscription_id = $1",
      values: [subscriptionId],
    });
    expect(await attemptOf(eventId)).toMatchObject({ status: { type: 'failed' }, hold_until: null, why: null });
    await setup.client.expect('PUT', `/api/v1/subscriptions/${subscriptionId}`, {
      ...(await read()),
      dedicated_workers: null,
      is_enabled: false,
    });
    expect(await attemptOf(eventId)).toMatchObject({ status: { type: 'failed' }, hold_until: null, why: null });
  });
});

describe('a resume', () => {
  /** The health as a worker would read it. */
  async function readHealth() {
    const row = await lockSubscriptionHealth(database.db, subscriptionId);
    return row && healthOf(row, 0);
  }

  test('ends a hold: the next request is a probe, and a failed one holds it as if for the first time', async () => {
    const eventId = await ingest();
    await hold({ reason: 'failing', holdMs: 10 * minute, failures: 40, failingForMs: 4 * day });
    expect(await act('resume')).toEqual({ subscription_id: subscriptionId, is_paused: false, paused_at: null });

    expect(await read()).toMatchObject({ status: 'recovering', hold_until: null, failing_since: null });
    expect(await attemptOf(eventId)).toMatchObject({ hold_until: null, why: expect.stringContaining('one request at a time') });
    const health = await readHealth();
    if (!health) {
      throw new Error('The subscription is not live.');
    }
    expect(health).toMatchObject({ parkReason: 'failing', holdUntilMs: null, budget: 1, holds: 0, failures: 40 });
    expect(isOnHold(health, 0)).toBe(false);
    const context = { nowMs: 0, cap: 8, isRateLimited: false, random: () => 0 };
    expect(nextHealth(health, { kind: 'failed' }, context)).toMatchObject({ holdUntilMs: 10_000, failingSinceMs: 0 });
    expect(nextHealth(health, { kind: 'succeeded' }, context)).toMatchObject({ holdUntilMs: null, budget: 2 });
  });

  test('ends a hold that came before a pause, and is on record', async () => {
    await hold({ reason: 'retry_after', holdMs: 10 * minute });
    const { hold_until: holdUntil } = await read();
    await act('pause');
    await act('resume');
    expect(await read()).toMatchObject({ status: 'recovering', hold_until: null });
    const [resumed, paused] = await master.list(`/api/v1/audit_log?organization_id=${setup.organizationId}`);
    expect(resumed).toMatchObject({
      action: 'subscriptions.resume',
      changes: { paused: { from: true, to: false }, hold_until: { from: holdUntil, to: null } },
    });
    expect(paused?.['changes']).toEqual({ paused: { from: false, to: true } });
  });

  test('leaves a budget alone that no hold led to', async () => {
    await hold({ reason: 'over_cap', budget: 8 });
    await act('resume');
    expect(await read()).toMatchObject({ status: 'limited' });
    expect(await readHealth()).toMatchObject({ parkReason: 'over_cap', budget: 8 });
    expect((await master.list(`/api/v1/audit_log?organization_id=${setup.organizationId}`))[0]).toMatchObject({
      action: 'subscriptions.create',
    });
  });

  test('of another application’s subscription is refused and ends nothing', async () => {
    await hold({ reason: 'failing', holdMs: 10 * minute, failures: 10 });
    const stranger = await setUpApplication(master);
    expect(await stranger.client.call('POST', `/api/v1/subscriptions/${subscriptionId}/resume`)).toMatchObject({ status: 404 });
    expect(await read()).toMatchObject({ status: 'held' });
  });
});

test('operators see in the view what holds how many', async () => {
  await ingest();
  await ingest();
  await hold({ reason: 'failing', holdMs: 10 * minute, failures: 10 });
  const { rows } = await database.db.query({
    text: `select held_by, count(*)::integer from webhook.request_attempt where application_id = $1 and held_by is not null group by held_by`,
    values: [setup.applicationId],
  });
  expect(rows).toEqual([{ held_by: 'failing', count: 2 }]);
});
