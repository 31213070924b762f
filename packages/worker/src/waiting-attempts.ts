import type { LoadedEvent } from '@postrider/shared/database/loaded-event-row';
import type { EventReference } from '@postrider/shared/database/queries/load-events';
import { claimBatchMax, payloadFetchBytesMax } from '@postrider/shared/domain/limits';
import type { HeldAttempt, LoadedAttempt } from './attempt.ts';
import type { Pace } from './prefetch.ts';

export interface WaitingAttemptsOptions {
  /** Each event at the place where it was asked for; those that are gone are left out. */
  readonly loadEvents: (events: readonly EventReference[]) => Promise<(LoadedEvent | undefined)[]>;
  /** Payload bytes that may be in memory, waiting and in flight together. */
  readonly payloadBytesMax: number;
  readonly pace: Pick<Pace, 'noteLoad'>;
  readonly onLoaded: () => void;
  readonly onEventMissing: (attempt: HeldAttempt) => void;
  /** Loading failed: the attempts stay and are tried again at the next chance. */
  readonly onLoadFailed: (error: unknown) => void;
  readonly now: () => number;
}

/** Larger payloads do not come with a claim: of a full one these are some megabytes, which its connection holds at once. */
const claimedPayloadBytesMax = 16 * 1024;
/** Attempts that have started are dropped from the front of the list this many at a time. */
const startedKeptMax = 64;

/**
 * Attempts that are claimed and not started, in the order in which they were claimed. Small payloads of today come with the claim. Others are
 * fetched for whole batches, a bounded number of bytes at a time, and each once however many attempts share it; those that have theirs go ahead.
 */
export class WaitingAttempts {
  readonly #options: WaitingAttemptsOptions;
  #unloaded: HeldAttempt[] = [];
  #loading: HeldAttempt[] | null = null;
  #loaded: LoadedAttempt[] = [];
  #loadedFrom = 0;
  #bytesInMemory = 0;

  constructor(options: WaitingAttemptsOptions) {
    this.#options = options;
  }

  count(): number {
    return this.#unloaded.length + (this.#loading?.length ?? 0) + this.#loaded.length - this.#loadedFrom;
  }

