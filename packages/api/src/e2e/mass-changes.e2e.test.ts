import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { insertBacklog } from '@postrider/testkit/factories';
import {
  type ApiProcess,
  slotsForOneSubscription,
  startApi,
  startWorker,
  type WorkerProcess,
} from '@postrider/testkit/postrider-processes';
import { type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';

const backlog = 10_000;
/** Nothing is started more than a second after the answer; on a busy machine ten are granted. */
const startedWithinMs = 10_000;
const answeredWithinMs = 5000;
/** Requests that are in flight when the change comes, and what they are answered with. */
const inFlightStatuses = [200, 500, 200, 500, 200, 500, 200, 500];

let database: TestDatabase;
let api: ApiProcess;
let workers: WorkerProcess[];
let receiver: Receiver;
let master: ApiClient;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  onTestFinished(() => api.kill('SIGKILL'));
  // What is in flight is held for as long as the test wants, however slow the machine is.
  const args = [...slotsForOneSubscription(20), '--timeout=2m', '--lease=3m'];
  workers = await Promise.all([1, 2].map(() => startWorker({ databaseUrl: database.runtimeUrl, args })));
  onTestFinished(() => workers.forEach((worker) => worker.kill('SIGKILL')));
  receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  master = new ApiClient(api.url);
});
afterEach(() => database.drop());

interface MassChange {
  readonly name: string;
  readonly make: (setup: ApplicationSetup, subscriptionId: string) => Promise<unknown>;
  /** What attempts read as, from the answer on, that were not sent; and what none reads as then. */
  readonly unsentStatuses: readonly string[];
  readonly untrueStatuses: readonly string[];
  /** What the application hears when it asks about both. */
  readonly says: { readonly listed: unknown; readonly unsent: unknown };
  /** Which rows of the queue are not where they belong yet. */
  readonly unsettled: string;
  readonly expectEnds: (subscriptionId: string, setup: ApplicationSetup) => Promise<void>;
}

const endsThem = {
  unsentStatuses: ['failed'],
  untrueStatuses: ['waiting', 'pending'],
  says: { listed: { status: 200, body: [] }, unsent: { status: 200, body: { reason: 'cancelled' } } },
  unsettled: 'true',
  expectEnds: expectCancelledUnlessSent,
};

