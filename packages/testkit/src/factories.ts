import { randomUUID } from 'node:crypto';
import type { Database } from '@postrider/shared/database/pool';
import { newId } from '@postrider/shared/domain/ids';
import type { ParkReason } from '@postrider/shared/domain/subscription-health';
import { parseSecretsKey, type SecretsKey, seal } from '@postrider/shared/secrets/sealed-secret';
import { testSecretsKey } from './postrider-processes.ts';

/** An application with one event type, `order.item.created`. */
export interface TestApplication {
  readonly organizationId: string;
  readonly applicationId: string;
  readonly eventTypeName: string;
}

/** Inserts an application and an event type, in an organization of its own or in the given one. */
export async function insertApplication(db: Database, inOrganizationId: string | null = null): Promise<TestApplication> {
  const organizationId = inOrganizationId ?? newId();
  const applicationId = newId();
  if (inOrganizationId === null) {
    await db.query({ text: 'insert into iam.organization (organization_id, name) values ($1, $2)', values: [organizationId, 'Acme'] });
  }
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
  await db.query({
    text: `insert into webhook.subscription (subscription_id, application_id, labels, metadata, target_method, target_url, target_headers, secret_sealed)
           values ($1, $2, $3, '{}', 'POST', $4, $5, $6)`,
    values: [
      subscriptionId,
      application.applicationId,
      JSON.stringify(options.labels ?? {}),
      options.url ?? 'http://127.0.0.1:9/',
      JSON.stringify(options.headers ?? {}),
      seal(secretsKey(), secret, `subscription:${subscriptionId}`),
    ],
  });
  await db.query({
    text: 'insert into webhook.subscription_event_type (application_id, event_type_name, subscription_id) values ($1, $2, $3)',
    values: [application.applicationId, application.eventTypeName, subscriptionId],
  });
  return { subscriptionId, secret };
}

function secretsKey(): SecretsKey {
  const key = parseSecretsKey(testSecretsKey);
  if (!key) {
    throw new Error('The key of tests is not a key.');
  }
  return key;
}

/**
 * Inserts what else a tenant can own: a token of each kind, a worker that is assigned at all levels, a failure that is remembered, and an attempt
 * that was answered.
 * Returns the one id that all of them have.
 */
export async function insertTenancy(db: Database, application: TestApplication, subscriptionId: string): Promise<string> {
  const id = newId();
  const sealed = ['application_secret', 'service_token'].map((kind) => seal(secretsKey(), randomUUID(), `${kind}:${id}`));
  await db.query({ text: tenancySql, values: [id, application.applicationId, application.organizationId, subscriptionId, ...sealed] });
  return id;
}

const tenancySql = `
with application_secret as (
  insert into iam.application_secret (application_secret_id, application_id, token_hash, token_sealed)
  values ($1, $2, sha256(uuid_send($1::uuid)), $5)
),
service_token as (
  insert into iam.service_token (service_token_id, organization_id, name, role, token_hash, token_sealed)
  values ($1, $3, 'token', 'editor', sha256(uuid_send($1::uuid)), $6)
),
worker as (
  insert into webhook.worker (worker_id, name, public) values ($1, 'worker ' || $1::uuid, false)
),
organization_worker as (
  insert into webhook.organization_worker (organization_id, worker_id) values ($3, $1)
),
subscription_worker as (
  insert into webhook.subscription_worker (subscription_id, worker_id) values ($4, $1)
),
subscription_health as (
  insert into webhook.subscription_health (subscription_id, application_id, budget, failures, failing_since, throttling, holds)
  values ($4, $2, 1, 1, statement_timestamp(), 0, 0)
),
counted_day as (
  insert into event.snapshotted_events_per_day (application_id, day, amount) values ($2, date '2026-01-01', 1)
),
audit_entry as (
  insert into iam.audit_log (organization_id, actor_kind, action, target_kind, target_id, application_id, changes)
  values ($3, 'master', 'tests.insert', 'test', $1, $2, '{}')
)
insert into webhook.finished_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                      finished_at, succeeded_at, retry_count, event_type_name, http_code, elapsed_ms)
values ($2, $1, $1, statement_timestamp(), $4, statement_timestamp(), statement_timestamp(), statement_timestamp(), statement_timestamp(),
        0, 'order.item.created', 200, 1)
`;

/** What workers say of a subscription's receiver. */
export interface HoldOptions {
  readonly reason: ParkReason;
  /** From now until its hold ends, or since it ended when negative; by default it was never on hold. */
  readonly holdMs?: number;
  readonly failures?: number;
  /** For how long there has been nothing but failure. */
  readonly failingForMs?: number;
  readonly budget?: number;
}

/** Parks a subscription or puts it on hold, as workers do. Its attempts are left where they are. */
export async function holdSubscription(db: Database, subscriptionId: string, options: HoldOptions): Promise<void> {
  await db.query({
    text: holdSql,
    values: [
      subscriptionId,
      options.reason,
      options.holdMs ?? null,
      options.budget ?? 1,
      options.failures ?? 0,
      options.failingForMs ?? null,
      options.holdMs === undefined ? 0 : 1,
    ],
  });
}

const holdSql = `
with parked as (
  update webhook.subscription set parked_at = statement_timestamp() where subscription_id = $1 returning subscription_id, application_id
)
insert into webhook.subscription_health (subscription_id, application_id, park_reason, hold_until, budget, failures, failing_since, throttling, holds)
select subscription_id, application_id, $2, statement_timestamp() + $3::integer * interval '1 millisecond', $4, $5,
       statement_timestamp() - $6::integer * interval '1 millisecond', 0, $7
from parked
on conflict on constraint subscription_health_pkey do update
set park_reason = excluded.park_reason, hold_until = excluded.hold_until, budget = excluded.budget, failures = excluded.failures,
    failing_since = excluded.failing_since, throttling = excluded.throttling, holds = excluded.holds
`;

export interface BacklogOptions {
  readonly count: number;
  /** Of each payload. */
  readonly payloadBytes?: number;
  /** From now: attempts that wait, as for a retry; by default they are due. */
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
         statement_timestamp() - ($4::integer - i) * interval '1 microsecond' as due_at
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
