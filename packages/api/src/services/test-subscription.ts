import type { Database } from '@postrider/shared/database/pool';
import { isMissingPartition } from '@postrider/shared/database/postgres-errors';
import { ensurePartitions } from '@postrider/shared/database/queries/ensure-partitions';
import { insertTestEvent } from '@postrider/shared/database/queries/insert-test-event';
import { listEventTypes } from '@postrider/shared/database/queries/list-event-types';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { prepareEvent } from './ingest-events.ts';

export interface TestOrder {
  readonly applicationId: string;
  readonly subscriptionId: string;
  /** Those of the subscription: the first that is active is sent unless another is asked for. */
  readonly eventTypes: readonly string[];
  readonly eventTypeName: string | null;
  /** Null for a sample of ours. */
  readonly payload: { readonly bytes: Buffer; readonly contentType: string } | null;
  readonly ip: string | null;
  readonly applicationSecretId: string | null;
}

export type TestResult =
  | { readonly kind: 'sent'; readonly eventId: string; readonly eventTypeName: string; readonly requestAttemptId: string }
  | { readonly kind: 'event_type_missing'; readonly names: readonly string[] }
  | { readonly kind: 'disabled' };

/** By this in its metadata an event shows that it is a sample. */
const testMetadata = { postrider_test: 'true' };

/** Stores a sample event with one attempt for a subscription, whatever its labels, and wakes the workers. */
export async function testSubscription(db: Database, notifier: WakeUpNotifier, order: TestOrder): Promise<TestResult> {
  const names = order.eventTypeName === null ? order.eventTypes : [order.eventTypeName];
  const [eventType] = await listEventTypes(db, order.applicationId, names);
  if (!eventType) {
    return { kind: 'event_type_missing', names };
  }
  const eventTypeName = eventType.event_type_name;
  const payload = order.payload ?? samplePayload(eventTypeName, order.subscriptionId);
  // No labels: replayed, the sample would go to every subscription that matches them.
  const event = prepareEvent({
    applicationId: order.applicationId,
    eventId: null,
    eventTypeName,
    payload: payload.bytes,
    payloadContentType: payload.contentType,
    occurredAt: new Date(),
    labels: {},
    metadata: testMetadata,
    ip: order.ip,
    applicationSecretId: order.applicationSecretId,
  });
  const attempt = await withPartitions(db, () => insertTestEvent(db, order.subscriptionId, event));
  if (!attempt) {
    return { kind: 'disabled' };
  }
  notifier.notify([attempt.pool_id]);
  return { kind: 'sent', eventId: event.eventId, eventTypeName, requestAttemptId: attempt.request_attempt_id };
}

function samplePayload(eventTypeName: string, subscriptionId: string): { bytes: Buffer; contentType: string } {
  const sample = {
    test: true,
    event_type: eventTypeName,
    subscription_id: subscriptionId,
    message: 'A sample, sent to try this subscription.',
  };
  return { bytes: Buffer.from(JSON.stringify(sample)), contentType: 'application/json' };
}

async function withPartitions<T>(db: Database, insert: () => Promise<T>): Promise<T> {
  try {
    return await insert();
  } catch (error) {
    if (!isMissingPartition(error)) {
      throw error;
    }
    await ensurePartitions(db);
    return insert();
  }
}