const massChanges: readonly MassChange[] = [
  {
    name: 'disabling a subscription',
    make: ({ client, applicationId, eventType }, subscriptionId) =>
      client.expect('PUT', `/api/v1/subscriptions/${subscriptionId}`, {
        application_id: applicationId,
        is_enabled: false,
        event_types: [eventType],
        labels: { tenant: 'acme' },
        target: { type: 'http', method: 'POST', url: `${receiver.url}/ended`, headers: {} },
      }),
    ...endsThem,
  },
  {
    name: 'deleting a subscription',
    make: ({ client, applicationId }, subscriptionId) =>
      client.expect('DELETE', `/api/v1/subscriptions/${subscriptionId}?application_id=${applicationId}`),
    ...endsThem,
  },
  {
    name: 'deleting an application',
    make: ({ applicationId }) => master.expect('DELETE', `/api/v1/applications/${applicationId}`),
    ...endsThem,
    says: { listed: { status: 403 }, unsent: { status: 403 } },
  },
  {
    name: 'pausing a subscription',
    make: ({ client }, subscriptionId) => client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/pause`),
    unsentStatuses: ['waiting', 'pending'],
    untrueStatuses: ['failed'],
    says: { listed: { status: 200, body: [] }, unsent: { status: 200, body: { failed_at: null, succeeded_at: null, picked_at: null } } },
    unsettled: 'lane = 0',
    expectEnds: expectDeliveredAfterResume,
  },
];

/** Posts events one after another to a subscription that goes on, until it is stopped. */
function startTraffic(setup: ApplicationSetup) {
  const posted: string[] = [];
  let goesOn = true;
  const running = (async () => {
    while (goesOn) {
      posted.push(String((await setup.client.expect('POST', '/api/v1/event', eventOf(setup)))['event_id']));
    }
  })();
  return {
    posted,
    async stop() {
      goesOn = false;
      await running;
    },
  };
}

/** Half of the attempts are due, half wait for a retry; eight are in flight for as long as the test wants. */
async function givenBacklogInFlight(setup: ApplicationSetup): Promise<string> {
  receiver.respond('/ended', ...inFlightStatuses.map((status) => ({ kind: 'hold', status }) as const), {
    kind: 'answer',
    status: 200,
    delayMs: 50,
  });
  const { subscriptionId, secret } = await subscribe(setup, `${receiver.url}/ended`);
  const application = { ...setup, eventTypeName: setup.eventType };
  for (const dueInMs of [3_600_000, 0]) {
    await insertBacklog(database.admin, application, { subscriptionId, secret }, { count: backlog / 2, payloadBytes: 64, dueInMs });
  }
  await receiver.waitForRequests(inFlightStatuses.length + 100, { path: '/ended' });
  return subscriptionId;
}

async function readAttempts(subscriptionId: string) {
  const { rows } = await database.db.query<{
    request_attempt_id: string;
    status: string;
    failed_at: Date | null;
    reason: string | null;
    http_response_status: number | null;
  }>({
    text: `select request_attempt_id, status, failed_at, reason, http_response_status from webhook.request_attempt
           where subscription_id = $1 order by request_attempt_id`,
    values: [subscriptionId],
  });
  return rows;
}

async function countOpen(subscriptionId: string, condition = 'true'): Promise<number> {
  const { rowCount } = await database.admin.query({
    text: `select from webhook.open_attempt where subscription_id = $1 and ${condition}`,
    values: [subscriptionId],
  });
  return rowCount ?? 0;
}

/** What the API says: of attempts in states that none may be in now, and of one that was not sent. */
async function askTheApi({ client, applicationId }: ApplicationSetup, subscriptionId: string, change: MassChange, unsentId: string) {
  const untrue = change.untrueStatuses.join(',');
  const query = `application_id=${applicationId}&subscription_id=${subscriptionId}`;
  const listed = await client.call('GET', `/api/v1/request_attempts?${query}&status=${untrue}`);
  const unsent = await client.call('GET', `/api/v1/request_attempts/${unsentId}?application_id=${applicationId}`);
  return { listed: { status: listed.status, body: listed.body }, unsent: { status: unsent.status, body: unsent.body } };
}

function requestsOfChanged() {
  const requests = receiver.requests.filter(({ path }) => path === '/ended');
  return requests.map(({ headers, receivedAtMs }) => ({ attemptId: String(headers['x-attempt-id']), receivedAtMs }));
}

/** Each attempt has ended once: with the answer that it got, or cancelled. */
async function expectCancelledUnlessSent(subscriptionId: string): Promise<void> {
  const ends = await readAttempts(subscriptionId);
  expect(ends).toHaveLength(backlog);
  const answered = new Map(requestsOfChanged().map(({ attemptId }, index) => [attemptId, inFlightStatuses[index] ?? 200]));
  for (const end of ends) {
    const status = answered.get(end.request_attempt_id) ?? null;
    expect(end.http_response_status).toBe(status);
    expect([end.status, end.reason]).toEqual(status === 200 ? ['successful', null] : ['failed', 'cancelled']);
  }
}

/** Nothing has ended but what was sent; after the resume each attempt is sent once, and once more where a retry follows. */
async function expectDeliveredAfterResume(subscriptionId: string, { client }: ApplicationSetup): Promise<void> {
  const failed = inFlightStatuses.filter((status) => status !== 200).length;
  const sent = requestsOfChanged().length;
  expect(await countOpen(subscriptionId)).toBe(backlog - sent + failed);

  receiver.respond('/ended', { kind: 'answer', status: 200 });
  await client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/resume`);
  await eventually(async () => (await countOpen(subscriptionId, 'lane = 1')) === 0, { timeoutMs: 60_000, intervalMs: 200 });
  // The time of those that wait for a retry comes.
  await database.admin.query({
    text: 'update webhook.open_attempt set due_at = statement_timestamp() where subscription_id = $1 and due_at > statement_timestamp()',
    values: [subscriptionId],
  });
  await eventually(async () => (await countOpen(subscriptionId)) === 0, { timeoutMs: 120_000, intervalMs: 200 });

  const ends = await readAttempts(subscriptionId);
  expect(ends).toHaveLength(backlog + failed);
  expect(ends.filter(({ status }) => status === 'successful')).toHaveLength(backlog);
  expect(ends.filter(({ reason }) => reason !== null)).toEqual([]);
  expect(
    requestsOfChanged()
      .map(({ attemptId }) => attemptId)
      .toSorted(),
  ).toEqual(ends.map((end) => end.request_attempt_id).toSorted());
}

