import { randomUUID } from 'node:crypto';
import type { Database } from '@postrider/shared/database/pool';
import { newId } from '@postrider/shared/domain/ids';
import { parseSecretsKey, seal } from '@postrider/shared/secrets/sealed-secret';
import { testSecretsKey } from './postrider-processes.ts';

/** An application with one event type, `order.item.created`. */
export interface TestApplication {
  readonly organizationId: string;
  readonly applicationId: string;
  readonly eventTypeName: string;
}

/** Inserts an organization, an application and an event type. */
export async function insertApplication(db: Database): Promise<TestApplication> {
  const organizationId = newId();
  const applicationId = newId();
  await db.query({ text: 'insert into iam.organization (organization_id, name) values ($1, $2)', values: [organizationId, 'Acme'] });
  await db.query({
    text: 'insert into event.application (application_id, organization_id, name) values ($1, $2, $3)',
    values: [applicationId, organizationId, 'Shop'],
  });
  await insertEventType(db, applicationId, ['order', 'item', 'created']);
  return { organizationId, applicationId, eventTypeName: 'order.item.created' };
}

async function insertEventType(db: Database, applicationId: string, parts: readonly [string, string, string]): Promise<void> {
  await db.query({
    text: 'insert into event.event_type (application_id, service, resource_type, verb) values ($1, $2, $3, $4)',
    values: [applicationId, ...parts],
  });
}

export interface TestSubscription {
  readonly subscriptionId: string;
  readonly secret: string;
}

/** Inserts a subscription to the application's event type; by default it matches every event. */
export async function insertSubscription(
  db: Database,
  application: TestApplication,
  options: {
    readonly url?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<TestSubscription> {
  const subscriptionId = newId();
  const secret = randomUUID();
  const key = parseSecretsKey(testSecretsKey);
  if (!key) {
    throw new Error('The key of tests is not a key.');
  }
  await db.query({
    text: `insert into webhook.subscription (subscription_id, application_id, labels, metadata, target_method, target_url, target_headers, secret_sealed)
           values ($1, $2, $3, '{}', 'POST', $4, $5, $6)`,
    values: [
      subscriptionId,
      application.applicationId,
      JSON.stringify(options.labels ?? {}),
      options.url ?? 'http://127.0.0.1:9/',
      JSON.stringify(options.headers ?? {}),
      seal(key, secret, `subscription:${subscriptionId}`),
    ],
  });
  await db.query({
    text: 'insert into webhook.subscription_event_type (application_id, event_type_name, subscription_id) values ($1, $2, $3)',
    values: [application.applicationId, application.eventTypeName, subscriptionId],
  });
  return { subscriptionId, secret };
}

export interface BacklogOptions {
  readonly count: number;
  /** Of each payload. */
  readonly payloadBytes?: number;
  /** From now: attempts that wait, as for a retry. By default they are due. */
  readonly dueInMs?: number;
}

/** Inserts events, each with one attempt for the subscription, every one due at a time of its own. */
export async function insertBacklog(
  db: Database,
  application: TestApplication,
  subscription: TestSubscription,
  options: BacklogOptions,
): Promise<void> {
  await db.query({
    text: backlogSql,
    values: [
      application.applicationId,
      application.eventTypeName,
      subscription.subscriptionId,
      options.count,
      options.payloadBytes ?? 1024,
      options.dueInMs ?? 0,
    ],
  });
}

// Rows that share one due time defeat the watermark of claims, so each has its own microsecond.
const backlogSql = `
with made as materialized (
  select gen_random_uuid() as event_id, date_trunc('milliseconds', statement_timestamp()) as received_at,
         statement_timestamp() - $4::integer * interval '1 microsecond' + i * interval '1 microsecond' as due_at
  from generate_series(1, $4::integer) i
),
keys as (
  insert into event.event_key (application_id, event_id, received_at, content_hash)
  select $1::uuid, event_id, received_at, sha256('test') from made
),
events as (
  insert into event.event (application_id, event_id, received_at, occurred_at, event_type_name, payload, payload_content_type, labels, metadata)
  select $1::uuid, event_id, received_at, received_at, $2::text, convert_to('{"data":"' || repeat('x', greatest($5::integer - 11, 0)) || '"}', 'UTF8'),
         'application/json', '{}', '{}'
  from made
)
insert into webhook.open_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                  payload_bytes, pool_id, event_type_name)
select $1::uuid, webhook.new_request_attempt_id(due_at), event_id, received_at, $3::uuid, due_at,
       due_at + $6::integer * interval '1 millisecond', $5::integer, 0, $2::text
from made
`;
