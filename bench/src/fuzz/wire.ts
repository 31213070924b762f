import { connect } from 'node:net';
import { type ApiAnswer, readAnswer } from '@postrider/testkit/api-client';

/** A request as its bytes have it. */
export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** How many bytes of the whole are sent before the client sends no more; all of them unless given. */
  readonly cutAt?: number;
}

/** No request takes as long. */
const answerTimeoutMs = 20_000;

/** The bytes of a request, whatever is wrong with it: clients of HTTP would refuse to send most of what is interesting. */
export function bytesOf(request: WireRequest): Buffer {
  const { method, target, version, headers, body } = request;
  const lines = [`${method} ${target} ${version}`, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''];
  const bytes = Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]);
  return request.cutAt === undefined ? bytes : bytes.subarray(0, request.cutAt % bytes.length);
}

/**
 * Sends bytes over a connection of their own; null when it ends without an answer. `isEnded`: closes the sending half after them, as a client does
 * that breaks off.
 */
export async function exchange(
  url: string,
  { bytes, isEnded }: { readonly bytes: Buffer; readonly isEnded: boolean },
): Promise<ApiAnswer | null> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A server may close before it has read all of a request that it refuses.
  socket.on('error', () => {});
  socket.setTimeout(answerTimeoutMs, () => socket.destroy());
  socket.write(bytes);
  if (isEnded) {
    socket.end();
  }
  await new Promise((resolve) => socket.once('close', resolve));
  return readFirst(Buffer.concat(chunks));
}

/** What an answer of unknown length says, up to where it was cut off if it was. */
function joinChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const length = lineEnd === -1 ? 0 : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(length > 0)) {
      return Buffer.concat(parts);
    }
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}

/** The first answer that is more than an announcement; what comes after it answers what else was in the bytes. */
async function readFirst(bytes: Buffer): Promise<ApiAnswer | null> {
  const headEnd = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = bytes.subarray(0, Math.max(headEnd, 0)).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(statusLine)?.[1]);
  if (headEnd === -1 || Number.isNaN(status)) {
    if (bytes.length > 0) {
      throw new Error(`That is no answer of HTTP: ${bytes.subarray(0, 200).toString('latin1')}`);
    }
    return null;
  }
  if (status < 200) {
    return readFirst(bytes.subarray(headEnd + 4));
  }
  const headers = new Headers(lines.map((line) => [line.replace(/:.*/s, ''), line.replace(/^[^:]*:\s*/, '')]));
  const length = headers.get('content-length');
  const rest = bytes.subarray(headEnd + 4);
  const isChunked = headers.get('transfer-encoding') === 'chunked';
  const body = isChunked ? joinChunks(rest) : length === null ? rest : rest.subarray(0, Number(length));
  return readAnswer(new Response(body.length === 0 ? null : new Uint8Array(body), { status, headers }));
}
