// NumberedNames: a number for each different text, so that states and events are compared exactly and cheaply.
// Source followed: none; hash consing, in which equal descriptions get equal numbers and no hash can collide.
// Simplified: nothing is ever forgotten.

/** Numbers from 1 on, in the order of first mention. @internal */
export class NumberedNames {
  readonly #numbers = new Map<string, number>();

  /** The number of `text`. */
  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const fresh = this.#numbers.size + 1;
    this.#numbers.set(text, fresh);
    return fresh;
  }
}
