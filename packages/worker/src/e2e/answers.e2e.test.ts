import { eventually } from '@postrider/testkit/eventually';
import { type Installation, type ScriptedSubscription, startInstallation } from '@postrider/testkit/installation';
import type { Behaviour } from '@postrider/testkit/receiver';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

const hour = 3_600_000;
const once = { retry_schedule: { delays: [] } };

let installation: Installation;

beforeAll(async () => {
  installation = await startInstallation(inject('superuserUrl'), { workers: [['--concurrent=40']] });
});
afterAll(() => installation.stop());

const answer = (status: number, headers: Readonly<Record<string, string>> = {}): Behaviour => ({ kind: 'answer', status, headers });
const slowly = (delayMs: number): Behaviour => ({ kind: 'answer', status: 200, delayMs });
const timeOf = (value: unknown): number => Date.parse(String(value));

async function responseOf(subscription: ScriptedSubscription, attempt: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { client, applicationId } = subscription.setup;
  return client.expect('GET', `/api/v1/responses/${String(attempt['response_id'])}?application_id=${applicationId}`);
}

async function deliveryOf(subscription: ScriptedSubscription, eventId: string | undefined): Promise<unknown> {
  const { client, applicationId } = subscription.setup;
  const { deliveries } = await client.expect('GET', `/api/v1/events/${eventId}/deliveries?application_id=${applicationId}`);
  return Array.isArray(deliveries) ? deliveries[0] : undefined;
}

describe('2xx is success', () => {
  test.each([200, 201, 202, 204, 299])('%i', async (status) => {
    const subscription = await installation.subscribe({ answers: [answer(status)], members: once });
    await subscription.send();
    await subscription.waitForDelivered(1);
    expect(await subscription.attempts()).toMatchObject([{ http_response_status: status, status: { type: 'successful' } }]);
  });
});

describe('nothing else is', () => {
  test.each([301, 302, 303, 307, 308, 304, 400, 401, 404, 422, 500, 502, 599])('%i', async (status) => {
    const elsewhere = await installation.subscribe();
    const location = `${installation.receiver.url}${elsewhere.path}`;
    const subscription = await installation.subscribe({ answers: [answer(status, { location })], members: once });
    await subscription.send();

    const [attempt = {}] = await eventually(async () => {
      const attempts = await subscription.attempts();
      return attempts[0]?.['failed_at'] != null && attempts;
    });
    expect(attempt).toMatchObject({ http_response_status: status, status: { type: 'failed' }, reason: 'retries_exhausted' });
    expect(await responseOf(subscription, attempt)).toMatchObject({ response_error_name: 'E_HTTP', http_code: status });
    expect(subscription.requests()).toHaveLength(1);
    expect(elsewhere.requests()).toEqual([]);
  });
});

test('410 disables at once: what waits is cancelled, the reason is shown, and nothing more is sent', async () => {
  const subscription = await installation.subscribe({ answers: [{ kind: 'hold', status: 410 }], members: { max_in_flight: 1 } });
  const [first] = await subscription.send();
  await subscription.waitForRequests(1);
  const [waiting] = await subscription.send(20);
  installation.receiver.release();

  const disabled = await subscription.waitForStatus('disabled');
  expect(disabled).toMatchObject({ is_enabled: false, disabled_reason: 'gone', why: expect.stringContaining('410') });
  await eventually(async () => (await subscription.attempts()).every((attempt) => attempt['failed_at'] !== null));
  const attempts = await subscription.attempts();
  expect(attempts.at(-1)).toMatchObject({ http_response_status: 410, reason: 'gone' });
  expect(attempts).toHaveLength(21);
  expect(subscription.requests()).toHaveLength(1);
  expect(await deliveryOf(subscription, first)).toMatchObject({ state: 'failed', reason: 'gone' });
  expect(await deliveryOf(subscription, waiting)).toMatchObject({ state: 'cancelled', reason: 'gone' });
});

describe('Retry-After', () => {
  test.each([429, 503].flatMap((status) => ['seconds', 'date'].map((form) => [status, form] as const)))(
    'of a %i in the form of %s holds the subscription and no other; then comes one probe, then slowly more',
    async (status, form) => {
      const asksUntilMs = Date.now() + 3000;
      const header = form === 'seconds' ? '3' : new Date(asksUntilMs).toUTCString();
      const subscription = await installation.subscribe({ answers: [answer(status, { 'retry-after': header }), slowly(300)] });
      const other = await installation.subscribe();
      await subscription.send();

      const held = await subscription.waitForStatus('held');
      expect(held).toMatchObject({ is_enabled: true, why: expect.stringContaining('429 or 503') });
      const heldUntilMs = timeOf(held['hold_until']);
      const [throttled] = subscription.requests();
      const wanted = form === 'seconds' ? (throttled?.receivedAtMs ?? Number.NaN) + 3000 : Math.floor(asksUntilMs / 1000) * 1000;
      expect(heldUntilMs).toBeGreaterThanOrEqual(wanted);
      await Promise.all([subscription.send(19), other.send(5)]);
      await other.waitForDelivered(5);
      expect(Math.max(...other.requests().map(({ receivedAtMs }) => receivedAtMs))).toBeLessThan(heldUntilMs);
      const waiting = (await subscription.attempts()).filter((attempt) => attempt['failed_at'] === null);
      expect(waiting).toHaveLength(20);
      expect(new Set(waiting.map(({ hold_until }) => hold_until))).toEqual(new Set([held['hold_until']]));

      await subscription.waitForDelivered(20);
      const [, probe, ...rest] = subscription.requests();
      expect(probe?.receivedAtMs).toBeGreaterThanOrEqual(heldUntilMs);
      expect(rest).toHaveLength(19);
      // Of ten that it may have in flight, half are the goal of the slow start.
      const open = [probe, ...rest].map((request) => request?.openRequests ?? Number.NaN);
      open.forEach((requests, index) => expect(requests).toBeLessThanOrEqual(Math.min(index + 1, 10)));
      expect(rest[0]?.receivedAtMs).toBeGreaterThanOrEqual((probe?.receivedAtMs ?? 0) + 299);
      expect(open[1]).toBe(1);
      expect(Math.max(...open)).toBeGreaterThan(1);
      expect(await subscription.waitForStatus('active')).toMatchObject({ hold_until: null, why: null });
    },
  );

  test('is obeyed for ten hours at most; a resume ends the hold', async () => {
    const subscription = await installation.subscribe({
      answers: [answer(503, { 'retry-after': '999999999' }), answer(200)],
      members: { retry_schedule: { delays: [1] } },
    });
    await subscription.send();
    const held = await subscription.waitForStatus('held');
    const forMs = timeOf(held['hold_until']) - Date.now();
    expect(forMs).toBeGreaterThan(9.9 * hour);
    expect(forMs).toBeLessThanOrEqual(10 * hour);
    const [event] = await subscription.send();

    await subscription.setup.client.expect('POST', `/api/v1/subscriptions/${subscription.subscriptionId}/resume`);
    await subscription.waitForDelivered(1);
    expect(subscription.requests().at(-1)?.headers['x-event-id']).toBe(event);
  });
});
