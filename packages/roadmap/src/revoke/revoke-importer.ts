// RevokeImporter: a memory region over the lent memory, of one of the kinds that a revoke can meet.
// Source followed: drivers/infiniband/core/umem_dmabuf.c: the three import modes; hw/mlx5 (dynamic) and hw/irdma (pinned,
// revocable) for what each does when it is told.
// Simplified: every region covers the whole buffer at address 0.

import { hex, type ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import {
  type DmabufRequest,
  type IbPd,
  ibDeregDmabufMr,
  ibRegDmabufMr,
  ibRegDmabufMrPinned,
  ibRegDmabufMrRevocable,
  ibUmemDmabufUnmapPages,
  ibUmemStartDmaAddr,
  type PageFaultService,
} from '@sgfree/rdma/stage-6';
import { registerToldRegion } from '../told-region.ts';
import type { LentMapping, LentRegion } from './lent-mapping.ts';
import type { RevokeImporterKind, RevokePlant } from './revoke-input.ts';
import type { RevokeHolder } from './revoke-report.ts';

/** What an importer is made with. @internal */
export interface RevokeImporterParts {
  readonly name: string;
  readonly kind: RevokeImporterKind;
  readonly pd: IbPd;
  readonly request: DmabufRequest<LentMapping>;
  readonly faults: PageFaultService;
  readonly plant?: RevokePlant;
}

/** One region and its keeper. @internal */
export class RevokeImporter {
  readonly name: string;
  readonly kind: RevokeImporterKind;
  /** 0, or the errno of the registration. */
  refused = 0;
  region: LentRegion | null = null;
  readonly #parts: RevokeImporterParts;

  constructor(parts: RevokeImporterParts) {
    this.name = parts.name;
    this.kind = parts.kind;
    this.#parts = parts;
  }

  /** Registers the memory. */
  *register(): ModelTask<void> {
    const made = yield* this.#registered();
    this.refused = made.ok ? 0 : made.errno;
    if (made.ok) this.region = made.value;
  }

  /** 0, or the errno of one more registration of the same kind, which goes away at once. */
  *registerAnew(): ModelTask<number> {
    const made = yield* this.#registered();
    if (!made.ok) return made.errno;
    yield* ibDeregDmabufMr(made.value);
    return 0;
  }

  /** Deregisters; returns when nothing of it is left. */
  *leave(): ModelTask<void> {
    const { region } = this;
    if (region === null) return;
    yield* ibDeregDmabufMr(region);
    this.region = null;
  }

  get mapped(): boolean {
    return this.region?.umem.mapped === true;
  }

  /** True when its NIC finds no way to the memory any more: no good key, or no block behind it. */
  get stopped(): boolean {
    if (this.region === null) return true;
    const { state, translation } = this.region.mr.entry;
    return state !== 'valid' || translation?.permits(0, false) !== true;
  }

  /** The mapping it holds, null when it holds none. */
  get held(): RevokeHolder | null {
    const { region } = this;
    if (region?.umem.mapped !== true) return null;
    const { attach, address: offset, length: bytes } = region.umem;
    const { name: device, requesterId } = attach.dev;
    const dmaAddress = hex(ibUmemStartDmaAddr(region.umem));
    return { importer: this.name, device, requesterId, offset, bytes, dmaAddress };
  }

  #registered(): ModelTask<Outcome<LentRegion>> {
    const { pd, request, faults } = this.#parts;
    const manners = mannersOf(this.kind, this.#parts.plant);
    switch (manners) {
      case 'dynamic':
        return ibRegDmabufMr(pd, request, 0, faults);
      case 'pinned-revocable':
        return ibRegDmabufMrRevocable(pd, request, 0);
      case 'pinned':
        return ibRegDmabufMrPinned(pd, request, 0);
      case 'keeps-mapping':
        return registerToldRegion(pd, request, ignored);
      case 'unmaps-at-work':
        return registerToldRegion(pd, request, ibUmemDmabufUnmapPages);
    }
  }
}

/** Is told and does nothing. */
function* ignored(): ModelTask<void> {
  yield* [];
}

/** What the region really does, which a planted fault makes differ from what its kind says. */
function mannersOf(
  kind: RevokeImporterKind,
  plant: RevokePlant | undefined,
): RevokeImporterKind | 'unmaps-at-work' {
  if (plant === 'importer-never-unmaps') return 'keeps-mapping';
  if (plant === 'importer-unmaps-at-work') return 'unmaps-at-work';
  if (plant === 'pinned-comes-back' && kind === 'pinned-revocable') return 'dynamic';
  if (plant === 'dynamic-stays-away' && kind === 'dynamic') return 'pinned-revocable';
  return kind;
}
