// ByteQueue: bytes of a stream at hand, as many as somebody needs to see at once.
// Source followed: none.
// Simplified: what is at hand lies in one array; it is joined anew when more is asked for than one chunk holds.

/** Bytes of a stream, to be looked at before they are taken. */
export class ByteQueue {
  /** What is at hand; a view that later calls may replace. */
  bytes: Uint8Array = new Uint8Array(0);
  readonly #source: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Gets at least `count` bytes to hand; false when the stream ends before. */
  async atLeast(count: number): Promise<boolean> {
    while (this.bytes.length < count) {
      const next = await this.#source.next();
      if (next.done) return false;
      this.bytes = this.bytes.length === 0 ? next.value : Buffer.concat([this.bytes, next.value]);
    }
    return true;
  }

  /** Takes `count` of the bytes at hand away. */
  take(count: number): Uint8Array {
    const taken = this.bytes.subarray(0, count);
    this.bytes = this.bytes.subarray(count);
    return taken;
  }
}
