// Suite dma_iova: the two-step API on one device, as a booted kernel ran it.
// Field meanings: vectors/kernel/README.md, section dma_iova.
// A bounced edge shows in the translations as the page of its slot.
// With a trace beside the file the model's own events must print the same lines in the same order.
// Simplified: none.

import type { DmaAttrs, DmaDataDirection } from '@sgfree/dma-core';
import {
  DmaIovaState,
  dmaIovaDestroy,
  dmaIovaFree,
  dmaIovaLink,
  dmaIovaSize,
  dmaIovaSync,
  dmaIovaTryAlloc,
  dmaIovaUnlink,
  dmaUseIova,
} from '@sgfree/dma-iova';
import { hex, physAddr } from '@sgfree/hw-model';
import { count, hexNumber, kindWord, read } from '../recorded-value.ts';
import type { ComparedAmount, FileContext, JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { mappedRuns, treeRanges } from './dma-readback.ts';
import { attributeBits, direction } from './dma-recorded-input.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { type RecordedDevice, recordedDevice } from './recorded-device.ts';

type Operation = (record: JsonRecord, output: RecordedOutput) => void;

interface Link {
  readonly dir: DmaDataDirection;
  readonly attrs: DmaAttrs;
}

/** One range of the file, and what was asked for its links. */
interface LiveState {
  readonly state: DmaIovaState;
  /** By offset. */
  readonly links: Map<number, Link>;
}

const SWIOTLB_BIT = 1n << 63n;
const noLink: Link = { dir: 'bidirectional', attrs: {} };

/** `__size` with its flag bit. */
const rawSize = (state: DmaIovaState): string =>
  `0x${(BigInt(dmaIovaSize(state)) + (state.usesSwiotlb ? SWIOTLB_BIT : 0n)).toString(16)}`;

class DmaIovaReplayer implements Replayer {
  readonly #machine: RecordedDevice;
  readonly #live = new Map<number, LiveState>();
  readonly #operations: Readonly<Record<string, Operation>> = {
    try_alloc: (record, output) => this.#tryAlloc(record, output),
    link: (record, output) => this.#link(record, output),
    sync: (record, output) => this.#sync(record, output),
    readback: (record, output) => this.#readback(record, output),
    unlink: (record) => this.#unlink(record),
    destroy: (record) => this.#destroy(record),
    free: (record) => this.#free(record),
    dump: (record, output) => this.#dump(record, output),
  };

  constructor(machine: RecordedDevice) {
    this.#machine = machine;
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#machine.flushTimer.advanceTo(record);
    this.#operations[String(record['op'])]?.(record, output);
    this.#machine.trace?.compare(output);
    return output.mismatches;
  }

  /** A file in which every range was given back must leave no page-table entry and no bounce slot. */
  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#machine.flushTimer.finish(output);
    this.#machine.trace?.finish(output);
    if (this.#live.size === 0) {
      output.check('page-table entries left', 0, this.#machine.domain?.table.liveLeafEntries ?? 0);
      output.check('bounce slots left', 0, this.#machine.pool?.usedSlots ?? 0);
    }
    return output.mismatches;
  }

  alsoCompared(): readonly ComparedAmount[] {
    return this.#machine.trace?.amounts ?? [];
  }

  #tryAlloc(record: JsonRecord, output: RecordedOutput): void {
    const state = new DmaIovaState();
    const id = read(record, 'id', count);
    const phys = physAddr(read(record, 'phys', hexNumber));
    const taken = dmaIovaTryAlloc(this.#machine.dev, state, phys, read(record, 'size', count));
    output.check('ret', record['ret'], taken ? 1 : 0);
    output.check('addr', record['addr'], hex(state.addr));
    output.check('raw_size', record['raw_size'], rawSize(state));
    output.check('use_iova', record['use_iova'], dmaUseIova(state) ? 1 : 0);
    if (taken) this.#live.set(id, { state, links: new Map() });
  }

  #link(record: JsonRecord, output: RecordedOutput): void {
    const { state, links } = this.#liveState(record);
    const offset = read(record, 'offset', count);
    const dir = read(record, 'dir', direction);
    const attrs = read(record, 'attrs', attributeBits);
    const phys = physAddr(read(record, 'phys', hexNumber));
    const ret = dmaIovaLink(this.#machine.dev, state, phys, offset, read(record, 'size', count), dir, attrs);
    if (ret === 0) links.set(offset, { dir, attrs });
    output.check('ret', record['ret'], ret);
    output.check('raw_size', record['raw_size'], rawSize(state));
  }

  #sync(record: JsonRecord, output: RecordedOutput): void {
    const { state } = this.#liveState(record);
    const ret = dmaIovaSync(
      this.#machine.dev,
      state,
      read(record, 'offset', count),
      read(record, 'size', count),
    );
    output.check('ret', record['ret'], ret);
  }

  #readback(record: JsonRecord, output: RecordedOutput): void {
    const { state } = this.#liveState(record);
    const { domain } = this.#machine;
    const runs = domain === null ? null : mappedRuns(domain, state.addr, dmaIovaSize(state));
    output.check('pt', record['pt'], runs);
  }

  #unlink(record: JsonRecord): void {
    const { state, links } = this.#liveState(record);
    const offset = read(record, 'offset', count);
    const { dir, attrs } = links.get(offset) ?? noLink;
    dmaIovaUnlink(this.#machine.dev, state, offset, read(record, 'size', count), dir, attrs);
  }

  #destroy(record: JsonRecord): void {
    const { state, links } = this.#liveState(record);
    const { dir, attrs } = links.get(0) ?? noLink;
    dmaIovaDestroy(this.#machine.dev, state, read(record, 'mapped', count), dir, attrs);
    this.#live.delete(read(record, 'id', count));
  }

  #free(record: JsonRecord): void {
    dmaIovaFree(this.#machine.dev, this.#liveState(record).state);
    this.#live.delete(read(record, 'id', count));
  }

  #dump(record: JsonRecord, output: RecordedOutput): void {
    const { iovad } = this.#machine;
    output.check('tree', record['tree'], iovad === null ? null : treeRanges(iovad));
  }

  #liveState(record: JsonRecord): LiveState {
    const id = read(record, 'id', count);
    const found = this.#live.get(id);
    if (found === undefined) throw new RangeError(`no live range has id ${id}`);
    return found;
  }
}

/** The suite of two-step API records. */
export const dmaIovaSuite: Suite = {
  name: 'dma_iova',
  accepts: (header) => header['suite'] === 'dma_iova',
  open(header: JsonRecord, context?: FileContext) {
    return new DmaIovaReplayer(recordedDevice(header, context));
  },
  kindOf: (record) => kindWord(record, 'op'),
  outputs: {
    try_alloc: ['ret', 'addr', 'raw_size', 'use_iova'],
    link: ['ret', 'raw_size'],
    sync: ['ret'],
    readback: ['pt'],
    unlink: [],
    destroy: [],
    free: [],
    dump: ['tree'],
  },
};
