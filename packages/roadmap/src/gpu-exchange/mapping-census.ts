// MappingCensus: what crosses from exporter to importers over a run, looked at when it is handed out and when it comes back.
// Source followed: our own.
// Simplified: none.

import type { DmaBufAttachment } from '@sgfree/dma-buf';
import type { GpuBo } from '@sgfree/gpu-driver';
import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { DmabufImport } from '@sgfree/rdma';
import { countAgreed } from '../agreed-kinds.ts';
import { HeldBytes } from '../held-bytes.ts';
import type { ExchangeWay } from './exchange-way.ts';

/** @internal */
export class MappingCensus<Mapping extends object> {
  /** Mappings handed out, and their entries. */
  mappings = 0;
  entries = 0;
  /** Entries among them that are a scatterlist's. */
  scatterlistEntries = 0;
  /** Memory of mappings. */
  readonly memory: HeldBytes<Mapping> = new HeldBytes();
  /** Attachments by the name of the mapping type that was agreed on. */
  readonly agreed: Record<string, number> = {};
  readonly #told: (bo: GpuBo) => void;
  readonly #way: ExchangeWay<Mapping>;

  /** @param told - called when an importer of an object is told to let go of it */
  constructor(way: ExchangeWay<Mapping>, told: (bo: GpuBo) => void) {
    this.#way = way;
    this.#told = told;
  }

  /** `via`, each mapping of `bo` counted. */
  counted(via: DmabufImport<Mapping>, bo: GpuBo): DmabufImport<Mapping> {
    const out = (mapped: Outcome<Mapping>): Outcome<Mapping> => this.#out(mapped, bo);
    const { memory } = this;
    const { agreed } = this;
    const told = (): void => this.#told(bo);
    return {
      *attach(dmabuf, dev, ops, priv) {
        const heard = function* (attach: DmaBufAttachment<Mapping>): ModelTask<void> {
          told();
          yield* ops.invalidateMappings?.(attach) ?? [];
        };
        return countAgreed(
          agreed,
          yield* via.attach(dmabuf, dev, { ...ops, invalidateMappings: heard }, priv),
        );
      },
      *map(attach, dir) {
        return out(yield* via.map(attach, dir));
      },
      *unmap(attach, mapping, dir): ModelTask<void> {
        yield* via.unmap(attach, mapping, dir);
        memory.back(mapping);
      },
      view: (mapping, start, end) => via.view(mapping, start, end),
    };
  }

  #out(mapped: Outcome<Mapping>, bo: GpuBo): Outcome<Mapping> {
    if (!mapped.ok) return mapped;
    const { entries, bytes } = this.#way.sizeOf(mapped.value, bo);
    this.mappings += 1;
    this.entries += entries;
    if (this.#way.scatterlist) this.scatterlistEntries += entries;
    this.memory.out(mapped.value, bytes);
    return mapped;
  }
}
