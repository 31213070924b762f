import { createHash } from 'node:crypto';
import type { DatabasePool, Transaction } from '@postrider/shared/database/pool';
import { isConnectionFailure, isMissingPartition, isTransient } from '@postrider/shared/database/postgres-errors';
import { ensurePartitions } from '@postrider/shared/database/queries/ensure-partitions';
import { type EventToIngest, type IngestedEvents, ingestEvents } from '@postrider/shared/database/queries/ingest-events';
import { insertAuditEntry } from '@postrider/shared/database/queries/insert-audit-entry';
import { listEventTypes } from '@postrider/shared/database/queries/list-event-types';
import { loadSubscriptionNames } from '@postrider/shared/database/queries/load-subscription-names';
import { lockApplication } from '@postrider/shared/database/queries/lock-application';
import { upsertEventType } from '@postrider/shared/database/queries/upsert-event-type';
import { withinSavepoint } from '@postrider/shared/database/savepoint';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { newId } from '@postrider/shared/domain/ids';
import { ingestGroupEventsMax } from '@postrider/shared/domain/limits';
import { describeOccurrence, type OperationalOccurrence, operationalEventTypes } from '@postrider/shared/domain/operational-event';

/** What became of operational events; each adds up to all that were tried. */
export interface OperationalReport {
  ingested(count: number): void;
  /** Told before: the same subscription in the same minute, or the same attempt. */
  repeated(count: number): void;
  failed(failure: { readonly count: number; readonly applicationId: string; readonly cause: unknown }): void;
}

export interface OperationalEventsOptions {
  /** Of the operator; null when nobody wants operational events. */
  readonly applicationId: string | null;
  readonly notifier: Pick<WakeUpNotifier, 'notify'>;
  readonly report: OperationalReport;
  /** The longest that one statement may take while the caller's transaction waits for it. */
  readonly statementMs: number;
}

/** Tells an operator's application what befalls the subscriptions of all others. */
export interface OperationalEvents {
  /** Whether an operator wants to hear of subscriptions of this application: never of its own, whose events would go round for ever. */
  concerns(applicationId: string): boolean;
  /** Makes the event types, so that subscriptions to them can be made before the first event. Never rejects. */
  prepare(db: DatabasePool): Promise<void>;
  /**
   * Ingests events about what the transaction writes: both are committed, or neither is. Rejects only when the connection is lost, and the
   * transaction with it; any other failure is reported, undone and forgotten, so that it never keeps the transaction from being committed.
   */
  ingest(transaction: Transaction, occurrences: readonly OperationalOccurrence[]): Promise<void>;
  /** Wakes the workers that deliver the events; called after the commit. */
  announce(): void;
}

/** A missing partition is made, and a deadlock passes; whatever is wrong after that will be wrong the next time, too. */
const triesMax = 3;

/** What fails because the operator's application is not there. */
class ApplicationMissingError extends Error {
  override readonly name = 'ApplicationMissingError';
}

export function createOperationalEvents(options: OperationalEventsOptions): OperationalEvents {
  const { applicationId, report } = options;
  // Those that ever got something to deliver. They are few, and announcing one too often costs a claim: so one transaction need not know of
  // another that has ingested and not committed yet.
  const pools = new Set<number>();

  if (applicationId === null) {
    return { concerns: () => false, prepare: () => Promise.resolve(), ingest: () => Promise.resolve(), announce() {} };
  }

  async function ingestOnce(transaction: Transaction, wanted: readonly OperationalOccurrence[], operatorId: string): Promise<void> {
    const events = await composeEvents(transaction, operatorId, wanted);
    let ingested = 0;
    for (let start = 0; start < events.length; start += ingestGroupEventsMax) {
      const group = await ingestGroup(transaction, operatorId, events.slice(start, start + ingestGroupEventsMax));
      ingested += group.ingested;
      group.poolIds.forEach((poolId) => pools.add(poolId));
    }
    report.ingested(ingested);
    report.repeated(events.length - ingested);
  }

  return {
    concerns: (other) => other !== applicationId,
    async prepare(db) {
      try {
        await db.transaction(async (transaction) => {
          // Workers that start together make each type once.
          if (!(await lockApplication(transaction, applicationId))) {
            throw new ApplicationMissingError('The application of operational events does not exist.');
          }
          await ensureEventTypes(transaction, applicationId);
        });
      } catch (cause) {
        report.failed({ count: 0, applicationId, cause });
      }
    },
    async ingest(transaction, occurrences) {
      for (let tries = 1; occurrences.length > 0; tries += 1) {
        try {
          await withinSavepoint(transaction, options.statementMs, () => ingestOnce(transaction, occurrences, applicationId));
          return;
        } catch (cause) {
          if (isConnectionFailure(cause)) {
            throw cause;
          }
          const mayPass = tries < triesMax && (isTransient(cause) || (await canMakePartition(transaction, options.statementMs, cause)));
          if (!mayPass) {
            report.failed({ count: occurrences.length, applicationId, cause });
            return;
          }
        }
      }
    },
    announce: () => options.notifier.notify(pools),
  };
}

