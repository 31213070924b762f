import type { Delivery } from './signed-post.ts';

/** What a job of a peer's queue says: all that a delivery takes. The payload is a text, since what is signed must arrive byte for byte. */
export interface JobData {
  readonly requestAttemptId: string;
  readonly eventId: string;
  readonly eventTypeName: string;
  readonly payload: string;
}

export function readJob(data: unknown): Delivery {
  if (!isJobData(data)) {
    throw new Error('A job is not one of ours.');
  }
  const { requestAttemptId, eventId, eventTypeName, payload } = data;
  return { requestAttemptId, eventId, eventTypeName, payload: Buffer.from(payload) };
}

function isJobData(data: unknown): data is JobData {
  return typeof data === 'object' && data !== null && 'requestAttemptId' in data && 'payload' in data && typeof data.payload === 'string';
}
