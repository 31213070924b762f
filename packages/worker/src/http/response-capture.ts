import { responseBodyReadBytesMax } from '@postrider/shared/domain/limits';
import type { CapturedResponse } from '@postrider/shared/domain/outcome';

const emptyBody = Buffer.alloc(0);
const noHeaders: Readonly<Record<string, string>> = {};

type ReceivedHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Keeps the beginning of one response in bounded memory. */
export class ResponseCapture {
  readonly #keptBytesMax: number;
  #httpCode = 0;
  #headers: Readonly<Record<string, string>> = noHeaders;
  #chunks: Buffer[] = [];
  #keptBytes = 0;
  #readBytes = 0;

  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }

  /** Whether the head of the response has arrived. */
  get hasStarted(): boolean {
    return this.#httpCode !== 0;
  }

  get httpCode(): number {
    return this.#httpCode;
  }

  header(name: string): string | undefined {
    return this.#headers[name];
  }

  /** Keeps the headers as they are where none came twice: undici makes them for each response. */
  start(httpCode: number, headers: ReceivedHeaders): void {
    this.#httpCode = httpCode;
    this.#headers = hasOneOfEach(headers) ? headers : joinValues(headers);
  }

  /** Takes a piece of the body; false when enough was read. */
  add(chunk: Buffer): boolean {
    this.#readBytes += chunk.length;
    const room = this.#keptBytesMax - this.#keptBytes;
    if (room > 0) {
      const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
      this.#chunks.push(kept);
      this.#keptBytes += kept.length;
    }
    return this.#readBytes <= responseBodyReadBytesMax;
  }

  toResponse(): CapturedResponse {
    return {
      httpCode: this.#httpCode,
      headers: this.#headers,
      // Copied, so that what is kept does not hold on to the buffers of the socket.
      body: this.#keptBytes === 0 ? emptyBody : Buffer.concat(this.#chunks, this.#keptBytes),
      bodyTruncated: this.#readBytes > this.#keptBytes,
    };
  }
}

function hasOneOfEach(headers: ReceivedHeaders): headers is Readonly<Record<string, string>> {
  for (const name in headers) {
    if (typeof headers[name] !== 'string') {
      return false;
    }
  }
  return true;
}

function joinValues(headers: ReceivedHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value : value.join(', ')]],
    ),
  );
}
