import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { ingestEvents } from '@postrider/shared/database/queries/ingest-events';
import { notifyDueAttempts } from '@postrider/shared/database/queries/notify-due-attempts';
import { formatWakeUp } from '@postrider/shared/domain/wake-up';
import { holdSubscription, insertApplication, insertBacklog, insertSubscription, type TestApplication } from '@postrider/testkit/factories';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { seedDue, type SeedOwner } from '../growth/seed.ts';

export interface StageOptions {
  readonly healthy: number;
  readonly hanging: number;
  /** Open attempts of each that hangs. */
  readonly hangingBacklog: number;
  /** Open attempts of the one that is slow. */
  readonly slowBacklog: number;
}

const payload = Buffer.from(JSON.stringify({ data: 'x'.repeat(1013) }));
const everyMs = 10;

/** Applications with one subscription each, whose receivers do well; returns them. */
export async function addHealthy(database: TestDatabase, receiverUrl: string, count: number): Promise<TestApplication[]> {
  const applications: TestApplication[] = [];
  for (let number = 0; number < count; number += 1) {
    const application = await insertApplication(database.admin);
    await insertSubscription(database.admin, application, { url: `${receiverUrl}/well/${number}` });
    applications.push(application);
  }
  return applications;
}

/** Some that hang, each with a backlog, and one that is slow, with a large one; then the database comes to rest. */
export async function addTroubled(database: TestDatabase, receiverUrl: string, options: StageOptions): Promise<SeedOwner[]> {
  const hanging: SeedOwner[] = [];
  for (let number = 0; number < options.hanging; number += 1) {
    const application = await insertApplication(database.admin);
    const subscription = await insertSubscription(database.admin, application, { url: `${receiverUrl}/hang/${number}` });
    await insertBacklog(database.admin, application, subscription, { count: options.hangingBacklog, payloadBytes: 128 });
    hanging.push({ application, subscription });
  }
  const application = await insertApplication(database.admin);
  const subscription = await insertSubscription(database.admin, application, { url: `${receiverUrl}/slow/0` });
  await seedDue(database, { application, subscription }, options.slowBacklog, 1);
  // Where it is once the sweep has moved its backlog, which takes a minute or two of the database, and is measured by the scenario mass.
  await holdSubscription(database.admin, subscription.subscriptionId, { reason: 'over_cap' });
  await database.admin.query({
    text: 'update webhook.open_attempt set lane = 1 where subscription_id = $1',
    values: [subscription.subscriptionId],
  });
  await database.admin.query({ text: 'vacuum analyze' });
  await database.admin.query({ text: 'checkpoint' });
  return hanging;
}

/**
 * Forgets what was learned of those that hang: they are in the normal lane again, and all that they have is due. The worker that had the
 * parked ones has been killed, and its next one need not wait for that to show.
 */
export async function forgetTrouble(database: TestDatabase, hanging: readonly SeedOwner[]): Promise<void> {
  const ids = hanging.map(({ subscription }) => subscription.subscriptionId);
  await database.admin.query({ text: 'delete from webhook.subscription_health where subscription_id = any ($1::uuid[])', values: [ids] });
  await database.admin.query({
    text: 'update webhook.subscription set parked_at = null where subscription_id = any ($1::uuid[])',
    values: [ids],
  });
  await database.admin.query({ text: 'update webhook.subscription_health set worker_process_id = null, owned_until = null' });
  await database.admin.query({
    text: `update webhook.open_attempt
           set lane = 0, lease_id = null, leased_until = null, due_at = least(due_at, statement_timestamp())
           where subscription_id = any ($1::uuid[])`,
    values: [ids],
  });
}

/** Ingests events at a steady rate, one application after the other, by the API's statement; returns the ids of those of the time that counts. */
export async function ingestSteadily(
  database: TestDatabase,
  applications: readonly TestApplication[],
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<Set<string>> {
  const ids = new Set<string>();
  const startedAt = performance.now();
  for (let group = 0; performance.now() - startedAt < seconds * 1000; group += 1) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond) - ids.size;
    const events = Array.from({ length: due }, (_, index) => eventFor(applications[(ids.size + index) % applications.length]));
    if (events.length > 0) {
      await ingestEvents(database.db, events);
      await notifyDueAttempts(database.db, formatWakeUp({ number: group, poolIds: [0], rewind: false }));
      events.forEach(({ eventId }) => ids.add(eventId));
    }
    await wait(everyMs);
  }
  return ids;
}

function eventFor(application: TestApplication | undefined) {
  if (!application) {
    throw new Error('There is no application to send an event for.');
  }
  return {
    applicationId: application.applicationId,
    eventId: randomUUID(),
    eventTypeName: application.eventTypeName,
    payload,
    payloadContentType: 'application/json',
    occurredAt: new Date(),
    labels: {},
    metadata: {},
    ip: null,
    applicationSecretId: null,
    contentHash: Buffer.alloc(32),
  };
}

/** When the transactions of events committed, in milliseconds since 1970. */
export async function committedAt(
  database: TestDatabase,
  applications: readonly TestApplication[],
  since: Date,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await database.admin.query<{ id: string; at: number }>({
    text: `select event_id as id, extract(epoch from pg_xact_commit_timestamp(xmin))::double precision * 1000 as at
           from event.event where application_id = any ($1::uuid[]) and received_at >= $2`,
    values: [applications.map(({ applicationId }) => applicationId), since],
  });
  return new Map(rows.map(({ id, at }) => [id, at]));
}
