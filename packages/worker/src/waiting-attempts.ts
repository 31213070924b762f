import type { EventReference, LoadedEvent } from '@postrider/shared/database/queries/load-events';
import { payloadFetchBytesMax } from '@postrider/shared/domain/limits';
import type { HeldAttempt, LoadedAttempt } from './attempt.ts';

/** Attempts that are claimed and not started, in the order in which they were claimed. */
export interface WaitingAttempts {
  readonly count: () => number;
  /** Adds claimed attempts; their payloads are loaded as room comes. */
  add(attempts: readonly HeldAttempt[]): void;
  /** The next attempt whose payload is here. */
  next(): LoadedAttempt | undefined;
  /** A delivery has ended and its payload may be forgotten. */
  forget(attempt: LoadedAttempt): void;
  /** Attempts that must start before this time, in order. */
  startingBefore(timeMs: number): HeldAttempt[];
  remove(requestAttemptIds: ReadonlySet<string>): void;
  removeAll(): HeldAttempt[];
  /** Loads again after a failure. */
  resume(): void;
}

export interface WaitingAttemptsOptions {
  readonly loadEvents: (events: readonly EventReference[]) => Promise<LoadedEvent[]>;
  /** Payload bytes that may be in memory, waiting and in flight together. */
  readonly payloadBytesMax: number;
  readonly onLoaded: () => void;
  readonly onEventMissing: (attempt: HeldAttempt) => void;
  /** Loading failed: the attempts stay and are tried again at the next chance. */
  readonly onLoadFailed: (error: unknown) => void;
}

/** Payloads are fetched for whole batches, a bounded number of bytes at a time, and each once however many attempts share it. */
export function createWaitingAttempts(options: WaitingAttemptsOptions): WaitingAttempts {
  let unloaded: HeldAttempt[] = [];
  let loading: { attempts: HeldAttempt[] } | null = null;
  let loaded: LoadedAttempt[] = [];
  let loadedFrom = 0;
  let bytesInMemory = 0;

  function load(): void {
    if (loading || unloaded.length === 0) {
      return;
    }
    const roomBytes = Math.min(options.payloadBytesMax - bytesInMemory, payloadFetchBytesMax);
    const chunk = { attempts: takeUpTo(unloaded, roomBytes, bytesInMemory === 0) };
    if (chunk.attempts.length === 0) {
      return;
    }
    unloaded = unloaded.slice(chunk.attempts.length);
    bytesInMemory += sumPayloadBytes(chunk.attempts);
    loading = chunk;
    // Handles its own failure, and starts the next chunk.
    void options.loadEvents(distinctEvents(chunk.attempts)).then(
      (events) => finishLoading(chunk.attempts, events),
      (error: unknown) => {
        bytesInMemory -= sumPayloadBytes(chunk.attempts);
        unloaded = [...chunk.attempts, ...unloaded];
        loading = null;
        options.onLoadFailed(error);
      },
    );
  }

  function finishLoading(attempts: readonly HeldAttempt[], events: readonly LoadedEvent[]): void {
    const byId = new Map(events.map((event) => [`${event.applicationId} ${event.eventId}`, event]));
    loading = null;
    for (const held of attempts) {
      const event = byId.get(`${held.applicationId} ${held.eventId}`);
      if (event) {
        loaded.push({ held, event });
      } else {
        bytesInMemory -= held.payloadBytes;
        options.onEventMissing(held);
      }
    }
    options.onLoaded();
    load();
  }

  function everyone(): HeldAttempt[] {
    return [...loaded.slice(loadedFrom).map(({ held }) => held), ...(loading?.attempts ?? []), ...unloaded];
  }

  function remove(ids: ReadonlySet<string>): void {
    const stays = (held: HeldAttempt): boolean => !ids.has(held.requestAttemptId);
    const inMemory = [...loaded.slice(loadedFrom).map(({ held }) => held), ...(loading?.attempts ?? [])];
    bytesInMemory -= sumPayloadBytes(inMemory.filter((held) => !stays(held)));
    loaded = loaded.slice(loadedFrom).filter(({ held }) => stays(held));
    loadedFrom = 0;
    if (loading) {
      loading.attempts = loading.attempts.filter(stays);
    }
    unloaded = unloaded.filter(stays);
  }

  return {
    count: () => unloaded.length + (loading?.attempts.length ?? 0) + loaded.length - loadedFrom,
    add(attempts) {
      unloaded.push(...attempts);
      load();
    },
    next() {
      const attempt = loaded[loadedFrom];
      if (attempt) {
        loadedFrom += 1;
        if (loadedFrom === loaded.length) {
          loaded = [];
          loadedFrom = 0;
        }
      }
      return attempt;
    },
    forget(attempt) {
      bytesInMemory -= attempt.held.payloadBytes;
      load();
    },
    startingBefore: (timeMs) => everyone().filter(({ startBeforeMs }) => startBeforeMs < timeMs),
    remove,
    removeAll() {
      const all = everyone();
      remove(new Set(all.map(({ requestAttemptId }) => requestAttemptId)));
      return all;
    },
    resume: load,
  };
}

/** The attempts from the front whose payloads fit; one that alone is too large is taken when nothing else is in memory. */
function takeUpTo(attempts: readonly HeldAttempt[], roomBytes: number, takeFirst: boolean): HeldAttempt[] {
  let bytes = 0;
  const tooMany = attempts.findIndex((attempt, index) => {
    bytes += attempt.payloadBytes;
    return bytes > roomBytes && !(takeFirst && index === 0);
  });
  return attempts.slice(0, tooMany === -1 ? attempts.length : tooMany);
}

function sumPayloadBytes(attempts: readonly HeldAttempt[]): number {
  return attempts.reduce((sum, attempt) => sum + attempt.payloadBytes, 0);
}

function distinctEvents(attempts: readonly HeldAttempt[]): EventReference[] {
  const events = new Map<string, EventReference>();
  for (const { applicationId, eventId, eventReceivedAt } of attempts) {
    events.set(`${applicationId} ${eventId}`, { applicationId, eventId, receivedAt: eventReceivedAt });
  }
  return [...events.values()];
}
