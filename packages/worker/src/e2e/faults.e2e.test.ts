import { execFileSync } from 'node:child_process';
import { eventually } from '@postrider/testkit/eventually';
import { type Installation, startInstallation } from '@postrider/testkit/installation';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';

let installation: Installation;

beforeEach(async () => {
  installation = await startInstallation(inject('superuserUrl'));
});
afterEach(() => installation.stop());

// Linux alone lets a test take the files of a process that runs.
test.skipIf(process.platform !== 'linux')('faults of our own use up no retries and open no breaker', async () => {
  const worker = await installation.addWorker('--concurrent=40');
  const limitFiles = (count: number | string) => execFileSync('prlimit', [`--pid=${worker.pid}`, `--nofile=${count}:`]);
  const subscription = await installation.subscribe({ members: { retry_schedule: { delays: [] } } });
  limitFiles(3);
  await subscription.send(15);

  await eventually(async () => (await subscription.attempts()).filter(({ failed_at }) => failed_at !== null).length >= 15);
  const waiting = (await subscription.attempts()).filter(({ failed_at }) => failed_at === null);
  expect(waiting).toHaveLength(15);
  expect(waiting.every(({ retry_count, why }) => retry_count === 0 && why === null)).toBe(true);
  expect(await subscription.read()).toMatchObject({ status: 'active', failing_since: null });
  expect(subscription.requests()).toEqual([]);

  limitFiles(1000);
  await subscription.waitForDelivered(15);
  expect(subscription.requests().map(({ headers }) => headers['x-retry-count'])).toEqual(Array.from({ length: 15 }, () => '0'));
});

test('ten receivers that hang make nobody wait: neither one that has answered on their origin before, nor one that is new', async () => {
  await installation.addWorker('--concurrent=20', '--timeout=15s');
  const known = await installation.subscribe();
  const hanging = await Promise.all(Array.from({ length: 10 }, () => installation.subscribe({ answers: [{ kind: 'hang' }] })));
  await known.send();
  await known.waitForDelivered(1);

  await Promise.all(hanging.map((subscription) => subscription.send(5)));
  await Promise.all(hanging.map((subscription) => subscription.waitForRequests(1)));
  const fresh = await installation.subscribe();
  await Promise.all([known.send(20), fresh.send(20)]);
  await Promise.all([known.waitForRequests(21), fresh.waitForRequests(20)]);

  const outcomes = await Promise.all(hanging.map((subscription) => subscription.attempts()));
  expect(outcomes.flat().filter(({ failed_at }) => failed_at !== null)).toEqual([]);
});

test('backlogs of receivers that hang, ahead of those that answer in the queue of a worker that knows neither, hold up nobody', async () => {
  const hanging = await Promise.all(Array.from({ length: 10 }, () => installation.subscribe({ answers: [{ kind: 'hang' }] })));
  await Promise.all(hanging.map((subscription) => subscription.send(60)));
  const healthy = await Promise.all(Array.from({ length: 5 }, () => installation.subscribe()));
  await Promise.all(healthy.map((subscription) => subscription.send(4)));
  await installation.addWorker('--concurrent=20', '--timeout=15s');

  await Promise.all(healthy.map((subscription) => subscription.waitForRequests(4)));
  const outcomes = await Promise.all(hanging.map((subscription) => subscription.attempts()));
  expect(outcomes.flat().filter(({ failed_at }) => failed_at !== null)).toEqual([]);
});

test('when the worker dies that delivers what is parked, another one goes on', async () => {
  const options = ['--timeout=1s', '--connect-timeout=1s', '--lease=11s'];
  const killed = await installation.addWorker(...options);
  const subscription = await installation.subscribe({ members: { rate_limit: { requests: 5, period: 1 } } });
  await subscription.send(10);
  await killed.waitForLog((line) => line['event'] === 'subscription.parked');
  const other = await installation.addWorker(...options);
  await subscription.waitForRequests(3);

  killed.kill('SIGKILL');
  await killed.waitForExit();
  const before = subscription.requests().length;
  const killedAtMs = Date.now();
  await subscription.waitForDelivered(10);

  // Its last word holds for 15 s; others look every two.
  const goesOnAtMs = subscription.requests()[before]?.receivedAtMs ?? Number.NaN;
  expect(goesOnAtMs - killedAtMs).toBeLessThan(60_000);
  const seen = new Set(subscription.requests().map(({ headers }) => headers['x-event-id']));
  expect(seen.size).toBe(10);
  expect(other.logs.some((line) => line['event'] === 'delivery.bug')).toBe(false);
});
