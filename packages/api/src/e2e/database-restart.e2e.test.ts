import { setTimeout as wait } from 'node:timers/promises';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startCountingReceiver } from '@postrider/testkit/counting-receiver-process';
import { startTemporaryPostgres } from '@postrider/testkit/temporary-postgres';
import { eventually } from '@postrider/testkit/eventually';
import { startApi, startWorker } from '@postrider/testkit/postrider-processes';
import { provisionDatabase } from '@postrider/testkit/provision-database';
import { expect, onTestFinished, test } from 'vitest';

/** Sends an event as a careful client does: again with the same id while the answer is 503 or none. Returns whether it had to. */
async function ingest(setup: ApplicationSetup, eventId: string): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    const answer = await setup.client.call('POST', '/api/v1/event', eventOf(setup, { event_id: eventId })).catch(() => null);
    // 409: an earlier try was committed although its answer did not arrive.
    if (answer?.status === 201 || answer?.status === 409) {
      return tries > 1;
    }
    if (answer && answer.status !== 503) {
      throw new Error(`An event was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
    await wait(100);
  }
}

test('PostgreSQL is killed and started again under load: no process dies, nothing is lost', async () => {
  const server = await startTemporaryPostgres();
  onTestFinished(() => server.stop('immediate'));
  const { ownerUrl, runtimeUrl } = await provisionDatabase({
    superuserUrl: server.superuserUrl,
    database: 'postrider',
    password: 'postrider',
  });
  const api = await startApi({ databaseUrl: runtimeUrl, env: { MIGRATION_DATABASE_URL: ownerUrl } });
  onTestFinished(() => api.kill('SIGKILL'));
  const receiver = await startCountingReceiver();
  onTestFinished(() => receiver.kill('SIGKILL'));
  const worker = await startWorker({ databaseUrl: runtimeUrl, args: ['--concurrent=10'] });
  onTestFinished(() => worker.kill('SIGKILL'));
  const setup = await setUpApplication(new ApiClient(api.url));
  await subscribe(setup, receiver.url);

  const sent: string[] = [];
  let sending = true;
  const senders = Array.from({ length: 8 }, async () => {
    while (sending) {
      const eventId = crypto.randomUUID();
      await ingest(setup, eventId);
      sent.push(eventId);
    }
  });
  await eventually(async () => (await receiver.stats()).requests > 100);
  await server.kill9();
  await wait(1000);
  const sentBefore = sent.length;
  await server.restart();
  await eventually(() => sent.length > sentBefore + 100, { timeoutMs: 60_000 });
  sending = false;
  await Promise.all(senders);

  await eventually(async () => (await receiver.stats()).distinct >= sent.length, { timeoutMs: 90_000 });
  const { client, applicationId } = setup;
  await eventually(
    async () =>
      (await client.list(`/api/v1/request_attempts?application_id=${applicationId}&status=pending,in_progress,waiting`)).length === 0,
  );
  const lost = await Promise.all(
    sent.slice(-50).map((eventId) => client.call('GET', `/api/v1/events/${eventId}?application_id=${applicationId}`)),
  );
  expect(lost.map(({ status }) => status)).toEqual(lost.map(() => 200));
  api.kill('SIGTERM');
  worker.kill('SIGTERM');
  expect(await Promise.all([api.waitForExit(), worker.waitForExit()])).toEqual([0, 0]);
});
