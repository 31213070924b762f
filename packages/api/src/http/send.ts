import { pipeline } from 'node:stream/promises';
import type { ServerResponse } from 'node:http';
import type { Exchange } from './exchange.ts';
import type { Reply } from './route.ts';

const sent = Promise.resolve();

/** Sends a reply. */
export function send(exchange: Pick<Exchange, 'message' | 'response'>, reply: Reply): Promise<void> {
  const { response } = exchange;
  response.statusCode = reply.status;
  if (reply.headers) {
    Object.entries(reply.headers).forEach(([name, value]) => response.setHeader(name, value));
  }
  if (reply.content) {
    response.setHeader('Content-Type', reply.content.type);
    // Node leaves it out of an answer to HEAD.
    response.setHeader('Content-Length', reply.content.bytes.length);
    // Not by express, which answers 304 to `If-None-Match: *` though nothing has a tag.
    response.end(reply.content.bytes);
  } else if (reply.stream) {
    response.setHeader('Content-Type', reply.stream.type);
    return sendParts(exchange, reply.stream.parts);
  } else if (reply.body === undefined) {
    response.end();
  } else {
    sendJson(response, reply.body);
  }
  return sent;
}

/** What `response.json` does, without the settings that it asks for and the types that it looks up. */
function sendJson(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  // For HEAD, too, where Node would not know it.
  response.setHeader('Content-Length', Buffer.byteLength(text));
  // As a text it leaves together with the headers, in one write.
  response.end(text);
}

/** A client that goes away in the middle ends it: what it was not told, it cannot miss. */
async function sendParts({ message, response }: Pick<Exchange, 'message' | 'response'>, parts: AsyncIterable<string>): Promise<void> {
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
