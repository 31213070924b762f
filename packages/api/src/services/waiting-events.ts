import type { EventToIngest } from '@postrider/shared/database/queries/ingest-events';
import { ingestGroupBytesMax, ingestGroupEventsMax } from '@postrider/shared/domain/limits';
import type { IngestResult } from './ingest-events.ts';
import { IngestionOverloadedError, type RefusalReason } from './ingest-pressure.ts';

export interface WaitingEvent {
  readonly event: EventToIngest;
  readonly resolve: (result: IngestResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Events that were taken and not sent to the database yet, in their order. */
export interface WaitingEvents {
  count(): number;
  payloadBytes(): number;
  add(waiting: WaitingEvent): void;
  /** The next ones that share a statement. */
  takeGroup(): WaitingEvent[];
  /** Refuses all: nothing of them can be stored. */
  refuseAll(reason: RefusalReason): void;
}

/** Refuses by itself what has waited for longer than the limit: its time is up then, not when the database answers. */
export function createWaitingEvents(options: { readonly waitLimitMs: number; readonly now: () => number }): WaitingEvents {
  const { waitLimitMs, now } = options;
  let waiting: (WaitingEvent & { readonly sinceMs: number })[] = [];
  let bytes = 0;
  let expiry: NodeJS.Timeout | undefined;

  function takeFirst(count: number): WaitingEvent[] {
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    bytes -= taken.reduce((sum, { event }) => sum + event.payload.length, 0);
    return taken;
  }

  function refuse(count: number, reason: RefusalReason): void {
    takeFirst(count).forEach(({ reject }) => reject(new IngestionOverloadedError(reason)));
  }

  function refuseExpired(): void {
    const before = now() - waitLimitMs;
    const tooYoung = waiting.findIndex(({ sinceMs }) => sinceMs > before);
    refuse(tooYoung === -1 ? waiting.length : tooYoung, 'waited_too_long');
    const [oldest] = waiting;
    expiry = oldest ? setTimeout(refuseExpired, Math.ceil(oldest.sinceMs - before)) : undefined;
  }

  return {
    count: () => waiting.length,
    payloadBytes: () => bytes,
    add(event) {
      const { event: toIngest, resolve, reject } = event;
      // Member by member: copying all of them costs several times as much.
      waiting.push({ event: toIngest, resolve, reject, sinceMs: now() });
      bytes += toIngest.payload.length;
      // One timer for all: it looks again at the time of the oldest that is left.
      expiry ??= setTimeout(refuseExpired, waitLimitMs);
    },
    takeGroup() {
      let groupBytes = 0;
      const tooMany = waiting.findIndex(({ event }, index) => {
        groupBytes += event.payload.length;
        return index > 0 && (index >= ingestGroupEventsMax || groupBytes > ingestGroupBytesMax);
      });
      return takeFirst(tooMany === -1 ? waiting.length : tooMany);
    },
    refuseAll: (reason) => refuse(waiting.length, reason),
  };
}