  /** How large a payload may be that comes with the next claim. */
  claimedPayloadBytesMax(): number {
    return Math.min(Math.floor((this.#options.payloadBytesMax - this.#bytesInMemory) / claimBatchMax), claimedPayloadBytesMax);
  }

  /**
   * Adds claimed attempts; payloads that did not come with them are loaded as room comes. Parked ones go before all others: they are few, and
   * were claimed at the moment that their subscription's rate and budget allow.
   */
  add(attempts: readonly HeldAttempt[]): void {
    if (attempts[0]?.isParked) {
      this.#unloaded = [...attempts, ...this.#unloaded];
    } else {
      this.#addEach(attempts);
    }
    this.load();
  }

  #addEach(attempts: readonly HeldAttempt[]): void {
    const loadedBefore = this.#loaded.length;
    for (const held of attempts) {
      if (held.event) {
        this.#bytesInMemory += held.payloadBytes;
        this.#loaded.push({ held, event: held.event });
      } else {
        this.#unloaded.push(held);
      }
    }
    if (this.#unloaded.length === 0) {
      this.#options.pace.noteLoad(0);
    }
    if (this.#loaded.length > loadedBefore) {
      this.#options.onLoaded();
    }
  }

  /** The next attempt whose payload is here. */
  next(): LoadedAttempt | undefined {
    const attempt = this.#loaded[this.#loadedFrom];
    if (attempt) {
      this.#loadedFrom += 1;
      // Under a long backlog there is always one that waits: those that have started must not stay in memory until there is none.
      if (this.#loadedFrom === startedKeptMax || this.#loadedFrom === this.#loaded.length) {
        this.#loaded = this.#loaded.slice(this.#loadedFrom);
        this.#loadedFrom = 0;
      }
    }
    return attempt;
  }

  /** A delivery has ended and its payload may be forgotten. */
  forget(attempt: LoadedAttempt): void {
    this.#bytesInMemory -= attempt.held.payloadBytes;
    this.load();
  }

  /** Attempts that must start before this time, in order. */
  startingBefore(timeMs: number): HeldAttempt[] {
    return this.#everyone().filter(({ startBeforeMs }) => startBeforeMs < timeMs);
  }

  remove(requestAttemptIds: ReadonlySet<string>): void {
    const stays = (held: HeldAttempt): boolean => !requestAttemptIds.has(held.requestAttemptId);
    const inMemory = [...this.#loaded.slice(this.#loadedFrom).map(({ held }) => held), ...(this.#loading ?? [])];
    this.#bytesInMemory -= sumPayloadBytes(inMemory.filter((held) => !stays(held)));
    this.#loaded = this.#loaded.slice(this.#loadedFrom).filter(({ held }) => stays(held));
    this.#loadedFrom = 0;
    this.#loading = this.#loading?.filter(stays) ?? null;
    this.#unloaded = this.#unloaded.filter(stays);
  }

  removeAll(): HeldAttempt[] {
    const all = this.#everyone();
    this.remove(new Set(all.map(({ requestAttemptId }) => requestAttemptId)));
    return all;
  }

  /** Loads the next payloads if there is room and nothing is being loaded. */
  load(): void {
    if (this.#loading || this.#unloaded.length === 0) {
      return;
    }
    const roomBytes = Math.min(this.#options.payloadBytesMax - this.#bytesInMemory, payloadFetchBytesMax);
    const attempts = takeUpTo(this.#unloaded, roomBytes, this.#bytesInMemory === 0);
    if (attempts.length === 0) {
      return;
    }
    this.#unloaded = this.#unloaded.slice(attempts.length);
    this.#bytesInMemory += sumPayloadBytes(attempts);
    this.#loading = attempts;
    // Handles its own failure, and starts the next chunk.
    const wanted = new WantedEvents(attempts);
    const startedAtMs = this.#options.now();
    void this.#options.loadEvents(wanted.references).then(
      (events) => {
        this.#options.pace.noteLoad(this.#options.now() - startedAtMs);
        this.#finishLoading(wanted, events);
      },
      (error: unknown) => {
        const again = this.#loading ?? [];
        this.#bytesInMemory -= sumPayloadBytes(again);
        this.#unloaded = [...again, ...this.#unloaded];
        this.#loading = null;
        this.#options.onLoadFailed(error);
      },
    );
  }

  /** Attempts that were removed while they were being loaded are not among those that are still loading. */
  #finishLoading(wanted: WantedEvents, events: readonly (LoadedEvent | undefined)[]): void {
    const attempts = this.#loading ?? [];
    this.#loading = null;
    const parked: LoadedAttempt[] = [];
    for (const held of attempts) {
      const event = events[wanted.placeOf(held)];
      if (event) {
        (held.isParked ? parked : this.#loaded).push({ held, event });
      } else {
        this.#bytesInMemory -= held.payloadBytes;
        this.#options.onEventMissing(held);
      }
    }
    if (parked.length > 0) {
      this.#loaded.splice(this.#loadedFrom, 0, ...parked);
    }
    this.#options.onLoaded();
    this.load();
  }

  #everyone(): HeldAttempt[] {
    return [...this.#loaded.slice(this.#loadedFrom).map(({ held }) => held), ...(this.#loading ?? []), ...this.#unloaded];
  }
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

/** The events of a group of attempts, each once. */
class WantedEvents {
  readonly references: EventReference[] = [];
  /** Ids are unique within an application only. */
  readonly #places = new Map<string, Map<string, number>>();

  constructor(attempts: readonly HeldAttempt[]) {
    for (const { applicationId, eventId, eventReceivedAt } of attempts) {
      const places = this.#places.get(applicationId) ?? new Map<string, number>();
      this.#places.set(applicationId, places);
      if (!places.has(eventId)) {
        places.set(eventId, this.references.length);
        this.references.push({ applicationId, eventId, receivedAt: eventReceivedAt });
      }
    }
  }

  placeOf({ applicationId, eventId }: HeldAttempt): number {
    return this.#places.get(applicationId)?.get(eventId) ?? -1;
  }
}
