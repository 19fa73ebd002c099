// The rules of the checker: a stable code for each, the number of the kernel's check, and the words it goes by.
// Source followed: kernel/dma/debug.c for `dma-debug-*` (the words identify its messages); `dma-shadow-*` is what the
// kernel's checker does not see.
// Advice marks what is legal in Linux and yet worth a look.
// Simplified: none.

import type { DmaDebugRuleCode } from './debug-rule-codes.ts';

/**
 * A rule of the checker.
 * @public
 */
export interface DmaDebugRule {
  /** Place in the kernel's list of checks, null for a rule of ours. */
  readonly check: number | null;
  readonly grade: 'error' | 'advice';
  /** What it says, in a few words. */
  readonly words: string;
}

const linux = (check: number, words: string): DmaDebugRule => ({ check, grade: 'error', words });
const shadow = (words: string): DmaDebugRule => ({ check: null, grade: 'error', words });
const advice = (words: string): DmaDebugRule => ({ check: null, grade: 'advice', words });

/**
 * Every rule by its code.
 * @public
 */
export const dmaDebugRules: Readonly<Record<DmaDebugRuleCode, DmaDebugRule>> = {
  'dma-debug-free-invalid': linux(1, 'tries to free an invalid DMA memory address'),
  'dma-debug-free-unknown': linux(2, 'tries to free DMA memory it has not allocated'),
  'dma-debug-free-size': linux(3, 'frees DMA memory with different size'),
  'dma-debug-free-function': linux(4, 'frees DMA memory with wrong function'),
  'dma-debug-free-cpu-address': linux(5, 'frees DMA memory with different CPU address'),
  'dma-debug-free-entry-count': linux(6, 'frees DMA sg list with different entry count'),
  'dma-debug-free-direction': linux(7, 'frees DMA memory with different direction'),
  'dma-debug-unchecked-map-error': linux(8, 'failed to check map error'),
  'dma-debug-free-attrs': linux(9, 'frees DMA memory with different attributes'),
  'dma-debug-sync-unknown': linux(10, 'tries to sync DMA memory it has not allocated'),
  'dma-debug-sync-outside': linux(11, 'syncs DMA memory outside allocated range'),
  'dma-debug-sync-direction': linux(12, 'syncs DMA memory with different direction'),
  'dma-debug-sync-read-only': linux(13, 'syncs device read-only DMA memory for cpu'),
  'dma-debug-sync-write-only': linux(14, 'syncs device write-only DMA memory to device'),
  'dma-debug-sync-entry-count': linux(15, 'syncs DMA sg list with different entry count'),
  'dma-debug-segment-too-long': linux(16, 'mapping sg segment longer than device claims to support'),
  'dma-debug-segment-boundary': linux(17, 'mapping sg segment across boundary'),
  'dma-debug-stack-memory': linux(18, 'maps memory from stack'),
  'dma-debug-kernel-text': linux(19, 'maps memory from kernel text or rodata'),
  'dma-debug-invalid-area': linux(20, 'maps memory from invalid area'),
  'dma-debug-vmalloc-area': linux(21, 'maps memory from vmalloc area'),
  'dma-debug-mmio-ram': linux(22, 'dma_map_resource called for RAM address'),
  'dma-debug-cacheline-overlap': linux(23, 'cacheline tracking EEXIST, overlapping mappings'),
  'dma-debug-cacheline-overflow': linux(24, 'exceeded 7 overlapping mappings of cacheline'),
  'dma-debug-leaked-at-unbind': linux(25, 'has pending DMA allocations while released from device'),
  'dma-debug-zone-device-page': linux(26, 'zone-device page given to dma_map_page'),
  'dma-debug-out-of-memory': linux(27, 'debugging out of memory - disabling'),
  'dma-debug-cacheline-memory': linux(27, 'cacheline tracking ENOMEM, dma-debug disabled'),

  'dma-shadow-inside-mapping': shadow('address lies inside a mapping, not at its start'),
  'dma-shadow-outside-mapping': shadow('range runs past the mapping it starts in or next to'),
  'dma-shadow-wrong-api': shadow('address belongs to a two-step range'),
  'dma-shadow-use-after-unmap': shadow('address belongs to a mapping that is gone'),
  'dma-shadow-foreign-device': shadow('address belongs to another device'),
  'dma-shadow-physical-address': shadow('address is the physical one of a live mapping'),
  'dma-shadow-unknown-address': shadow('address was never mapped'),
  'dma-shadow-attrs-differ': advice('attributes of mapping and unmapping differ where Linux does not look'),
  'dma-shadow-mmio-unmarked': shadow('memory that is no RAM is mapped without the MMIO attribute'),
  'dma-shadow-p2p-unmarked': shadow("a peer's BAR is mapped without the MMIO attribute"),
  'dma-shadow-mmio-ram': shadow('RAM is linked with the MMIO attribute'),
  'dma-shadow-stack-memory': shadow('stack memory is linked'),
  'dma-shadow-kernel-text': shadow('kernel text or read-only data is linked'),

  'dma-shadow-state-unallocated': shadow('a state without addresses is used'),
  'dma-shadow-state-freed': shadow('a state whose addresses were given back is used'),
  'dma-shadow-state-altered': shadow('a state no longer holds what the allocation put there'),
  'dma-shadow-state-wrong-device': shadow('a state is used with another device'),
  'dma-shadow-state-reused': shadow('a state is filled again while it holds addresses'),
  'dma-shadow-outside-range': shadow('a piece does not lie in the range of its state'),
  'dma-shadow-link-overlap': shadow('a piece overlaps one that is linked'),
  'dma-shadow-sync-unlinked': shadow('bytes are made visible that nothing is linked behind'),
  'dma-shadow-never-synced': advice('links were taken away without ever having been made visible'),
  'dma-shadow-unlink-unlinked': shadow('bytes are unlinked that are not linked'),
  'dma-shadow-unlink-overreach': shadow('whole granules are unlinked, and with them bytes of others'),
  'dma-shadow-unlink-direction': shadow('linked with one direction, unlinked with another'),
  'dma-shadow-unlink-attrs': shadow('linked with some attributes, unlinked with others'),
  'dma-shadow-destroy-short': shadow('destroyed with fewer bytes than are linked'),
  'dma-shadow-destroy-long': shadow('destroyed with more bytes than are linked'),
  'dma-shadow-free-linked': shadow('addresses are given back with links behind them'),
  'dma-shadow-states-leaked': shadow('two-step ranges are left when the driver goes'),

  'dma-shadow-access-direction': shadow('the device uses a mapping against its direction'),
  'dma-shadow-access-unlinked': shadow('the device uses two-step addresses that nothing is linked behind'),
  'dma-shadow-access-unsynced': shadow('the device uses links that were not made visible'),
};
