import { pipeline } from 'node:stream/promises';
import type { Exchange } from './exchange.ts';
import type { Reply } from './route.ts';

/** Sends a reply. Null when it is sent, where it does not come in parts. */
export function send(exchange: Exchange, reply: Reply): Promise<void> | null {
  for (const name in reply.headers) {
    exchange.setHeader(name, reply.headers[name] ?? '');
  }
  if (reply.stream) {
    exchange.setHeader('Content-Type', reply.stream.type);
    return sendParts(exchange, reply.status, reply.stream.parts);
  }
  // Not by express, which answers 304 to `If-None-Match: *` though nothing has a tag.
  if (reply.content) {
    exchange.end(reply.status, reply.content.type, reply.content.bytes);
  } else if (reply.body === undefined) {
    exchange.endEmpty(reply.status);
  } else {
    exchange.end(reply.status, 'application/json; charset=utf-8', JSON.stringify(reply.body));
  }
  return null;
}

/** A client that goes away in the middle ends it: what it was not told, it cannot miss. */
async function sendParts(exchange: Exchange, status: number, parts: AsyncIterable<string>): Promise<void> {
  const { message } = exchange;
  const response = exchange.begin(status);
  // Before the first part, which may be waiting for something that the client sends only then.
  response.flushHeaders();
  try {
    await pipeline(parts, response);
  } catch (error) {
    if (!response.destroyed || !isCutOff(error)) {
      throw error;
    }
  }
  if (!message.complete) {
    // Whatever else the client sends means nothing, so the connection cannot carry another request.
    message.socket.end();
  }
}

function isCutOff(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ECONNRESET');
}
