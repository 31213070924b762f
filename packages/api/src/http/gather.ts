const nothing = Buffer.alloc(0);
/** How much more room than it has bytes is made for what is only announced. */
const announcedFactor = 8;

/**
 * Puts together bytes that come in parts, and holds little more than the bytes themselves however small the parts are: a list of them would cost
 * a hundred times as much for a client that sends one byte at a time. A single part is not copied. Where it was announced how many bytes come,
 * room is made for them at once, but for no more than a few times what has come.
 */
export class Gatherer {
  #gathered: Buffer = nothing;
  #length = 0;
  readonly #announcedBytes: number;

  constructor(announcedBytes = 0) {
    this.#announcedBytes = announcedBytes;
  }

  get length(): number {
    return this.#length;
  }

  add(part: Buffer): void {
    const length = this.#length + part.length;
    if (this.#length === 0) {
      this.#gathered = part;
    } else if (part.length > 0) {
      // A part that was not copied is exactly full, so the first copy is made before anything is written over.
      this.#gathered = length > this.#gathered.length ? this.#grown(length) : this.#gathered;
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

  #grown(lengthMin: number): Buffer {
    const announced = Math.min(this.#announcedBytes, announcedFactor * lengthMin);
    const larger = Buffer.allocUnsafe(announced >= lengthMin ? announced : Math.max(lengthMin, 2 * this.#length));
    this.#gathered.copy(larger, 0, 0, this.#length);
    return larger;
  }
}
