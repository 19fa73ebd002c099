// HeldBytes: memory of things that are handed out and come back: how much was ever taken, is held, and was held at most.
// Source followed: our own.
// Simplified: none.

/** @internal */
export class HeldBytes<Thing extends object> {
  /** Bytes taken over the run, held now, and most that were ever held. */
  taken = 0;
  now = 0;
  peak = 0;
  readonly #of = new Map<Thing, number>();

  out(thing: Thing, bytes: number): void {
    this.#of.set(thing, bytes);
    this.taken += bytes;
    this.now += bytes;
    this.peak = Math.max(this.peak, this.now);
  }

  /** Nothing for a thing that was never handed out. */
  back(thing: Thing): void {
    this.now -= this.#of.get(thing) ?? 0;
    this.#of.delete(thing);
  }
}