/** The events of all occurrences that concern others. Within one statement no two may have one id. */
async function composeEvents(
  transaction: Transaction,
  operatorId: string,
  occurrences: readonly OperationalOccurrence[],
): Promise<EventToIngest[]> {
  const ids = new Set(occurrences.map(({ subscriptionId }) => subscriptionId));
  const rows = new Map((await loadSubscriptionNames(transaction, [...ids])).map((row) => [row.subscription_id, row]));
  const events = new Map<string, EventToIngest>();
  for (const occurrence of occurrences) {
    const row = rows.get(occurrence.subscriptionId);
    if (row && row.application_id !== operatorId) {
      const { application_id, description, target_url, at } = row;
      const event = describeOccurrence(occurrence, { applicationId: application_id, description, targetUrl: target_url, at });
      const eventId = event.eventId ?? newId();
      const payload = Buffer.from(JSON.stringify(event.payload));
      events.set(eventId, {
        applicationId: operatorId,
        eventId,
        eventTypeName: event.eventTypeName,
        payload,
        payloadContentType: 'application/json',
        occurredAt: at,
        labels: event.labels,
        metadata: {},
        ip: null,
        applicationSecretId: null,
        contentHash: createHash('sha256').update(payload).digest(),
      });
    }
  }
  return [...events.values()];
}

async function ingestGroup(
  transaction: Transaction,
  operatorId: string,
  events: readonly EventToIngest[],
): Promise<{ readonly ingested: number; readonly poolIds: readonly number[] }> {
  const first = await ingestEvents(transaction, events);
  if (first.withoutApplication.length > 0) {
    throw new ApplicationMissingError('The application of operational events does not exist.');
  }
  const untyped = first.withoutEventType.flatMap((position) => events[position] ?? []);
  const ingested = countStored(events, first);
  if (untyped.length === 0) {
    return { ingested, poolIds: first.poolIds };
  }
  await ensureEventTypes(transaction, operatorId);
  const second = await ingestEvents(transaction, untyped);
  return {
    ingested: ingested + countStored(untyped, second),
    poolIds: [...first.poolIds, ...second.poolIds],
  };
}

function countStored(events: readonly EventToIngest[], { withoutApplication, withoutEventType, withTakenId }: IngestedEvents): number {
  return events.length - withoutApplication.length - withoutEventType.length - withTakenId.length;
}

/** Makes the event types that are not there, or not active, in the order in which every worker makes them. */
async function ensureEventTypes(transaction: Transaction, applicationId: string): Promise<void> {
  const wanted = operationalEventTypes.map((parts) => ({ ...parts, name: `${parts.service}.${parts.resourceType}.${parts.verb}` }));
  const known = await listEventTypes(
    transaction,
    applicationId,
    wanted.map(({ name }) => name),
  );
  const missing = wanted.filter(({ name }) => known.every((row) => row.event_type_name !== name));
  for (const { service, resourceType, verb } of missing) {
    await upsertEventType(transaction, { applicationId, service, resourceType, verb });
  }
  for (const { service, resourceType, verb, name } of missing) {
    await insertAuditEntry(transaction, {
      organizationId: null,
      applicationId,
      actorKind: 'system',
      actorId: null,
      ip: null,
      requestId: null,
      action: 'event_types.create',
      targetKind: 'event_type',
      targetId: name,
      changes: { service: { to: service }, resource_type: { to: resourceType }, verb: { to: verb }, event_type_name: { to: name } },
    });
  }
}

/** Makes the partitions when one was missing. False when that is not what is wrong, or they cannot be made now. */
async function canMakePartition(transaction: Transaction, statementMs: number, cause: unknown): Promise<boolean> {
  if (!isMissingPartition(cause)) {
    return false;
  }
  try {
    await withinSavepoint(transaction, statementMs, () => ensurePartitions(transaction));
    return true;
  } catch (error) {
    if (isConnectionFailure(error)) {
      throw error;
    }
    return false;
  }
}
