import { eventually } from '@postrider/testkit/eventually';
import { type Installation, type ScriptedSubscription, startInstallation } from '@postrider/testkit/installation';
import type { Behaviour } from '@postrider/testkit/receiver';
import { afterEach, expect, inject, test } from 'vitest';

/** The shortest delays that a policy may ask for; their jitter adds up to a second. */
const everySecond = { retry_schedule: { delays: Array.from({ length: 30 }, () => 1) } };

let installation: Installation;

afterEach(() => installation.stop());

async function givenInstallation(...args: readonly string[]): Promise<Installation> {
  installation = await startInstallation(inject('superuserUrl'), { workers: [args] });
  return installation;
}

const answer = (status: number): Behaviour => ({ kind: 'answer', status });
const arrivals = (subscription: ScriptedSubscription): number[] => subscription.requests().map(({ receivedAtMs }) => receivedAtMs);
const timeOf = (value: unknown): number => Date.parse(String(value));

function eventIdsOf(subscription: ScriptedSubscription): (string | undefined)[] {
  return subscription.requests().map(({ headers }) => headers['x-event-id']);
}

test('429 and 503 that say nothing of when slow the subscription down, from a second on and twice as long each time', async () => {
  await givenInstallation('--concurrent=8');
  const subscription = await installation.subscribe({
    answers: [...[429, 503, 429, 503].map(answer), answer(200)],
    members: { ...everySecond, max_in_flight: 1 },
  });
  const other = await installation.subscribe();
  await subscription.send(3);

  expect(await subscription.waitForStatus('held')).toMatchObject({ why: expect.stringContaining('again and again'), is_enabled: true });
  await other.send(3);
  await other.waitForDelivered(3);
  await subscription.waitForDelivered(3);

  // The second one begins a hold of a second, the next probes one of two and one of four.
  const [, second = 0, third = 0, fourth = 0, fifth = 0] = arrivals(subscription);
  expect(third - second).toBeGreaterThanOrEqual(1000);
  expect(fourth - third).toBeGreaterThanOrEqual(2000);
  expect(fifth - fourth).toBeGreaterThanOrEqual(4000);
  expect(Math.max(...arrivals(other))).toBeLessThan(fifth);
  expect(subscription.requests()).toHaveLength(4 + 3);
  await subscription.waitForStatus('active');
});

test('a receiver whose first requests hang gets the others while they do', async () => {
  await givenInstallation('--concurrent=20', '--max-in-flight-per-subscription=20', '--timeout=5m', '--lease=6m');
  const hanging = Array.from({ length: 5 }, (): Behaviour => ({ kind: 'hold', status: 200 }));
  const subscription = await installation.subscribe({ answers: [...hanging, answer(200)] });
  await subscription.send(30);

  await subscription.waitForDelivered(25);
  installation.receiver.release();
  await subscription.waitForDelivered(30);

  expect(new Set(eventIdsOf(subscription)).size).toBe(30);
  expect(subscription.requests()).toHaveLength(30);
  await subscription.waitForStatus('active');
});

test('a run of failures opens the breaker; one probe closes it, the backlog follows, and all is delivered once', async () => {
  await givenInstallation('--concurrent=40');
  const subscription = await installation.subscribe({ answers: [answer(500)], members: everySecond });
  const other = await installation.subscribe();
  await subscription.send(12);

  const held = await subscription.waitForStatus('held');
  const heldUntilMs = timeOf(held['hold_until']);
  expect(held).toMatchObject({ why: expect.stringMatching(/failed \d+ times in a row/) });
  expect(heldUntilMs - (arrivals(subscription)[9] ?? 0)).toBeGreaterThanOrEqual(10_000);
  subscription.respond({ kind: 'answer', status: 200, delayMs: 200 });
  await Promise.all([subscription.send(8), other.send(3)]);
  await other.waitForDelivered(3);
  expect(Math.max(...arrivals(other))).toBeLessThan(heldUntilMs);
  await subscription.waitForDelivered(20);

  const late = subscription.requests().filter(({ receivedAtMs }) => receivedAtMs >= heldUntilMs);
  expect(late[0]?.openRequests).toBe(1);
  expect((late[1]?.receivedAtMs ?? 0) - (late[0]?.receivedAtMs ?? 0)).toBeGreaterThanOrEqual(199);
  late.forEach(({ openRequests }, index) => expect(openRequests).toBeLessThanOrEqual(index + 1));
  expect(late).toHaveLength(20);
  expect(new Set(late.map(({ headers }) => headers['x-event-id'])).size).toBe(20);
  expect(await subscription.waitForStatus('active')).toMatchObject({ failing_since: null });
});

test('nothing but failure for too long disables the subscription; one that answers now and then goes on', async () => {
  await givenInstallation('--concurrent=8', '--disable-failing-after=2s');
  const failing = await installation.subscribe({ answers: [answer(500)], members: everySecond });
  const flaky = await installation.subscribe({
    answers: [...[500, 500, 500, 200, 500, 500, 500, 200, 500, 500, 500].map(answer), answer(200)],
    members: everySecond,
  });
  await Promise.all([failing.send(3), flaky.send(3)]);

  const disabled = await failing.waitForStatus('disabled');
  expect(disabled).toMatchObject({ is_enabled: false, disabled_reason: 'failing', hold_until: null });
  await eventually(async () => (await failing.attempts()).every((attempt) => attempt['failed_at'] !== null));
  expect((arrivals(failing).at(-1) ?? 0) - (arrivals(failing)[0] ?? 0)).toBeGreaterThanOrEqual(2000);
  await flaky.waitForDelivered(3);
  expect(await flaky.waitForStatus('active')).toMatchObject({ is_enabled: true, disabled_reason: null, failing_since: null });

  failing.respond(answer(200));
  const subscription = await failing.read();
  const members = { ...subscription, is_enabled: true, dedicated_workers: null };
  await failing.setup.client.expect('PUT', `/api/v1/subscriptions/${failing.subscriptionId}`, members);
  const [event] = await failing.send();
  await failing.waitForDelivered(1);
  expect(eventIdsOf(failing).at(-1)).toBe(event);
  expect(await failing.read()).toMatchObject({ status: 'active', disabled_reason: null });
});
