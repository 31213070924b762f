import { IngestionOverloadedError } from './ingest-pressure.ts';
import type { IngestionBatcher } from './ingestion-batcher.ts';

/** Waits between tries while the queue of events is full, some five seconds in all: longer, and the client is better told. */
const delaysMs = [50, 100, 200, 400, 800, 1600, 2000] as const;

/**
 * For events that come in a stream: while the queue is full they wait, and so does whoever sends the stream. Fails as the batcher does when
 * it is full for long.
 */
export function ingestPatiently(
  batcher: Pick<IngestionBatcher, 'ingest'>,
  wait: (delayMs: number) => Promise<void>,
): Pick<IngestionBatcher, 'ingest'> {
  return {
    async ingest(event) {
      for (const delayMs of delaysMs) {
        try {
          return await batcher.ingest(event);
        } catch (error) {
          if (!(error instanceof IngestionOverloadedError)) {
            throw error;
          }
          await wait(delayMs);
        }
      }
      return batcher.ingest(event);
    },
  };
}