function deadlocksLogged(): unknown[] {
  return [api, ...workers].flatMap(({ logs }) => logs.filter((line) => /40P01|deadlock/i.test(JSON.stringify(line))));
}

describe.each(massChanges)('$name with 10,000 open attempts', (change) => {
  test('answers at once, tells the truth, starts nothing later, loses nothing, and leaves others alone', async () => {
    const otherSetup = await setUpApplication(master);
    await subscribe(otherSetup, `${receiver.url}/other`);
    const setup = await setUpApplication(master);
    const subscriptionId = await givenBacklogInFlight(setup);
    const traffic = startTraffic(otherSetup);
    onTestFinished(() => traffic.stop());
    await eventually(() => traffic.posted.length >= 5);

    const startedAt = performance.now();
    await change.make(setup, subscriptionId);
    const answeredAfterMs = performance.now() - startedAt;
    const answeredAtMs = Date.now();
    const afterAnswer = await readAttempts(subscriptionId);
    const unsentId = afterAnswer.find(({ status }) => change.unsentStatuses.includes(status))?.request_attempt_id ?? '';
    const said = await askTheApi(setup, subscriptionId, change, unsentId);
    const postedByThen = traffic.posted.length;
    receiver.release();

    expect(answeredAfterMs).toBeLessThan(answeredWithinMs);
    // Those in flight, and what the workers had claimed ahead and let go without sending.
    const statuses = new Set(afterAnswer.map(({ status }) => status));
    expect([...statuses].filter((status) => ![...change.unsentStatuses, 'in_progress', 'successful'].includes(status))).toEqual([]);
    expect(afterAnswer.filter(({ status }) => status === 'in_progress').length).toBeGreaterThanOrEqual(inFlightStatuses.length);
    await eventually(() => traffic.posted.length >= postedByThen + 20);
    await eventually(async () => (await countOpen(subscriptionId, change.unsettled)) === 0, { timeoutMs: 60_000, intervalMs: 200 });
    await traffic.stop();
    await receiver.waitForRequests(traffic.posted.length, { path: '/other' });

    const requests = requestsOfChanged();
    expect(Math.max(...requests.map(({ receivedAtMs }) => receivedAtMs)) - answeredAtMs).toBeLessThan(startedWithinMs);
    expect(new Set(requests.map(({ attemptId }) => attemptId)).size).toBe(requests.length);
    expect(said).toMatchObject(change.says);
    expect((await askTheApi(setup, subscriptionId, change, unsentId)).unsent).toEqual(said.unsent);
    const failedBefore = afterAnswer.filter(({ status }) => status === 'failed');
    const byId = new Map((await readAttempts(subscriptionId)).map((end) => [end.request_attempt_id, end]));
    expect(
      failedBefore.filter((attempt) => byId.get(attempt.request_attempt_id)?.failed_at?.getTime() !== attempt.failed_at?.getTime()),
    ).toEqual([]);
    await change.expectEnds(subscriptionId, setup);
    const others = receiver.requests.filter(({ path }) => path === '/other').map(({ headers }) => headers['x-event-id']);
    expect(others.toSorted()).toEqual(traffic.posted.toSorted());
    expect(deadlocksLogged()).toEqual([]);
  });
});
