// DomainIds: the domain numbers of one unit, handed out lowest first and counted per use.
// Source followed: drivers/iommu/intel/iommu.c domain_attach_iommu() and domain_detach_iommu().
// 0 is reserved (caching mode tags what is not present with it), 1 belongs to identity domains.
// Simplified: a sorted list of free numbers instead of the kernel's IDA; same answers.

/**
 * Lowest id given to a paging domain (IDA_START_DID). At boot the default domains of the groups behind a unit are
 * attached one after another, so that group n gets 2 + n.
 * @internal
 */
export const FIRST_DOMAIN_ID = 2;

/**
 * Domain id of every identity domain (FLPT_DEFAULT_DID).
 * @public
 */
export const IDENTITY_DOMAIN_ID = 1;

/**
 * Allocator of domain ids of one unit.
 * @internal
 */
export class DomainIds {
  readonly #limit: number;
  readonly #used = new Set<number>();
  #lowestFree = FIRST_DOMAIN_ID;

  /** `limit`: number of ids the hardware knows (CAP.ND). */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get live(): number {
    return this.#used.size;
  }

  /** `preferred` if it is free, else the lowest free id, or -1 when all are in use. */
  take(preferred: number | null = null): number {
    if (preferred !== null && this.#isFree(preferred)) {
      this.#used.add(preferred);
      return preferred;
    }
    let id = this.#lowestFree;
    while (this.#used.has(id)) id += 1;
    if (id >= this.#limit) return -1;
    this.#used.add(id);
    this.#lowestFree = id + 1;
    return id;
  }

  #isFree(id: number): boolean {
    return id >= FIRST_DOMAIN_ID && id < this.#limit && !this.#used.has(id);
  }

  release(id: number): void {
    this.#used.delete(id);
    if (id < this.#lowestFree) this.#lowestFree = id;
  }
}
