import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import { ProblemError } from '../problems.ts';
import { isGzipped, parseJson } from './body.ts';
import { Gatherer } from './gather.ts';

/** A line of a body that is not blank. */
export interface BodyLine {
  /** As it was sent, expanded. */
  readonly bytes: number;
  /** Its JSON. Fails with the problem of the line. */
  read(): unknown;
}

/** What is expanded at a time. */
const expandedBytes = 64 * 1024;

/**
 * Reads newline-delimited JSON as it comes, gzip expanded, and holds no more of it than one line and one chunk. A line that is longer than
 * `lineBytesMax` is passed over. Where gzip breaks off there is one more line, which fails; fails itself when the client goes away.
 */
export function readLines(request: IncomingMessage, lineBytesMax: number): AsyncGenerator<BodyLine> {
  return linesOf(isGzipped(request) ? expanded(request) : request, lineBytesMax);
}

async function* linesOf(chunks: AsyncIterable<Buffer>, bytesMax: number): AsyncGenerator<BodyLine> {
  const line = createLine(bytesMax);
  try {
    for await (const chunk of chunks) {
      let from = 0;
      for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', from)) {
        line.add(chunk.subarray(from, end));
        from = end + 1;
        const ended = line.end();
        if (ended) {
          yield ended;
        }
      }
      line.add(chunk.subarray(from));
    }
  } catch (error) {
    if (!isBrokenGzip(error)) {
      throw error;
    }
    yield failing(new ProblemError('JsonPayload', { detail: 'The request body is not valid gzip from here on.', cause: error }));
    return;
  }
  const last = line.end();
  if (last) {
    yield last;
  }
}

function createLine(bytesMax: number) {
  const kept = new Gatherer();
  let bytes = 0;
  return {
    add(part: Buffer): void {
      bytes += part.length;
      if (bytes <= bytesMax) {
        kept.add(part);
      } else {
        kept.take();
      }
    },
    /** Null for a blank one. */
    end(): BodyLine | null {
      const length = bytes;
      const text = kept.take();
      bytes = 0;
      if (length > bytesMax) {
        return failing(new ProblemError('JsonPayload', { status: 413, detail: `The line is larger than ${bytesMax} bytes.` }));
      }
      return isBlank(text) ? null : { bytes: length, read: () => parseJson(text, 'The line') };
    },
  };
}

function failing(problem: ProblemError): BodyLine {
  return {
    bytes: 0,
    read() {
      throw problem;
    },
  };
}

function isBlank(text: Buffer): boolean {
  return text.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

/** Not by `pipeline`, which would end the connection over broken gzip, and with it the answer that says so. */
function expanded(request: IncomingMessage): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: expandedBytes });
  request.once('error', (error) => gunzip.destroy(error));
  gunzip.once('error', () => {
    request.unpipe(gunzip);
    request.resume();
  });
  return request.pipe(gunzip);
}

/** Errors of zlib have codes such as Z_DATA_ERROR. */
function isBrokenGzip(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}
