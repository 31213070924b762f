import type { DatabasePool } from '@postrider/shared/database/pool';
import { disableGoneSubscriptions } from '@postrider/shared/database/queries/disable-gone-subscriptions';
import { recordOutcomes } from '@postrider/shared/database/queries/record-outcomes';
import type { OperationalOccurrence } from '@postrider/shared/domain/operational-event';
import type { OperationalEvents } from './operational-events.ts';
import type { RecordedOutcome, RecorderOptions } from './recorder.ts';

export interface OutcomeStoreOptions {
  readonly db: DatabasePool;
  readonly operationalEvents: Pick<OperationalEvents, 'concerns' | 'ingest' | 'announce'>;
  readonly report: { subscriptionsDisabled(subscriptionIds: readonly string[]): void };
}

/** Writes outcomes and what follows from them, together with the operational events about them. */
export function createOutcomeStore(options: OutcomeStoreOptions): Pick<RecorderOptions, 'record' | 'disableSubscriptions'> {
  const { db, operationalEvents, report } = options;
  const isTold = (outcome: RecordedOutcome): boolean => outcome.exhausted !== null && operationalEvents.concerns(outcome.applicationId);

  return {
    async record(outcomes) {
      if (!outcomes.some(isTold)) {
        return recordOutcomes(db, outcomes);
      }
      const recorded = await db.transaction(async (transaction) => {
        const ids = await recordOutcomes(transaction, outcomes);
        // One that had lost its lease is another worker's to tell.
        const told = outcomes.filter((outcome) => ids.has(outcome.requestAttemptId) && isTold(outcome));
        await operationalEvents.ingest(transaction, told.flatMap(exhaustionOf));
        return ids;
      });
      operationalEvents.announce();
      return recorded;
    },
    async disableSubscriptions(subscriptionIds) {
      const disabled = await db.transaction(async (transaction) => {
        const ids = await disableGoneSubscriptions(transaction, subscriptionIds);
        await operationalEvents.ingest(transaction, ids.map(goneOf));
        return ids;
      });
      operationalEvents.announce();
      report.subscriptionsDisabled(disabled);
    },
  };
}

function exhaustionOf(outcome: RecordedOutcome): OperationalOccurrence[] {
  const { exhausted, subscriptionId, requestAttemptId, errorName, httpCode } = outcome;
  return exhausted ? [{ kind: 'delivery_exhausted', subscriptionId, requestAttemptId, errorName, httpCode, ...exhausted }] : [];
}

function goneOf(subscriptionId: string): OperationalOccurrence {
  return { kind: 'subscription_disabled', subscriptionId, reason: 'gone', failingSince: null };
}
