// Suite dmasg-golden/1: the whole mapping path run outside a kernel: list layout, IOVA, page table, undoing.
// Field meanings: vectors/native/README.md, section dmasg-golden/1.
// Beyond the recorded fields every success must lead through the page table to its own memory, every failure must leave
// the list as it was, and a file whose mappings are all gone must leave nothing behind.
// Simplified: none.

import {
  type Device,
  DMA_MAPPING_ERROR,
  dmaMapPhys,
  dmaSetMask,
  dmaSetMaxSegSize,
  dmaSetSegBoundary,
  dmaUnmapPhys,
  NO_ATTRS,
} from '@sgfree/dma-core';
import { dmaMapSgtable, dmaUnmapSgtable, layoutSg, type SgTable, sgDmaIsBusAddress } from '@sgfree/dma-sg';
import { type DmaAddr, physAddr } from '@sgfree/hw-model';
import type { JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { recordedDirection } from './dma-recorded-input.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { type DmasgMachine, dmasgMachine } from './dmasg-machine.ts';
import {
  firstChangedEntry,
  firstUnreachedEntry,
  type MappedSegment,
  type RecordedEntry,
  tableOf,
} from './sg-recorded-list.ts';

const GRANULE = 4096;

type Operation = (record: JsonRecord, output: RecordedOutput) => void;

interface LiveRange {
  readonly address: DmaAddr;
  readonly bytes: number;
  readonly dir: unknown;
}

const hexOf = (record: JsonRecord, field: string): number => Number(`0x${String(record[field])}`);

/** A result address as the harness printed it. */
const printed = (address: number): string =>
  address === DMA_MAPPING_ERROR ? 'ffffffffffffffff' : address.toString(16);

class DmasgGoldenReplayer implements Replayer {
  readonly #machine: DmasgMachine;
  readonly #busOffset: number;
  readonly #ranges = new Map<unknown, LiveRange>();
  readonly #tables = new Map<unknown, { table: SgTable; dir: unknown }>();
  readonly #operations: Readonly<Record<string, Operation>> = {
    map: (record, output) => this.#map(record, output),
    unmap: (record, output) => this.#unmap(record, output),
    mapSg: (record, output) => this.#mapSg(record, output),
    unmapSg: (record) => this.#unmapSg(record),
  };

  constructor(header: JsonRecord) {
    this.#machine = dmasgMachine(header);
    this.#busOffset = Number(header['p2pBusOffset']);
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#operations[String(record['o'])]?.(record, output);
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const { dev, domain, iovad } = this.#machine;
    for (const { address, bytes, dir } of this.#ranges.values()) {
      dmaUnmapPhys(dev, address, bytes, recordedDirection(dir), NO_ATTRS);
    }
    for (const { table, dir } of this.#tables.values()) {
      dmaUnmapSgtable(dev, table, recordedDirection(dir), NO_ATTRS);
    }
    const output = new RecordedOutput();
    output.check('page-table entries left', 0, domain.table.liveLeafEntries);
    output.check('IOVA ranges left', 0, iovad.liveRanges);
    return output.mismatches;
  }

  #setReach(record: JsonRecord): Device {
    const { dev } = this.#machine;
    dev.busDmaLimit = hexOf(record, 'busLimit');
    dmaSetMask(dev, hexOf(record, 'mask'));
    return dev;
  }

  #map(record: JsonRecord, output: RecordedOutput): void {
    const dev = this.#setReach(record);
    const bytes = record['size'] as number;
    const dir = record['dir'];
    const phys = physAddr(hexOf(record, 'phys'));
    const address = dmaMapPhys(dev, phys, bytes, recordedDirection(dir), NO_ATTRS);
    output.check('r', record['r'], printed(address));
    if (address !== DMA_MAPPING_ERROR) this.#ranges.set(record['id'], { address, bytes, dir });
  }

  #unmap(record: JsonRecord, output: RecordedOutput): void {
    const live = taken(this.#ranges, record);
    output.check('dma', record['dma'], printed(live.address));
    output.check('size', record['size'], live.bytes);
    dmaUnmapPhys(this.#machine.dev, live.address, live.bytes, recordedDirection(live.dir), NO_ATTRS);
  }

  #mapSg(record: JsonRecord, output: RecordedOutput): void {
    const dev = this.#setReach(record);
    dmaSetSegBoundary(dev, hexOf(record, 'boundary'));
    dmaSetMaxSegSize(dev, record['maxSeg'] as number);
    const entries = record['in'] as readonly RecordedEntry[];
    const table = tableOf(entries);
    const dir = record['dir'];
    const triedLow = dev.pci32BitWorkaround;
    const errno = dmaMapSgtable(dev, table, recordedDirection(dir), NO_ATTRS);
    output.check('r', record['r'], errno === 0 ? table.mappedCount : errno);
    const asked = Math.max(0, layoutSg(dev, tableOf(entries).list, entries.length, GRANULE));
    const segments = errno === 0 ? segmentsOf(table) : [];
    const tries = triedLow && !dev.pci32BitWorkaround ? 2 : 1;
    output.check('iovaPages', record['iovaPages'], asked / GRANULE);
    output.check('iovaPfn', record['iovaPfn'], firstPfn(segments));
    output.check('iovaAllocs', record['iovaAllocs'], asked === 0 ? 0 : tries);
    if (errno === 0) {
      const out = segments.map(({ address, bytes, isBus }) => [printed(address), bytes, isBus ? 1 : 0]);
      output.check('out', record['out'], out);
      const lost = firstUnreachedEntry(this.#machine.domain, segments, entries, this.#busOffset);
      output.check('entry not reached', -1, lost);
      this.#tables.set(record['id'], { table, dir });
    } else {
      output.check('out', record['out'], undefined);
    }
    output.check('entry changed', -1, firstChangedEntry(table, entries));
  }

  #unmapSg(record: JsonRecord): void {
    const { table, dir } = taken(this.#tables, record);
    dmaUnmapSgtable(this.#machine.dev, table, recordedDirection(dir), NO_ATTRS);
  }
}

function taken<T>(live: Map<unknown, T>, record: JsonRecord): T {
  const id = record['id'];
  const found = live.get(id);
  if (found === undefined) throw new RangeError(`nothing live has id ${String(id)}`);
  live.delete(id);
  return found;
}

function segmentsOf(table: SgTable): MappedSegment[] {
  const { dmaAddress, dmaLength } = table.list;
  return Array.from({ length: table.mappedCount }, (_, sg) => ({
    address: dmaAddress[sg] ?? -1,
    bytes: dmaLength[sg] ?? -1,
    isBus: sgDmaIsBusAddress(table.list, sg),
  }));
}

/** First page of the range the segments lie in; 0 when there is none. */
function firstPfn(segments: readonly MappedSegment[]): number {
  const first = segments.find(({ isBus }) => !isBus);
  return first === undefined ? 0 : Math.floor(first.address / GRANULE);
}

/** The suite of native mapping records. */
export const dmasgGoldenSuite: Suite = {
  name: 'dmasg-golden/1',
  accepts: (header) => header['format'] === 'dmasg-golden/1',
  open: (header) => new DmasgGoldenReplayer(header),
  kindOf: (record) => String(record['o']),
  outputs: {
    map: ['r'],
    unmap: ['dma', 'size'],
    mapSg: ['r', 'iovaPages', 'iovaPfn', 'iovaAllocs', 'out'],
    unmapSg: [],
  },
};
