// Why a mapping is in no run, or missing in one, in words.
// Source followed: the codes of ReplayRefusal and of the calls that a run makes.
// Simplified: one phrase a code; a code without one stands for itself.

import type { ReplayRefusal } from '@sgfree/roadmap';

const REFUSALS: Readonly<Record<ReplayRefusal, string>> = {
  'reserved-region': 'the kernel mapped them one to one itself while it set up the device',
  'no-memory-known': 'the trace does not say which memory was mapped',
  'zero-bytes': 'of no bytes, which the kernel refuses',
  'bad-direction': 'of direction NONE, which the kernel refuses',
  'address-beyond-48-bits': 'memory beyond 48 bits, more than the modelled machine has',
  'too-large': 'longer than the modelled machine takes',
  'not-one-range': 'a single mapping whose memory is not contiguous',
  'physical-zero': 'memory at physical address 0, which the kernel cannot unmap',
  'too-many-devices': 'devices beyond the number that is followed',
};

const FAILURES: Readonly<Record<string, string>> = {
  'map-phys-failed': 'dma_map_phys failed',
  'map-sg-failed': 'dma_map_sg failed',
  'coherent-alloc-failed': 'no I/O addresses or no table pages for coherent memory',
  'iova-alloc-failed': 'dma_iova_try_alloc found no I/O addresses',
  'iova-link-failed': 'dma_iova_link failed: pieces that do not meet on page boundaries, or no table pages',
  'iommu-map-failed':
    'iommu_map failed: the address is mapped already, not on page boundaries, or beyond 48 bits',
};

/** Why it is in no run. */
export const refusalWords = (code: string): string =>
  code in REFUSALS ? REFUSALS[code as ReplayRefusal] : code;

/** Why one run could not make it. */
export const mapFailureWords = (code: string): string => FAILURES[code] ?? code;
