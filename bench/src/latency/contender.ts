import type { BenchServer } from '../bench-database.ts';

/** Something that takes an event or a job and sends it to a receiver. */
export interface LatencyContender {
  readonly name: string;
  /** Starts its processes on a database of its own. */
  start(server: BenchServer, receiverUrl: string): Promise<RunningContender>;
}

export interface RunningContender {
  /** Makes an event or job that arrives with this id in the header `x-event-id`; resolves when it is committed. */
  send(id: string): Promise<void>;
  /** When the transactions of all that was sent committed, in milliseconds since 1970, by id. */
  committedAt(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/** Slots, or jobs at a time, of every contender. */
export const latencySlots = 20;
/** The payload of every event or job. */
export const latencyPayload = JSON.stringify({ data: 'x'.repeat(1013) });
