// MappingWatch: somebody who looks on while an exporter makes a mapping and takes it back, whatever kind of mapping it is.
// Source followed: our own.
// Simplified: none.

import type { DmaBufAttachment } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { GpuBo } from '../objects/gpu-bo.ts';

/**
 * Who looks on.
 * @public
 */
export interface MappingWatch {
  /** Runs `map` and answers what it answered. */
  watchMap<Mapping extends object>(
    bo: GpuBo,
    attach: DmaBufAttachment<Mapping>,
    map: () => ModelTask<Outcome<Mapping | null>>,
  ): ModelTask<Outcome<Mapping | null>>;
  /** Runs `unmap`. */
  watchUnmap<Mapping extends object>(
    bo: GpuBo,
    attach: DmaBufAttachment<Mapping>,
    mapping: Mapping,
    unmap: () => ModelTask<void>,
  ): ModelTask<void>;
}
