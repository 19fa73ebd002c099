// RDMA's import by mapping types: range lists first, and for exporters that have none whatever the wirer put last.
// Source followed: our own; what "umem_dmabuf from the new op" comes to: addresses, lengths, and the window beside them.
// Falling back is no error; it is an event `rdma:deprecated-import` in the log, once for each attachment.
// Simplified: none.

import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufAttachOps,
  type DmaBufMappingMatch,
  DmaRangeList,
  dmaBufMappingAttach,
  dmaBufMapRangeList,
  dmaBufUnmapRangeList,
  mapTypeOf,
  rangeListImporterMatch,
  takesRangeLists,
} from '@sgfree/dma-buf';
import type { Device, DmaDataDirection } from '@sgfree/dma-core';
import { InternalError, type ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, warnViolation } from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';
import { type DmabufImport, type DmabufView, windowOf } from '../umem/dmabuf-import.ts';
import type { DmabufRangeSource } from '../umem/range-import.ts';

/**
 * What is taken from exporters without range lists.
 * @alpha
 */
export interface DmabufFallback<Mapping> extends DmabufRangeSource<Mapping> {
  /** The offer that stands last in the importer's list. */
  offer(dev: Device, acceptsP2p: boolean): DmaBufMappingMatch;
}

/** Imports range lists, and mappings that are `Mapping`s as a last resort. */
class RangeListImport<Mapping> implements DmabufImport<DmaRangeList | Mapping> {
  readonly #fallback: DmabufFallback<Mapping> | null;

  constructor(fallback: DmabufFallback<Mapping> | null) {
    this.#fallback = fallback;
  }

  *attach(
    dmabuf: DmaBuf<DmaRangeList | Mapping>,
    dev: Device | null,
    ops: DmaBufAttachOps<DmaRangeList | Mapping>,
    priv: unknown,
  ): ModelTask<Outcome<DmaBufAttachment<DmaRangeList | Mapping>>> {
    if (dev === null) {
      warnViolation(dmabuf.platform.log, 'dma-buf-attach-null', { buffer: dmabuf.expName });
      return failure(Errno.EINVAL);
    }
    const { allowPeer2peer } = ops;
    const last = this.#fallback?.offer(dev, allowPeer2peer);
    const offers = [rangeListImporterMatch(dev, allowPeer2peer), ...(last === undefined ? [] : [last])];
    const attach = yield* dmaBufMappingAttach(dmabuf, offers, ops, priv);
    if (attach.ok && !takesRangeLists(attach.value)) warn(attach.value);
    return attach;
  }

  *map(
    attach: DmaBufAttachment<DmaRangeList | Mapping>,
    dir: DmaDataDirection,
  ): ModelTask<Outcome<DmaRangeList | Mapping>> {
    if (takesRangeLists(attach)) return yield* dmaBufMapRangeList(attach, dir);
    return yield* this.#last().map(attach as DmaBufAttachment<Mapping>, dir);
  }

  *unmap(
    attach: DmaBufAttachment<DmaRangeList | Mapping>,
    mapping: DmaRangeList | Mapping,
    dir: DmaDataDirection,
  ): ModelTask<void> {
    if (takesRangeLists(attach) && mapping instanceof DmaRangeList) {
      yield* dmaBufUnmapRangeList(attach, mapping, dir);
    } else {
      yield* this.#last().unmap(attach as DmaBufAttachment<Mapping>, mapping as Mapping, dir);
    }
  }

  view(mapping: DmaRangeList | Mapping, start: number, end: number): DmabufView {
    return {
      ranges: () => windowOf(this.#rangesOf(mapping), start, end),
      close: () => undefined,
    };
  }

  #rangesOf(mapping: DmaRangeList | Mapping): Iterable<DmaRange> {
    return mapping instanceof DmaRangeList ? mapping.ranges() : this.#last().ranges(mapping);
  }

  #last(): DmabufFallback<Mapping> {
    if (this.#fallback === null) throw new InternalError('nothing but range lists was offered');
    return this.#fallback;
  }
}

function warn<M>(attach: DmaBufAttachment<M>): void {
  const { dmabuf, dev } = attach;
  const { log } = dmabuf.platform;
  if (!log.enabled) return;
  log.post({
    kind: 'rdma:deprecated-import',
    device: dev.name,
    buffer: dmabuf.expName,
    type: mapTypeOf(attach)?.type.name ?? 'none',
  });
}

/**
 * Imports range lists, and through `fallback` from exporters that have none; without it attaching to those is -EINVAL. The
 * window of a region is kept beside the list.
 * @alpha
 */
export function rangeListImport<Mapping = never>(
  fallback: DmabufFallback<Mapping> | null = null,
): DmabufImport<DmaRangeList | Mapping> {
  return new RangeListImport(fallback);
}
