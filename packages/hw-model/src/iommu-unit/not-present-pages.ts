// NotPresentPages: the pages that a unit remembers as not mapped.
// Source followed: VT-d specification 6.1 (caching mode), AMD I/O Virtualization Technology specification 3.2.1 (NpCache):
// emulated units report it, because they learn of a new mapping only through an invalidation.
// Software that maps a page without invalidating it finds it still missing here.
// Simplified: one direct-mapped array; entries that were present but denied the access are not kept.

const ENTRIES = 256;
const MASK = ENTRIES - 1;

/**
 * Negative cache of one unit, tagged by domain id.
 * @internal
 */
export class NotPresentPages {
  /** Domain of an entry, -1 = empty. */
  readonly #domain = new Int32Array(ENTRIES).fill(-1);
  readonly #frame = new Float64Array(ENTRIES);

  /** True when page `frame` of `domain` is remembered as missing. */
  has(domain: number, frame: number): boolean {
    const at = slotOf(domain, frame);
    return this.#domain[at] === domain && this.#frame[at] === frame;
  }

  add(domain: number, frame: number): void {
    const at = slotOf(domain, frame);
    this.#domain[at] = domain;
    this.#frame[at] = frame;
  }

  /** Forgets the pages `first` to `first + frames - 1` of `domain`. */
  invalidatePages(domain: number, first: number, frames: number): void {
    for (let at = 0; at < ENTRIES; at += 1) {
      const frame = this.#frame[at] as number;
      if (this.#domain[at] === domain && frame >= first && frame < first + frames) this.#domain[at] = -1;
    }
  }

  invalidateDomain(domain: number): void {
    for (let at = 0; at < ENTRIES; at += 1) if (this.#domain[at] === domain) this.#domain[at] = -1;
  }

  invalidateAll(): void {
    this.#domain.fill(-1);
  }
}

// `&` on a double wraps modulo 2^32 first (ToInt32): the low bits that choose the slot stay exact.
const slotOf = (domain: number, frame: number): number => (frame + domain * 7) & MASK;
