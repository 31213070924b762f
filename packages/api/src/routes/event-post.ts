import { ProblemError } from '../problems.ts';
import { type EventPost, type PayloadContentType, payloadContentTypes } from '../schemas/events.ts';

/**
 * Levels of a payload that comes as a JSON value. Writing JSON takes stack for each of them, which some thousands exhaust; a payload that comes
 * as a text has no such limit.
 */
const payloadDepthMax = 1000;

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
    if (isNestedDeeper(payload, payloadDepthMax)) {
      throw new ProblemError('JsonPayload', {
        code: 'nested_too_deeply',
        detail: `payload: is nested deeper than ${payloadDepthMax} levels`,
      });
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

/** Goes through a value level by level, since a function that called itself would run out of stack too. */
function isNestedDeeper(value: unknown, levelsMax: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= levelsMax && level.length > 0; depth += 1) {
    level = level.flatMap((item): unknown[] => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return level.length > 0;
}
