import { insertApplication, insertBacklog, insertSubscription, type TestApplication } from '@postrider/testkit/factories';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Database } from './pool.ts';

let database: TestDatabase;
let application: TestApplication;
let subscriptionId: string;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  for (let made = 0; made < 10; made += 1) {
    application = await insertApplication(database.admin);
    const subscription = await insertSubscription(database.admin, application);
    await insertBacklog(database.admin, application, subscription, { count: 3000, payloadBytes: 100 });
    ({ subscriptionId } = subscription);
  }
  // Vacuumed too, so that nothing that comes by changes the statistics between one plan and the next.
  await database.admin.query({ text: 'vacuum analyze event.event, event.event_key, webhook.open_attempt, webhook.finished_attempt' });
});
afterAll(() => database.drop());

/** How rows are found and ordered, without what policies add: filters, the look at the settings, and the applications of the organization. */
function shapeOf(plan: unknown): unknown[] {
  if (typeof plan !== 'object' || plan === null || !('Node Type' in plan)) {
    return [];
  }
  const children = 'Plans' in plan && Array.isArray(plan.Plans) ? plan.Plans.flatMap(shapeOf) : [];
  const relationship = 'Parent Relationship' in plan ? plan['Parent Relationship'] : null;
  const isOfPolicy = relationship === 'SubPlan' || (relationship === 'InitPlan' && plan['Node Type'] === 'Result');
  return isOfPolicy ? [] : [plan['Node Type'], 'Index Name' in plan ? plan['Index Name'] : null, ...children];
}

async function explain(db: Database, text: string): Promise<unknown[]> {
  const { rows } = await db.query<{ 'QUERY PLAN': { Plan: unknown }[] }>({ text: `explain (format json) ${text}` });
  return shapeOf(rows[0]?.['QUERY PLAN'][0]?.Plan);
}

test.each<[string, () => string]>([
  [
    'the newest events of an application',
    () =>
      `select event_id from event.event where application_id = '${application.applicationId}' and labels @> '{}'
       order by received_at desc, event_id limit 100`,
  ],
  [
    'an event by its id',
    () =>
      `select e.payload from event.event_key k join event.event e using (application_id, received_at, event_id)
       where k.application_id = '${application.applicationId}' and k.event_id = '${application.applicationId}'`,
  ],
  [
    'the newest open attempts of an application',
    () =>
      `select request_attempt_id from webhook.open_attempt where application_id = '${application.applicationId}'
       order by request_attempt_id desc limit 51`,
  ],
  [
    'what a mass change works on',
    () =>
      `delete from webhook.open_attempt where ctid = any (array(
         select ctid from webhook.open_attempt where subscription_id = '${subscriptionId}' order by due_at limit 1000 for update skip locked))`,
  ],
])('a tenant finds %s by the same plan as without policies', async (_, text) => {
  const { applicationId, organizationId } = application;
  const [listed, all] = [[applicationId], 'all' as const].map((applicationIds) =>
    database.db.forTenant({ organizationId, applicationIds }),
  );
  const plain = await explain(database.db, text());
  expect(plain.length).toBeGreaterThan(0);
  for (const tenant of [listed, all]) {
    expect(tenant && (await explain(tenant, text()))).toEqual(plain);
  }
});
