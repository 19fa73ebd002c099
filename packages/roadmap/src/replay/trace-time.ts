// TraceTime: the times of trace lines as milliseconds since the first of them, as the clocks of all runs take them.
// Source followed: none.
// Simplified: times before the first one, and those more than 34 years after it, are not believed.

const NS_PER_MS = 1e6;
/** Times are whole multiples of this part of a millisecond, so that sums of them are exact. */
const PARTS_PER_MS = 1024;
const MOST_MS = 2 ** 40;

/** Reads times; nanoseconds in, milliseconds out. */
export class TraceTime {
  #first = -1;
  #last = -1;
  #lastMs = -1;

  /** The milliseconds of `at` nanoseconds; -1 = nobody knows. */
  msOf(at: number): number {
    if (at === this.#last) return this.#lastMs;
    if (at < 0) return -1;
    if (this.#first < 0) this.#first = at;
    const ms = Math.floor(((at - this.#first) / NS_PER_MS) * PARTS_PER_MS) / PARTS_PER_MS;
    this.#last = at;
    this.#lastMs = ms < 0 || ms >= MOST_MS ? -1 : ms;
    return this.#lastMs;
  }
}
