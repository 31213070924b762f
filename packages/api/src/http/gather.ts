/** Puts together bytes that come in parts. */
export interface Gatherer {
  readonly length: number;
  add(part: Buffer): void;
  /** All that was added, and starts anew. */
  take(): Buffer;
}

const nothing = Buffer.alloc(0);

/**
 * Holds little more than the bytes themselves however small the parts are: a list of them would cost a hundred times as much for a client
 * that sends one byte at a time. A single part is not copied.
 */
export function createGatherer(): Gatherer {
  let gathered: Buffer = nothing;
  let length = 0;

  return {
    get length() {
      return length;
    },
    add(part) {
      if (length === 0) {
        gathered = part;
      } else if (part.length > 0) {
        // A part that was not copied is exactly full, so the first copy is made before anything is written over.
        gathered = length + part.length > gathered.length ? grown(gathered, length, length + part.length) : gathered;
        part.copy(gathered, length);
      }
      length += part.length;
    },
    take() {
      const taken = gathered.subarray(0, length);
      gathered = nothing;
      length = 0;
      return taken;
    },
  };
}

function grown(bytes: Buffer, length: number, lengthMin: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(lengthMin, 2 * length));
  bytes.copy(larger, 0, 0, length);
  return larger;
}
