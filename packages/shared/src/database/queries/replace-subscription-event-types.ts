import type { Database } from '../pool.ts';

/** Makes these the event types of a subscription. */
export async function replaceSubscriptionEventTypes(
  db: Database,
  subscription: { readonly applicationId: string; readonly subscriptionId: string; readonly eventTypes: readonly string[] },
): Promise<void> {
  const { applicationId, subscriptionId, eventTypes } = subscription;
  await db.query({ name: 'replace_subscription_event_types', text: sql, values: [applicationId, subscriptionId, eventTypes] });
}

const sql = `
with removed as (
  delete from webhook.subscription_event_type where subscription_id = $2 and event_type_name <> all ($3::text[])
)
insert into webhook.subscription_event_type (application_id, event_type_name, subscription_id)
select distinct $1::uuid, name, $2::uuid from unnest($3::text[]) as name
on conflict on constraint subscription_event_type_pkey do nothing
`;
