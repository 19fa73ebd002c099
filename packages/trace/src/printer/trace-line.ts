// traceLine: a model event as the kernel's trace buffer prints it, from the event's name on.
// Source followed: include/trace/events/{dma,iommu,swiotlb}.h and drivers/iommu/intel/trace.h of 7.3.4.
// Simplified: what only the model has (hardware events, violations) has no line.

import type { ModelEvent } from '@sgfree/hw-model';
import { dmaPayloads } from './dma-payload.ts';
import { iommuPayloads } from './iommu-payload.ts';

const payloads = new Map([...Object.entries(dmaPayloads), ...Object.entries(iommuPayloads)]);

/**
 * `name: payload` of an event with a kernel trace event behind it (kinds `dma:…`, `swiotlb:…`, `iommu:…`,
 * `intel_iommu:…`); undefined for any other. A failed mapping shows `dma_addr=ffffffffffffffff`. Where the kernel prints
 * a hashed pointer (`virt_addr`) stands the model's physical address, and allocation flags are always `none`.
 * @public
 */
export function traceLine(event: ModelEvent): string | undefined {
  const print = payloads.get(event.kind);
  if (print === undefined) return undefined;
  return `${event.kind.slice(event.kind.indexOf(':') + 1)}: ${print(event)}`;
}
