import { isConnectionFailure, isMissingPartition, isRefusedData, isTransient } from '@postrider/shared/database/postgres-errors';
import type { EventToIngest } from '@postrider/shared/database/queries/ingest-events';
import { ingestGroupBytesMax, ingestGroupEventsMax, ingestWaitingBytesMax, ingestWaitingEventsMax } from '@postrider/shared/domain/limits';
import { type IngestedGroup, type IngestResult, type NewEvent, prepareEvent } from './ingest-events.ts';

/** Groups that are written at a time: two keep the database busy while the process parses; more only make the groups smaller. */
const concurrentGroupsMax = 2;
/** Waits before a group is sent again after its connection broke: the client is waiting, and tries again by itself after that. */
const resendDelaysMs = [50, 200, 1000, 2000] as const;
const transientTriesMax = 10;

/** Too many events wait for the database already: the client should come back in a moment. */
export class IngestionOverloadedError extends Error {
  override readonly name = 'IngestionOverloadedError';
}

export interface IngestionBatcherOptions {
  /** Writes a group in one statement. */
  readonly ingestGroup: (events: readonly EventToIngest[], isResent: boolean) => Promise<IngestedGroup>;
  readonly ensurePartitions: () => Promise<unknown>;
  /** Tells workers of these pools that something is due; called after the commit. */
  readonly notify: (poolIds: readonly number[]) => void;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly report: {
    groupIngested(group: { events: number; tookMs: number }): void;
    groupResent(error: unknown): void;
  };
  readonly now: () => number;
}

export interface IngestionBatcher {
  /** Resolves after the event and its attempts are committed. Rejects with the database's error, or `IngestionOverloadedError`. */
  ingest(event: NewEvent): Promise<IngestResult>;
  /** Resolves when nothing waits any more. */
  drain(): Promise<void>;
}

interface Waiting {
  readonly event: EventToIngest;
  readonly resolve: (result: IngestResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Shares statements and commits between concurrent requests. There is no timer: a group is what arrived while the earlier ones were being
 * written, so a lone event waits for nothing.
 */
export function createIngestionBatcher(options: IngestionBatcherOptions): IngestionBatcher {
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let groupsInFlight = 0;
  let scheduled = false;
  let onIdle: (() => void)[] = [];

  function schedule(): void {
    if (!scheduled) {
      scheduled = true;
      // After the events of this turn of the loop have arrived, so that they share a group.
      setImmediate(() => {
        scheduled = false;
        startGroups();
      });
    }
  }

  function startGroups(): void {
    while (groupsInFlight < concurrentGroupsMax && waiting.length > 0) {
      const group = takeGroup();
      groupsInFlight += 1;
      // Settles every event of the group itself and never rejects.
      void writeGroup(options, group).then(() => {
        groupsInFlight -= 1;
        startGroups();
      });
    }
    if (groupsInFlight === 0) {
      onIdle.forEach((resolve) => resolve());
      onIdle = [];
    }
  }

  function takeGroup(): Waiting[] {
    let bytes = 0;
    const tooMany = waiting.findIndex(({ event }, index) => {
      bytes += event.payload.length;
      return index > 0 && (index >= ingestGroupEventsMax || bytes > ingestGroupBytesMax);
    });
    const group = waiting.slice(0, tooMany === -1 ? waiting.length : tooMany);
    waiting = waiting.slice(group.length);
    waitingBytes -= group.reduce((sum, { event }) => sum + event.payload.length, 0);
    return group;
  }

  return {
    ingest(event) {
      if (waiting.length >= ingestWaitingEventsMax || waitingBytes + event.payload.length > ingestWaitingBytesMax) {
        return Promise.reject(new IngestionOverloadedError('Too many events wait for the database.'));
      }
      return new Promise((resolve, reject) => {
        waiting.push({ event: prepareEvent(event), resolve, reject });
        waitingBytes += event.payload.length;
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

async function writeGroup(options: IngestionBatcherOptions, group: readonly Waiting[]): Promise<void> {
  const startedAt = options.now();
  try {
    const { results, poolIds } = await writeEvents(
      options,
      group.map(({ event }) => event),
    );
    options.report.groupIngested({ events: group.length, tookMs: options.now() - startedAt });
    options.notify(poolIds);
    group.forEach(({ resolve, reject }, index) => {
      const result = results[index];
      if (result) {
        resolve(result);
      } else {
        reject(new Error('The database did not say what became of an event.'));
      }
    });
  } catch (error) {
    if (isRefusedData(error) && group.length > 1) {
      // One event that PostgreSQL cannot take must not fail the others of its group.
      const middle = Math.ceil(group.length / 2);
      await writeGroup(options, group.slice(0, middle));
      await writeGroup(options, group.slice(middle));
      return;
    }
    group.forEach(({ reject }) => reject(error));
  }
}

/** Sends a group until it is written, or until waiting longer would only keep the clients from trying again. */
async function writeEvents(options: IngestionBatcherOptions, events: readonly EventToIngest[]): Promise<IngestedGroup> {
  let resends = 0;
  for (let tries = 1; ; tries += 1) {
    try {
      return await options.ingestGroup(events, resends > 0);
    } catch (error) {
      if (isMissingPartition(error) && tries < transientTriesMax) {
        await options.ensurePartitions();
      } else if (isTransient(error) && tries < transientTriesMax) {
        continue;
      } else if (isConnectionFailure(error) && resends < resendDelaysMs.length) {
        options.report.groupResent(error);
        await options.wait(resendDelaysMs[resends] ?? 0);
        resends += 1;
      } else {
        throw error;
      }
    }
  }
}
