import { ProblemError } from '../problems.ts';
import { type EventPost, type PayloadContentType, payloadContentTypes } from '../schemas/events.ts';

/** The payload as the bytes that are stored and delivered. */
export function readPayload(post: Pick<EventPost, 'payload' | 'payload_content_type'>): { bytes: Buffer; contentType: PayloadContentType } {
  const contentType = payloadContentTypes.find((known) => known === post.payload_content_type);
  if (contentType === undefined) {
    throw new ProblemError('EventInvalidPayloadContentType');
  }
  return { bytes: readBytes(post.payload, contentType), contentType };
}

function readBytes(payload: unknown, contentType: PayloadContentType): Buffer {
  if (payload === undefined) {
    throw new ProblemError('JsonPayload', { detail: 'payload: is missing' });
  }
  if (typeof payload !== 'string') {
    if (contentType !== 'application/json') {
      throw new ProblemError('JsonPayload', { detail: `payload: wanted a string for ${contentType}` });
    }
    return Buffer.from(JSON.stringify(payload));
  }
  if (!payload.isWellFormed()) {
    throw new ProblemError('JsonPayload', { detail: 'payload: wanted well-formed Unicode' });
  }
  switch (contentType) {
    case 'text/plain':
      return Buffer.from(payload);
    case 'application/json':
      requireJson(payload);
      return Buffer.from(payload);
    case 'application/octet-stream+base64':
      if (payload.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(payload)) {
        throw new ProblemError('EventInvalidBase64Payload');
      }
      return Buffer.from(payload, 'base64');
  }
}

function requireJson(payload: string): void {
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new ProblemError('EventInvalidJsonPayload', { cause: error });
  }
}
