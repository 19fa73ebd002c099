// A plain account of what is mapped, page by page: the oracle of the page-table tests. It knows page sizes, not tables.

/** A page as the oracle knows it. */
export interface OraclePage {
  readonly phys: number;
  readonly prot: number;
  /** First frame and frames of the leaf that the page belongs to. */
  readonly leaf: number;
  readonly leafFrames: number;
}

const divides = (frames: number, value: number): boolean => Math.floor(value / frames) * frames === value;

/** Everything that is mapped in one domain. */
export class PageOracle {
  readonly pages = new Map<number, OraclePage>();
  /** Frames of each page size, largest first. */
  readonly #sizes: number[] = [];

  constructor(pgsizeBitmap: number) {
    for (let lg2 = 52; lg2 >= 12; lg2 -= 1) {
      if (Math.floor(pgsizeBitmap / 2 ** lg2) % 2 === 1) this.#sizes.push(2 ** (lg2 - 12));
    }
  }

  /** 0, or -98 with nothing changed. */
  map(frame: number, phys: number, count: number, prot: number): number {
    const added: number[] = [];
    for (let done = 0; done < count; ) {
      const leaf = frame + done;
      const size = this.#sizes.find(
        (frames) => frames <= count - done && divides(frames, leaf) && divides(frames, phys + done),
      ) as number;
      for (let at = 0; at < size; at += 1) {
        if (!this.pages.has(leaf + at)) continue;
        for (const page of added) this.pages.delete(page);
        return -98;
      }
      for (let at = 0; at < size; at += 1) {
        this.pages.set(leaf + at, { phys: phys + done + at, prot, leaf, leafFrames: size });
        added.push(leaf + at);
      }
      done += size;
    }
    return 0;
  }

  /** Frames unmapped. */
  unmap(frame: number, count: number): number {
    let done = 0;
    while (done < count) {
      const page = this.pages.get(frame + done);
      if (page === undefined || page.leaf !== frame + done) break;
      for (let at = 0; at < page.leafFrames; at += 1) this.pages.delete(page.leaf + at);
      done += page.leafFrames;
    }
    return done;
  }

  /** `[first frame, frames]` of every leaf, ascending. */
  leaves(): [number, number][] {
    const found: [number, number][] = [];
    for (const [frame, page] of this.pages) if (page.leaf === frame) found.push([frame, page.leafFrames]);
    return found.sort(([one], [other]) => one - other);
  }
}
