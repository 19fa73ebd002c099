// BestSlots: the few best of many candidates, best first, found without keeping the others.
// Source followed: none.
// Simplified: of equally good ones the first offered is the better.

/**
 * Keeps the best. Smaller keys are better; the minor one decides between equal major ones.
 * @internal
 */
export class BestSlots {
  /** Candidates offered, those not kept included. */
  offered = 0;
  readonly #most: number;
  readonly #slots: number[] = [];
  readonly #majors: number[] = [];
  readonly #minors: number[] = [];
  #last = -1;

  constructor(most: number) {
    this.#most = most;
  }

  /** The same slot offered several times in a row counts once. */
  offer(slot: number, major: number, minor: number): void {
    if (slot === this.#last) return;
    this.#last = slot;
    this.offered += 1;
    let at = this.#slots.length;
    if (at >= this.#most && !this.#isBetter(major, minor, at - 1)) return;
    while (at > 0 && this.#isBetter(major, minor, at - 1)) at -= 1;
    this.#slots.splice(at, 0, slot);
    this.#majors.splice(at, 0, major);
    this.#minors.splice(at, 0, minor);
    if (this.#slots.length <= this.#most) return;
    this.#slots.pop();
    this.#majors.pop();
    this.#minors.pop();
  }

  get slots(): readonly number[] {
    return this.#slots;
  }

  #isBetter(major: number, minor: number, at: number): boolean {
    const kept = this.#majors[at] as number;
    return major < kept || (major === kept && minor < (this.#minors[at] as number));
  }
}
