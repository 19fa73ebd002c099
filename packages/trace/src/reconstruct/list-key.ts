// A number that tells lists of physical addresses apart, so that an unmapping finds the list that was mapped.
// Source followed: dma_map_sg traces at most 128 addresses and says how many there are, dma_unmap_sg traces them all.
// Simplified: different lists may have equal numbers; then either is taken for the other.

const MOST_TRACED = 128;

/** The key of a list of `count` addresses, the first ones of which are known. */
export function listKey(physAddrs: readonly number[], count: number): number {
  let key = Math.imul(count, 0x9e37_79b1);
  for (let at = 0; at < physAddrs.length && at < MOST_TRACED; at += 1) {
    const phys = physAddrs[at] ?? 0;
    key = Math.imul(key ^ (phys / 2 ** 32), 0x85eb_ca6b) ^ (phys | 0);
  }
  return key;
}
