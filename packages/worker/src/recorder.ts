import type { OutcomeToRecord } from '@postrider/shared/database/queries/record-outcomes';
import { recordBatchMax } from '@postrider/shared/domain/limits';
import { createSignal } from './signal.ts';

/** An outcome and what it is about, for the report. */
export interface RecordedOutcome extends OutcomeToRecord {
  readonly subscriptionId: string;
  /** The receiver said that it is gone for good. */
  readonly disablesSubscription: boolean;
  /** What was given up because its retries are used up; null otherwise. */
  readonly exhausted: { readonly eventId: string; readonly eventTypeName: string; readonly retryCount: number } | null;
}

export interface RecorderOptions {
  /** Records a batch in one statement; returns the ids recorded. */
  readonly record: (outcomes: readonly RecordedOutcome[]) => Promise<Set<string>>;
  readonly disableSubscriptions: (subscriptionIds: readonly string[]) => Promise<void>;
  readonly ensurePartitions: () => Promise<unknown>;
  readonly isMissingPartition: (error: unknown) => boolean;
  /** PostgreSQL will never take this batch as it is; every other failure passes with time. */
  readonly isRefused: (error: unknown) => boolean;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly report: {
    recorded(batch: { outcomes: readonly RecordedOutcome[]; tookMs: number }): void;
    leaseLost(outcome: RecordedOutcome): void;
    /** A batch is sent again because it is not known whether it was recorded. */
    retried(error: unknown, outcomes: number): void;
    /** PostgreSQL refuses this outcome; it is recorded without its response. */
    refused(error: unknown, outcome: RecordedOutcome): void;
  };
  readonly now: () => number;
}

export interface Recorder {
  /** Tells when outcomes have left the memory: who waits for room may go on. */
  onRoom(listener: () => void): void;
  push(outcome: RecordedOutcome): void;
  /** Outcomes that are not in the database yet. */
  unrecorded(): number;
  /** Resolves when every outcome pushed so far is recorded. */
  flush(): Promise<void>;
}

const retryDelayMinMs = 100;
const retryDelayMaxMs = 5000;
/** Groups of at least this many say that outcomes come fast; the next ones then wait for more, also after a pause of a moment. */
const busyGroupMin = 4;
const busyForMs = 100;
/** The size that a group waits for under load: costs per outcome hardly fall beyond (ADR 4). */
const groupSizeWanted = 300;
/**
 * For how long it waits at most. The longer a group takes to write, the longer the next waits: it takes long where many workers share a
 * database, and those would each write a few rows at a time, at three times the cost.
 */
const groupDelayMinMs = 8;
const groupDelayMaxMs = 100;
const groupDelayPerWriting = 4;

/**
 * Groups outcomes by what arrived while the last group was being written, so that a lone outcome waits for nothing; in a flood a group
 * waits a few milliseconds more, since slots are free again already and larger groups cost the database less. While the database is away
 * they wait here; the worker stops claiming when too many do, and at worst their leases run out and the events are delivered again.
 */
export function createRecorder(options: RecorderOptions): Recorder {
  let pending: RecordedOutcome[] = [];
  let inFlight = 0;
  let running: Promise<void> | null = null;
  let tellRoom: (() => void) | null = null;
  let busyUntilMs = Number.NEGATIVE_INFINITY;
  let delayMs = groupDelayMinMs;
  const enoughPending = createSignal();

  async function run(): Promise<void> {
    while (pending.length > 0) {
      if (options.now() < busyUntilMs && pending.length < groupSizeWanted) {
        await enoughPending.wait(delayMs);
      }
      const batch = pending.slice(0, recordBatchMax);
      pending = pending.slice(recordBatchMax);
      inFlight = batch.length;
      const startedAt = options.now();
      await recordWhole(options, batch);
      const endedAt = options.now();
      delayMs = Math.min(Math.max(groupDelayPerWriting * (endedAt - startedAt), groupDelayMinMs), groupDelayMaxMs);
      if (batch.length >= busyGroupMin) {
        busyUntilMs = endedAt + busyForMs;
      }
      inFlight = 0;
      tellRoom?.();
    }
  }

  function schedule(): void {
    // The next turn of the event loop, so that outcomes of the same turn share a statement.
    running ??= nextTurn()
      .then(run)
      .finally(() => {
        running = null;
        if (pending.length > 0) {
          schedule();
        }
      });
  }

  return {
    onRoom(listener) {
      tellRoom = listener;
    },
    push(outcome) {
      pending.push(outcome);
      if (pending.length === groupSizeWanted) {
        enoughPending.raise();
      }
      schedule();
    },
    unrecorded: () => pending.length + inFlight,
    async flush() {
      while (running) {
        await running;
      }
    },
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Records a batch, however long the database is away. A batch that PostgreSQL refuses is halved until the culprit is alone. */
async function recordWhole(options: RecorderOptions, batch: readonly RecordedOutcome[]): Promise<void> {
  let delayMs = retryDelayMinMs;
  let isResent = false;
  for (;;) {
    const startedAt = options.now();
    try {
      const recorded = await options.record(batch);
      let missing = batch.filter(({ requestAttemptId }) => !recorded.has(requestAttemptId));
      if (missing.length > 0) {
        // A row whose lease was being renewed at that moment was changed under the statement: a second look finds it as it is now.
        const found = await options.record(missing);
        found.forEach((requestAttemptId) => recorded.add(requestAttemptId));
        missing = missing.filter(({ requestAttemptId }) => !found.has(requestAttemptId));
      }
      const outcomes = missing.length === 0 ? batch : batch.filter(({ requestAttemptId }) => recorded.has(requestAttemptId));
      options.report.recorded({ outcomes, tookMs: options.now() - startedAt });
      // A batch that is sent again may have been recorded the first time: what is missing then has not lost its lease for certain.
      if (!isResent) {
        missing.forEach(options.report.leaseLost);
      }
      await disableGone(options, batch);
      return;
    } catch (error) {
      if (options.isMissingPartition(error)) {
        await options.ensurePartitions().catch((cause: unknown) => options.report.retried(cause, batch.length));
      } else if (options.isRefused(error)) {
        await recordHalves(options, batch, error);
        return;
      } else {
        isResent = true;
        options.report.retried(error, batch.length);
      }
      await options.wait(delayMs);
      delayMs = Math.min(delayMs * 2, retryDelayMaxMs);
    }
  }
}

async function recordHalves(options: RecorderOptions, batch: readonly RecordedOutcome[], error: unknown): Promise<void> {
  const [first] = batch;
  if (batch.length > 1) {
    const middle = Math.ceil(batch.length / 2);
    await recordWhole(options, batch.slice(0, middle));
    await recordWhole(options, batch.slice(middle));
  } else if (first) {
    options.report.refused(error, first);
    if (first.responseHeaders ?? first.responseBody) {
      await recordWhole(options, [{ ...first, responseHeaders: null, responseBody: null }]);
    }
  }
}

async function disableGone(options: RecorderOptions, batch: readonly RecordedOutcome[]): Promise<void> {
  const gone = new Set(batch.filter(({ disablesSubscription }) => disablesSubscription).map(({ subscriptionId }) => subscriptionId));
  if (gone.size > 0) {
    await options.disableSubscriptions([...gone]);
  }
}
