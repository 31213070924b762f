import { eventually } from '@postrider/testkit/eventually';
import { type Installation, startInstallation } from '@postrider/testkit/installation';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

let installation: Installation;

// What a subscription says of itself holds for every worker.
beforeAll(async () => {
  const worker = ['--concurrent=40', '--timeout=10s'];
  installation = await startInstallation(inject('superuserUrl'), { workers: [worker, worker] });
});
afterAll(() => installation.stop());

test('retries come after the delays of the schedule, never early, and then no more', async () => {
  const subscription = await installation.subscribe({
    answers: [{ kind: 'answer', status: 500 }],
    members: { retry_schedule: { delays: [1, 3] } },
  });
  await subscription.send();

  await eventually(async () => (await subscription.attempts()).some(({ reason }) => reason === 'retries_exhausted'));
  const requests = subscription.requests();
  expect(requests.map(({ headers }) => headers['x-retry-count'])).toEqual(['0', '1', '2']);
  const [first = 0, second = 0, third = 0] = requests.map(({ receivedAtMs }) => receivedAtMs);
  expect(second - first).toBeGreaterThanOrEqual(1000);
  expect(third - second).toBeGreaterThanOrEqual(3000);
  expect(await subscription.attempts()).toHaveLength(3);
});

test('a receiver that says nothing is given up after the timeout of its subscription, not that of the worker', async () => {
  const patient = await installation.subscribe({ answers: [{ kind: 'answer', status: 200, delayMs: 2000 }] });
  const subscription = await installation.subscribe({
    answers: [{ kind: 'hang' }],
    members: { timeout: 1, retry_schedule: { delays: [] } },
  });
  await Promise.all([patient.send(), subscription.send()]);

  const { client, applicationId } = subscription.setup;
  const attempt = await eventually(async () => (await subscription.attempts()).find(({ failed_at }) => failed_at !== null));
  const response = await client.expect('GET', `/api/v1/responses/${String(attempt['response_id'])}?application_id=${applicationId}`);
  expect(response['response_error_name']).toBe('E_TIMEOUT');
  expect(response['elapsed_time_ms']).toBeGreaterThanOrEqual(1000);
  expect(response['elapsed_time_ms']).toBeLessThan(10_000);
  await patient.waitForDelivered(1);
});

test('max_in_flight is never exceeded: by any worker, nor by all of them while the attempts are parked', async () => {
  const subscription = await installation.subscribe({
    answers: [{ kind: 'answer', status: 200, delayMs: 150 }],
    members: { max_in_flight: 2 },
  });
  await subscription.send(150);

  expect(await subscription.waitForStatus('limited')).toMatchObject({ why: expect.stringContaining('than the receiver gets at once') });
  await subscription.waitForDelivered(150);
  const open = subscription.requests().map(({ openRequests }) => openRequests);
  expect(open).toHaveLength(150);
  expect(Math.max(...open)).toBeLessThanOrEqual(4);
  // The other worker hears within a second that it is parked; these come after several.
  expect(Math.max(...open.slice(-40))).toBe(2);
  await subscription.waitForStatus('active');
});

test('a rate is kept by all workers together, evenly', async () => {
  const subscription = await installation.subscribe({ members: { rate_limit: { requests: 10, period: 1 } } });
  const other = await installation.subscribe();
  await Promise.all([subscription.send(50), other.send(20)]);
  expect(await subscription.waitForStatus('limited')).toMatchObject({ why: expect.stringContaining('rate limit') });
  await other.waitForDelivered(20);
  await subscription.waitForDelivered(50);

  const arrivals = subscription.requests().map(({ receivedAtMs }) => receivedAtMs);
  expect(arrivals).toHaveLength(50);
  const [first = 0] = arrivals;
  const tookMs = (arrivals.at(-1) ?? 0) - first;
  expect(tookMs).toBeGreaterThanOrEqual(4500);
  // Ten in any second, and one for the part of a second that a late start may be made up for.
  const mostInASecond = Math.max(...arrivals.map((from) => arrivals.filter((at) => at >= from && at < from + 1000).length));
  expect(mostInASecond).toBeLessThanOrEqual(12);
  expect(Math.max(...other.requests().map(({ receivedAtMs }) => receivedAtMs))).toBeLessThan(arrivals.at(-1) ?? 0);
  expect(await subscription.read()).toMatchObject({ status: 'limited' });
});
