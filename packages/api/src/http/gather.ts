const nothing = Buffer.alloc(0);

/**
 * Puts together bytes that come in parts, and holds little more than the bytes themselves however small the parts are: a list of them would cost
 * a hundred times as much for a client that sends one byte at a time. A single part is not copied.
 */
export class Gatherer {
  #gathered: Buffer = nothing;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(part: Buffer): void {
    const length = this.#length + part.length;
    if (this.#length === 0) {
      this.#gathered = part;
    } else if (part.length > 0) {
      // A part that was not copied is exactly full, so the first copy is made before anything is written over.
      this.#gathered = length > this.#gathered.length ? grown(this.#gathered, this.#length, length) : this.#gathered;
      part.copy(this.#gathered, this.#length);
    }
    this.#length = length;
  }

  /** All that was added, and starts anew. */
  take(): Buffer {
    const taken = this.#length === this.#gathered.length ? this.#gathered : this.#gathered.subarray(0, this.#length);
    this.#gathered = nothing;
    this.#length = 0;
    return taken;
  }
}

function grown(bytes: Buffer, length: number, lengthMin: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(lengthMin, 2 * length));
  bytes.copy(larger, 0, 0, length);
  return larger;
}
