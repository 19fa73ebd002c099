// GpuBo: a buffer object: bytes that the driver may move between VRAM and system memory while others hold it.
// Source followed: struct ttm_buffer_object with the flags of amdgpu_bo and xe_bo that decide about placement and export.
// Simplified: no user mappings and no address spaces of the card; the reservation belongs to the object.

import type { DmaBuf, DmaResv } from '@sgfree/dma-buf';
import type { GpuCard } from '../card/gpu-card.ts';
import type { GpuMemoryType, GpuResource } from '../memory/gpu-resource.ts';

/**
 * What a buffer object is made with.
 * @public
 */
export interface GpuBoSpec {
  readonly name: string;
  /** Bytes; a multiple of 4 KiB. */
  readonly bytes: number;
  /** Where it may lie, the preferred type first. */
  readonly placements: readonly GpuMemoryType[];
  /** Must lie where the BAR shows it while it is in VRAM. Default false. */
  readonly visible?: boolean;
  /** No block of VRAM may be larger: memory that is fragmented on purpose. */
  readonly mostBlockBytes?: number;
  /** Compressed as only the card understands it (amdgpu's DCC on GFX12). */
  readonly compressed?: boolean;
  /** Belongs to one address space of the card (always valid there), and may not be exported. */
  readonly vmPrivate?: boolean;
  /** Made of user memory, and may not be exported. */
  readonly userptr?: boolean;
}

/**
 * A buffer object.
 * @public
 */
export class GpuBo {
  readonly card: GpuCard;
  readonly spec: GpuBoSpec;
  readonly resv: DmaResv;
  /** Where the bytes are, or will be once the fences of the kernel's own have signaled. */
  resource: GpuResource;
  /** Must lie where the BAR shows it while it is in VRAM; sharing with peers sets it. */
  visible: boolean;
  /** Users that keep it where it is. Guarded by the reservation lock, as `resource` is. */
  pinCount = 0;
  /** The exported buffer; null as long as nobody shares it. What its mappings are is the exporter's knowledge. */
  dmabuf: DmaBuf<never> | null = null;

  /** @internal */
  constructor(card: GpuCard, spec: GpuBoSpec, resv: DmaResv, resource: GpuResource) {
    this.card = card;
    this.spec = spec;
    this.resv = resv;
    this.resource = resource;
    this.visible = spec.visible ?? false;
  }

  get bytes(): number {
    return this.spec.bytes;
  }
}
