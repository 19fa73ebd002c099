// IovaMagazine: a stack of freed frame numbers of one size class.
// Source followed: struct iova_magazine of drivers/iommu/iova.c: 127 entries and a size in 1024 bytes.
// A pop takes the newest entry that respects the limit and closes the hole with the newest of all.
// Simplified: the kernel's link to the next depot magazine shares the size field; a depot is a list here.

/**
 * Entries of a full magazine.
 * @kernel IOVA_MAG_SIZE
 * @internal
 */
export const IOVA_MAG_SIZE = 127;

/**
 * Freed frame numbers, oldest first.
 * @kernel struct iova_magazine
 * @internal
 */
export class IovaMagazine {
  readonly pfns: Float64Array = new Float64Array(IOVA_MAG_SIZE);
  size = 0;

  /** Takes the newest entry that is at most `maxPfn`; 0 when there is none. The magazine is not empty. */
  pop(maxPfn: number): number {
    const { pfns } = this;
    const top = this.size - 1;
    let at = top;
    while ((pfns[at] as number) > maxPfn) {
      if (at === 0) return 0;
      at -= 1;
    }
    const pfn = pfns[at] as number;
    pfns[at] = pfns[top] as number;
    this.size = top;
    return pfn;
  }

  /** Adds an entry; the magazine is not full. */
  push(pfn: number): void {
    this.pfns[this.size] = pfn;
    this.size += 1;
  }
}
