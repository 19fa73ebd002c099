// IommuApiMethod: a direct user of the IOMMU (VFIO, iommufd): it says itself which addresses lead where, in its own domain.
// Source followed: drivers/iommu/iommu.c (iommu_map, iommu_unmap); what was mapped before a failure is unmapped again.
// Each traced line is one iommu_map call. Nothing of this depends on stage or mode: the domain is unmanaged, and an
// unmapping is flushed before it returns.
// Simplified: one iommu_unmap for each contiguous range of addresses, where VFIO may take several steps and flush once.

import { dmaInfoToProt } from '@sgfree/dma-core';
import { dmaAddr, InternalError, physAddr } from '@sgfree/hw-model';
import { iommuMap, iommuUnmap, type PagingDomain } from '@sgfree/iommu';
import { DMA_VEC, type MappingMethod } from './mapping-method.ts';
import type { ReplayMapping } from './replay-mapping.ts';
import type { RunDevice } from './run-device.ts';

/** Maps with iommu_map at the traced addresses. */
export class IommuApiMethod implements MappingMethod {
  readonly failure = 'iommu-map-failed';
  readonly structure: number = DMA_VEC;
  /** What is mapped is the user's own layout of its memory, kept anyway. */
  readonly entries = 0;
  rangesOut = 0;

  map({ domain }: RunDevice, mapping: ReplayMapping): number {
    const { traced, phys, bytes } = mapping;
    const own = ownDomain(domain);
    const prot = dmaInfoToProt(mapping.direction, true, mapping.attrs);
    for (let piece = 0; piece < phys.length; piece += 1) {
      const iova = dmaAddr(traced.pieceDma[piece] as number);
      const errno = iommuMap(own, iova, physAddr(phys[piece] as number), bytes[piece] as number, prot);
      if (errno === 0) continue;
      unmapPieces(own, mapping, piece);
      return -1;
    }
    this.rangesOut = phys.length;
    return traced.pieceDma[0] as number;
  }

  unmap({ domain }: RunDevice, mapping: ReplayMapping): void {
    unmapPieces(ownDomain(domain), mapping, mapping.phys.length);
  }

  lastByte({ traced, bytes }: ReplayMapping): number {
    return (traced.pieceDma.at(-1) as number) + (bytes.at(-1) as number) - 1;
  }
}

/** Unmaps the first `count` pieces, contiguous ones together. */
function unmapPieces(domain: PagingDomain, { traced, bytes }: ReplayMapping, count: number): void {
  const { pieceDma } = traced;
  for (let piece = 0; piece < count; ) {
    const start = pieceDma[piece] as number;
    let end = start;
    while (piece < count && pieceDma[piece] === end) {
      end += bytes[piece] as number;
      piece += 1;
    }
    iommuUnmap(domain, dmaAddr(start), end - start);
  }
}

function ownDomain(domain: PagingDomain | null): PagingDomain {
  if (domain === null) throw new InternalError('a direct user of the IOMMU without a domain');
  return domain;
}
