// ProtectionDomainIds: the domain numbers of all AMD-Vi units of a machine, handed out lowest first.
// Source followed: drivers/iommu/amd/iommu.c (amd_iommu_pdom_id_alloc, amd_iommu_init_identity_domain).
// A domain keeps its number from its making to its end, attached or not; the identity domain takes the first.
// With them goes what the driver knows once for all units (amd_iommu_np_cache).
// Simplified: a sorted search instead of the kernel's IDA; same answers.

const FIRST = 1;
/** Ids are 16 bits (MAX_DOMAIN_ID). */
const LIMIT = 65536;

/**
 * Allocator of domain ids; the units of one machine share one.
 * @public
 */
export class ProtectionDomainIds {
  /** Id of the identity domain. */
  readonly identity: number;
  /** Some unit of the machine caches what is not present: the drivers of all units then treat theirs alike. */
  notPresentCache = false;
  readonly #used = new Set<number>();
  #lowestFree = FIRST;

  constructor() {
    this.identity = this.take();
  }

  /** Ids in use, that of the identity domain not counted. */
  get live(): number {
    return this.#used.size - 1;
  }

  /** The lowest free id, or -1 when all are in use. */
  take(): number {
    let id = this.#lowestFree;
    while (this.#used.has(id)) id += 1;
    if (id >= LIMIT) return -1;
    this.#used.add(id);
    this.#lowestFree = id + 1;
    return id;
  }

  release(id: number): void {
    this.#used.delete(id);
    if (id < this.#lowestFree) this.#lowestFree = id;
  }
}
