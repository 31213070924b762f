import { isConnectionFailure, isMissingPartition, isRefusedData, isTransient } from '@postrider/shared/database/postgres-errors';
import type { EventToIngest } from '@postrider/shared/database/queries/ingest-events';
import { concurrentGroupsMax, isLargeGroup, mayWriteGroup, wakeUpDelayMs } from '@postrider/shared/domain/ingest-groups';
import { ingestWaitMsMax } from '@postrider/shared/domain/limits';
import { type IngestedGroup, type IngestResult, type NewEvent, prepareEvent } from './ingest-events.ts';
import { createIngestPressure, IngestionOverloadedError, type RefusalReason } from './ingest-pressure.ts';
import { createWaitingEvents, type WaitingEvent } from './waiting-events.ts';

/** Waits before a group is sent again after its connection broke: the client is waiting, and tries again by itself after that. */
const resendDelaysMs = [50, 200, 1000, 2000] as const;
/** A statement that hung until its own limit is not sent again: its clients have waited long enough to hear that they should. */
const resendForMs = 5000;
const transientTriesMax = 10;

export interface IngestionBatcherOptions {
  /** Writes a group in one statement. */
  readonly ingestGroup: (events: readonly EventToIngest[], isResent: boolean) => Promise<IngestedGroup>;
  readonly ensurePartitions: () => Promise<unknown>;
  /** Tells workers of these pools that something is due, at once or some milliseconds later; called after the commit. */
  readonly notify: (pools: WokenPools, withinMs: number) => void;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly report: {
    groupIngested(group: { events: number; tookMs: number }): void;
    groupResent(error: unknown): void;
  };
  readonly now: () => number;
  /** How long an event may expect to wait; five seconds unless given. */
  readonly waitLimitMs?: number;
  /** A reason from elsewhere to take no event now. */
  readonly refusal?: () => RefusalReason | null;
}

type WokenPools = Pick<IngestedGroup, 'poolIds' | 'parkedPoolIds'>;

export interface IngestionBatcher {
  /**
   * Resolves after the event and its attempts are committed. Rejects with the database's error, or with `IngestionOverloadedError` when it was
   * not even sent to the database.
   */
  ingest(event: NewEvent): Promise<IngestResult>;
  /** Resolves when nothing waits any more. */
  drain(): Promise<void>;
}

/**
 * Shares statements and commits between concurrent requests. There is no timer: a group is what arrived while the earlier one was being
 * written, so a lone event waits for nothing.
 */
export function createIngestionBatcher(options: IngestionBatcherOptions): IngestionBatcher {
  const { now, waitLimitMs = ingestWaitMsMax } = options;
  const pressure = createIngestPressure({ waitLimitMs, concurrentGroupsMax, now });
  const waiting = createWaitingEvents({ waitLimitMs, now });
  let groupsInFlight = 0;
  let eventsInFlight = 0;
  let onIdle: (() => void)[] = [];

  /** After the events of this turn of the loop have arrived, so that they share a group. */
  const schedule = oncePerTurn(startGroups);
  const mayStartGroup = (): boolean =>
    mayWriteGroup({ groupsInFlight, eventsInFlight, eventsWaiting: waiting.count(), bytesWaiting: waiting.payloadBytes() });

  function startGroups(): void {
    while (waiting.count() > 0 && mayStartGroup()) {
      const group = waiting.takeGroup();
      groupsInFlight += 1;
      eventsInFlight += group.length;
      const ended = pressure.groupStarted();
      // Settles every event of the group itself and never rejects.
      void writeGroup(options, group, settle).then((end) => {
        groupsInFlight -= 1;
        eventsInFlight -= group.length;
        ended(end);
        if (end === 'database_away') {
          // What waits would only find out the same, later.
          waiting.refuseAll('database_away');
        }
        startGroups();
      });
    }
    if (groupsInFlight === 0) {
      // After what was written has been settled.
      setImmediate((idle: typeof onIdle) => idle.forEach((resolve) => resolve()), onIdle);
      onIdle = [];
    }
  }

  /** Tells of a group that was committed; first the next one goes to the database, which has nothing to do until then. */
  function settle(group: readonly WaitingEvent[], { results, ...pools }: IngestedGroup): void {
    setImmediate(() => {
      options.notify(pools, isLargeGroup(eventsInFlight) ? wakeUpDelayMs : 0);
      resolveGroup(group, results);
    });
  }

  return {
    ingest(event) {
      const bytes = waiting.payloadBytes() + event.payload.length;
      const waits = { events: waiting.count(), bytes, groupsInFlight, isNext: mayStartGroup() };
      const refusal = options.refusal?.() ?? pressure.refusalOf(waits);
      if (refusal) {
        return Promise.reject(new IngestionOverloadedError(refusal));
      }
      return new Promise((resolve, reject) => {
        waiting.add({ event: prepareEvent(event), resolve, reject });
        schedule();
      });
    },
    drain() {
      return new Promise((resolve) => {
        onIdle.push(resolve);
        schedule();
      });
    },
  };
}

function oncePerTurn(work: () => void): () => void {
  let isScheduled = false;
  return () => {
    if (!isScheduled) {
      isScheduled = true;
      setImmediate(() => {
        isScheduled = false;
        work();
      });
    }
  };
}

function resolveGroup(group: readonly WaitingEvent[], results: readonly IngestResult[]): void {
  group.forEach(({ resolve, reject }, index) => {
    const result = results[index];
    if (result) {
      resolve(result);
    } else {
      reject(new Error('The database did not say what became of an event.'));
    }
  });
}

type GroupEnd = 'written' | 'database_away' | 'refused';

type Settle = (group: readonly WaitingEvent[], ingested: IngestedGroup) => void;

async function writeGroup(options: IngestionBatcherOptions, group: readonly WaitingEvent[], settle: Settle): Promise<GroupEnd> {
  const startedAt = options.now();
  try {
    const ingested = await writeEvents(
      options,
      group.map(({ event }) => event),
    );
    options.report.groupIngested({ events: group.length, tookMs: options.now() - startedAt });
    settle(group, ingested);
    return 'written';
  } catch (error) {
    if (isRefusedData(error) && group.length > 1) {
      // One event that PostgreSQL cannot take must not fail the others of its group.
      const middle = Math.ceil(group.length / 2);
      await writeGroup(options, group.slice(0, middle), settle);
      return writeGroup(options, group.slice(middle), settle);
    }
    group.forEach(({ reject }) => reject(error));
    return isConnectionFailure(error) ? 'database_away' : 'refused';
  }
}

/** Sends a group until it is written, or until waiting longer would only keep the clients from trying again. */
async function writeEvents(options: IngestionBatcherOptions, events: readonly EventToIngest[]): Promise<IngestedGroup> {
  const startedAtMs = options.now();
  let resends = 0;
  for (let tries = 1; ; tries += 1) {
    try {
      return await options.ingestGroup(events, resends > 0);
    } catch (error) {
      if (isMissingPartition(error) && tries < transientTriesMax) {
        await options.ensurePartitions();
      } else if (isTransient(error) && tries < transientTriesMax) {
        continue;
      } else if (isConnectionFailure(error) && resends < resendDelaysMs.length && options.now() - startedAtMs < resendForMs) {
        options.report.groupResent(error);
        await options.wait(resendDelaysMs[resends] ?? 0);
        resends += 1;
      } else {
        throw error;
      }
    }
  }
}
