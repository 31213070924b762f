import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ProblemError } from '../problems.ts';
import { Gatherer } from './gather.ts';

const gunzipAsync = promisify(gunzip);

/**
 * Reads a JSON request body of at most `bytesMax`, gzip expanded. Every way it can fail is a problem that says so. One that is left out is
 * an empty object where `mayBeLeftOut` says so.
 */
export async function readJsonBody(request: IncomingMessage, bytesMax: number, mayBeLeftOut = false): Promise<unknown> {
  const type = request.headers['content-type'];
  // As most write it, before any form that it may have.
  if (type !== undefined && type !== 'application/json' && !/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new ProblemError('JsonPayload', { status: 415, detail: `Content-Type must be application/json, not ${type.slice(0, 100)}.` });
  }
  const isGzip = isGzipped(request);
  const sent = await readBytes(request, bytesMax);
  const bytes = isGzip ? await expand(sent, bytesMax) : sent;
  if (bytes.length === 0 && mayBeLeftOut) {
    return {};
  }
  if (bytes.length === 0) {
    throw new ProblemError('JsonPayload', { detail: 'The request body is empty; a JSON object is expected.' });
  }
  return parseJson(bytes, 'The request body');
}

/** Reads JSON; `what` is the subject of the sentence that says what is wrong with it. */
export function parseJson(bytes: Buffer, what: string): unknown {
  if (!isUtf8(bytes)) {
    throw new ProblemError('JsonPayload', { detail: `${what} is not UTF-8.` });
  }
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new ProblemError('JsonPayload', { detail: `${what} is not valid JSON.`, cause: error });
  }
}

/** Whether a body is to be expanded. Fails for encodings that nobody here can read. */
export function isGzipped(request: IncomingMessage): boolean {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') {
    return false;
  }
  if (!/^(?:x-)?gzip$/i.test(encoding)) {
    throw new ProblemError('JsonPayload', { status: 415, detail: 'Content-Encoding must be gzip or left out.' });
  }
  return true;
}

function readBytes(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const announcedBytes = Number(request.headers['content-length'] ?? 0);
  if (announcedBytes > bytesMax) {
    return Promise.reject(tooLarge(bytesMax));
  }
  return new Promise((resolve, reject) => {
    const body = new Gatherer(announcedBytes);
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) {
        body.add(chunk);
      } else {
        body.take();
        reject(tooLarge(bytesMax));
      }
    });
    request.on('end', () => resolve(body.take()));
    // The connection is gone, and nobody will read the answer.
    request.on('error', (cause) => reject(new ProblemError('JsonPayload', { detail: 'The request body was cut off.', cause })));
  });
}

async function expand(bytes: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await gunzipAsync(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    throw code === 'ERR_BUFFER_TOO_LARGE'
      ? tooLarge(bytesMax)
      : new ProblemError('JsonPayload', { detail: 'The request body is not valid gzip.', cause: error });
  }
}

function tooLarge(bytesMax: number): ProblemError {
  // The rest of the body is not read, so the connection cannot carry another request.
  return new ProblemError('JsonPayload', {
    status: 413,
    detail: `The request body is larger than ${bytesMax} bytes.`,
    headers: { Connection: 'close' },
  });
}
