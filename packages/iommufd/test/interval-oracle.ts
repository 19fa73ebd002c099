// IntervalOracle: an I/O address space as plain lists of ranges in bigint arithmetic, every question answered by looking at
// all of them.
// Source followed: drivers/iommu/iommufd/io_pagetable.c.
// Simplified: for tests only; one mock device at most; user memory is always there and writable.

/** An inclusive range. */
export type Span = readonly [first: bigint, last: bigint];

/** A mapped range: where its bytes are, and whether its pages were made for writing. */
export interface OracleArea {
  readonly span: Span;
  readonly va: bigint;
  readonly pagesWritable: boolean;
}

const PAGE = 4096n;
const SPACE = 2n ** 64n;
const HUGE = 2n ** 21n;
/** What lies outside the mock aperture. */
const OUTSIDE: readonly Span[] = [
  [0n, 0xffffffn],
  [0x80000000n, SPACE - 1n],
];

const meets = (a: Span, b: Span): boolean => a[0] <= b[1] && b[0] <= a[1];
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

function powerFrom(value: bigint): bigint {
  let power = 1n;
  while (power < value) power *= 2n;
  return power;
}

/** The oracle. Errnos are negative. */
export class IntervalOracle {
  areas: OracleArea[] = [];
  allowed: Span[] = [];
  tests: Span[] = [];
  attached = false;
  smallPages = false;

  get alignment(): bigint {
    if (this.smallPages) return PAGE;
    return this.attached ? 2048n : 1n;
  }

  get reserved(): readonly Span[] {
    return this.attached ? [...this.tests, ...OUTSIDE] : this.tests;
  }

  /** The errno, or the IOVA. */
  place(hint: bigint, length: bigint, wish: bigint | null): bigint {
    if (length === 0n || length % this.alignment !== 0n) return -22n;
    return wish === null ? this.#automatic(hint, length) : this.#fixed(wish, length);
  }

  #fixed(iova: bigint, length: bigint): bigint {
    if (iova % this.alignment !== 0n) return -22n;
    if (iova + length > SPACE) return -75n;
    const span: Span = [iova, iova + length - 1n];
    if (this.reserved.some((one) => meets(one, span))) return -22n;
    return this.areas.some((one) => meets(one.span, span)) ? -17n : iova;
  }

  #automatic(hint: bigint, length: bigint): bigint {
    const rounded = powerFrom(length);
    const natural = hint === 0n ? rounded : min(rounded, hint & -hint);
    const alignment = min(natural, HUGE);
    if (alignment < this.alignment) return -22n;
    const fit = ([first, last]: Span): bigint | null => {
      const start = (((first + alignment - 1n) / alignment) * alignment) | (hint % PAGE);
      return start >= last || last - start < length - 1n ? null : start;
    };
    for (const window of this.#windows()) {
      const from = fit(window);
      if (from === null) continue;
      for (const hole of this.#holes([from, window[1]])) {
        const start = fit(hole);
        if (start !== null) return start;
      }
    }
    return -28n;
  }

  /** Allowed ranges that touch count as one. */
  #windows(): Span[] {
    const whole: Span = [PAGE, SPACE - PAGE - 1n];
    if (this.allowed.length === 0) return [whole];
    const merged: Span[] = [];
    for (const [first, last] of [...this.allowed].sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
      const before = merged.at(-1);
      if (before !== undefined && before[1] + 1n >= first)
        merged[merged.length - 1] = [before[0], max(before[1], last)];
      else merged.push([first, last]);
    }
    return merged
      .map(([first, last]): Span => [max(first, whole[0]), min(last, whole[1])])
      .filter(([first, last]) => first <= last);
  }

  #holes(within: Span): Span[] {
    let holes: Span[] = [within];
    for (const used of [...this.reserved, ...this.areas.map(({ span }) => span)]) {
      holes = holes.flatMap((hole): Span[] => {
        if (!meets(hole, used)) return [hole];
        const pieces: Span[] = [
          [hole[0], used[0] - 1n],
          [used[1] + 1n, hole[1]],
        ];
        return pieces.filter(([first, last]) => first <= last);
      });
    }
    return holes.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  /** Maps memory at `va`; the errno or the IOVA. */
  map(va: bigint, length: bigint, wish: bigint | null, writable: boolean): bigint {
    const iova = length === 0n ? -22n : this.place(va, length, wish);
    if (iova < 0n) return iova;
    if ((va % PAGE) % this.alignment !== 0n) return -22n;
    this.areas.push({ span: [iova, iova + length - 1n], va, pagesWritable: writable });
    return iova;
  }

  /** Pieces of areas that cover a range without a gap, or null. */
  pieces(iova: bigint, length: bigint): { va: bigint; length: bigint; pagesWritable: boolean }[] | null {
    const found = [];
    for (let at = iova; at < iova + length; ) {
      const area = this.areas.find(({ span }) => span[0] <= at && at <= span[1]);
      if (area === undefined) return null;
      const end = min(area.span[1] + 1n, iova + length);
      found.push({ va: area.va + (at - area.span[0]), length: end - at, pagesWritable: area.pagesWritable });
      at = end;
    }
    return found;
  }

  /** The errno, or the bytes. */
  unmap(iova: bigint, length: bigint): bigint {
    if (length === 0n) return -22n;
    if (iova + length > SPACE) return -75n;
    const span: Span = [iova, iova + length - 1n];
    let bytes = 0n;
    const hit = this.areas
      .filter((one) => meets(one.span, span))
      .sort((a, b) => (a.span[0] < b.span[0] ? -1 : 1));
    for (const area of hit) {
      if (area.span[0] < span[0] || area.span[1] > span[1]) return -2n;
      this.areas.splice(this.areas.indexOf(area), 1);
      bytes += area.span[1] - area.span[0] + 1n;
    }
    return bytes;
  }

  allow(spans: readonly Span[]): bigint {
    for (const [at, span] of spans.entries()) {
      if (span[0] >= span[1]) return -22n;
      if (spans.slice(0, at).some((before) => meets(before, span))) return -22n;
    }
    if (spans.some((span) => this.reserved.some((one) => meets(one, span)))) return -98n;
    this.allowed = [...spans];
    return 0n;
  }

  reserve(span: Span): bigint {
    if (this.#isUsed(span)) return -98n;
    this.tests.push(span);
    return 0n;
  }

  #isUsed(span: Span): boolean {
    return this.areas.some((one) => meets(one.span, span)) || this.allowed.some((one) => meets(one, span));
  }

  attach(): bigint {
    const unaligned = this.areas.some(
      ({ span, va }) => span[0] % 2048n !== 0n || (span[1] + 1n) % 2048n !== 0n || va % 2048n !== 0n,
    );
    if (unaligned || OUTSIDE.some((span) => this.#isUsed(span))) return -98n;
    this.attached = true;
    return 0n;
  }

  setSmallPages(small: boolean): bigint {
    if (!small || this.smallPages) {
      this.smallPages = small;
      return 0n;
    }
    if (this.attached && this.areas.length > 0) return -22n;
    const whole = this.areas.every(
      ({ span, va }) => span[0] % PAGE === 0n && (span[1] + 1n) % PAGE === 0n && va % PAGE === 0n,
    );
    if (!whole) return -98n;
    this.smallPages = true;
    return 0n;
  }
}
