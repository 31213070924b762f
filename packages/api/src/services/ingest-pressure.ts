import { ingestGroupBytesMax, ingestGroupEventsMax, ingestWaitingBytesMax, ingestWaitingEventsMax } from '@postrider/shared/domain/limits';

/** Why an event was not taken: a closed set, which metrics use as a label. */
export type RefusalReason = 'too_many_events' | 'too_many_bytes' | 'slow_database' | 'database_away' | 'waited_too_long' | 'backlog';

/** The event was not taken and nothing of it is stored: the client should come back in a moment. */
export class IngestionOverloadedError extends Error {
  override readonly name = 'IngestionOverloadedError';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(`An event was not taken: ${reason}.`);
    this.reason = reason;
  }
}

/** What waits in the batcher when another event comes. */
export interface Waits {
  readonly events: number;
  /** With those of the event that comes. */
  readonly bytes: number;
  readonly groupsInFlight: number;
  /** Whether it would be written at once, with what waits already. */
  readonly isNext: boolean;
}

/** Knows how long the database takes at the moment, and what that means for another event. */
export interface IngestPressure {
  /** Why another event should not be taken now; null when it should. */
  refusalOf(waits: Waits): RefusalReason | null;
  /** A group is being written; the answer is told how it ended. */
  groupStarted(): (end: 'written' | 'database_away' | 'refused') => void;
}

export interface IngestPressureOptions {
  /** Longest wait that an event may expect. */
  readonly waitLimitMs: number;
  readonly concurrentGroupsMax: number;
  readonly now: () => number;
}

/** The share of the latest group in the average: a slow database shows after two or three groups, one slow group alone does not. */
const latestShare = 0.3;

/**
 * Judges by the average time of recent groups, or by the age of one that is still being written where that is more, since a database that
 * stands still finishes none. An event is always taken when it would be written at once: so the times stay measured, and taking events
 * begins again by itself.
 */
export function createIngestPressure(options: IngestPressureOptions): IngestPressure {
  const { waitLimitMs, concurrentGroupsMax, now } = options;
  const inFlight = new Set<{ readonly startedAtMs: number }>();
  let averageMs = 0;
  let isAway = false;

  function groupMs(): number {
    // In the order in which they were started.
    const [oldest] = inFlight;
    return oldest ? Math.max(averageMs, now() - oldest.startedAtMs) : averageMs;
  }

  return {
    refusalOf({ events, bytes, groupsInFlight, isNext }) {
      if (events >= ingestWaitingEventsMax) {
        return 'too_many_events';
      }
      if (bytes > ingestWaitingBytesMax) {
        return 'too_many_bytes';
      }
      if (isAway && groupsInFlight > 0) {
        // One group at a time finds out whether the database is back.
        return 'database_away';
      }
      if (isNext) {
        return null;
      }
      const groupsAhead = Math.floor(Math.max(events / ingestGroupEventsMax, bytes / ingestGroupBytesMax));
      const rounds = Math.floor(groupsAhead / concurrentGroupsMax) + 1;
      return rounds * groupMs() > waitLimitMs ? 'slow_database' : null;
    },
    groupStarted() {
      const group = { startedAtMs: now() };
      inFlight.add(group);
      return (end) => {
        inFlight.delete(group);
        if (end === 'written') {
          averageMs += latestShare * (now() - group.startedAtMs - averageMs);
        }
        // Values that are refused say nothing about the database but that it is there.
        isAway = end === 'database_away';
      };
    },
  };
}
