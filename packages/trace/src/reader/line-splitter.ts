// LineSplitter: bytes in chunks of any size, lines out. A line that lies in one chunk is handed on where it is; one that
// is cut is put together in a buffer that grows up to the length of the longest line allowed.
// Source followed: none; a line ends with a line feed, the last one with the end of the input.
// Simplified: a line beyond the limit is not kept, only told of.

/** Takes bytes `from` up to `end`, which hold one line without its line feed; `bytes[end]` is a line feed. */
export type LineTaker = (bytes: Uint8Array, from: number, end: number) => void;

const LINE_FEED = 10;
const FIRST_BUFFER = 4096;

/** Cuts chunks into lines. */
export class LineSplitter {
  readonly #onLine: LineTaker;
  readonly #onLongLine: () => void;
  readonly #limit: number;
  #buffer: Uint8Array = new Uint8Array(FIRST_BUFFER);
  /** Bytes of the unfinished line; more than the limit when it is being passed over. */
  #held = 0;

  constructor(limit: number, onLine: LineTaker, onLongLine: () => void) {
    this.#limit = limit;
    this.#onLine = onLine;
    this.#onLongLine = onLongLine;
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    let end = chunk.indexOf(LINE_FEED);
    if (end >= 0 && this.#held > 0) {
      this.#hold(chunk, 0, end);
      this.#finish();
      from = end + 1;
      end = chunk.indexOf(LINE_FEED, from);
    }
    for (; end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      if (end - from > this.#limit) this.#onLongLine();
      else this.#onLine(chunk, from, end);
      from = end + 1;
    }
    this.#hold(chunk, from, chunk.length);
  }

  /** The input has ended: what is held is the last line. */
  end(): void {
    if (this.#held > 0) this.#finish();
  }

  #finish(): void {
    const held = this.#held;
    this.#held = 0;
    if (held > this.#limit) {
      this.#onLongLine();
      return;
    }
    this.#buffer[held] = LINE_FEED;
    this.#onLine(this.#buffer, 0, held);
  }

  #hold(chunk: Uint8Array, from: number, end: number): void {
    const held = this.#held + end - from;
    if (held <= this.#limit) {
      if (held >= this.#buffer.length) this.#grow(held);
      this.#buffer.set(chunk.subarray(from, end), this.#held);
    }
    this.#held = held;
  }

  #grow(held: number): void {
    const grown = new Uint8Array(Math.min(2 * held, this.#limit) + 1);
    grown.set(this.#buffer.subarray(0, this.#held));
    this.#buffer = grown;
  }
}
