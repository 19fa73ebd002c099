// Suite dmasg-golden/1: the whole mapping path run outside a kernel: list layout, IOVA, page table, undoing.
// Field meanings: vectors/native/README.md, section dmasg-golden/1.
// Beyond the recorded fields every success must lead through the page table to its own memory, every failure must leave
// the list as it was, and a file whose mappings are all gone must leave nothing behind.
// Simplified: none.

import {
  type Device,
  DMA_MAPPING_ERROR,
  type DmaDataDirection,
  dmaMapPhys,
  dmaSetMask,
  dmaSetMaxSegSize,
  dmaSetSegBoundary,
  dmaUnmapPhys,
  NO_ATTRS,
} from '@sgfree/dma-core';
import { dmaMapSgtable, dmaUnmapSgtable, layoutSg, type SgTable, sgDmaIsBusAddress } from '@sgfree/dma-sg';
import { type DmaAddr, physAddr } from '@sgfree/hw-model';
import { bareHexNumber, count, kindWord, read, word } from '../recorded-value.ts';
import type { JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { direction } from './dma-recorded-input.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { type DmasgMachine, dmasgMachine } from './dmasg-machine.ts';
import {
  firstChangedEntry,
  firstUnreachedEntry,
  type MappedSegment,
  recordedEntries,
  tableOf,
} from './sg-recorded-list.ts';

const GRANULE = 4096;
const entriesOf = recordedEntries(count);

type Operation = (record: JsonRecord, output: RecordedOutput) => void;

interface LiveRange {
  readonly address: DmaAddr;
  readonly bytes: number;
  readonly dir: DmaDataDirection;
}

/** A result address as the harness printed it. */
const printed = (address: number): string =>
  address === DMA_MAPPING_ERROR ? 'ffffffffffffffff' : address.toString(16);

class DmasgGoldenReplayer implements Replayer {
  readonly #machine: DmasgMachine;
  readonly #busOffset: number;
  readonly #ranges = new Map<number, LiveRange>();
  readonly #tables = new Map<number, { table: SgTable; dir: DmaDataDirection }>();
  readonly #operations: Readonly<Record<string, Operation>> = {
    map: (record, output) => this.#map(record, output),
    unmap: (record, output) => this.#unmap(record, output),
    mapSg: (record, output) => this.#mapSg(record, output),
    unmapSg: (record) => this.#unmapSg(record),
  };

  constructor(header: JsonRecord) {
    this.#machine = dmasgMachine(header);
    this.#busOffset = read(header, 'p2pBusOffset', count);
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#operations[String(record['o'])]?.(record, output);
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const { dev, domain, iovad } = this.#machine;
    for (const { address, bytes, dir } of this.#ranges.values()) {
      dmaUnmapPhys(dev, address, bytes, dir, NO_ATTRS);
    }
    for (const { table, dir } of this.#tables.values()) {
      dmaUnmapSgtable(dev, table, dir, NO_ATTRS);
    }
    const output = new RecordedOutput();
    output.check('page-table entries left', 0, domain.table.liveLeafEntries);
    output.check('IOVA ranges left', 0, iovad.liveRanges);
    return output.mismatches;
  }

  #setReach(record: JsonRecord): Device {
    const { dev } = this.#machine;
    dev.busDmaLimit = read(record, 'busLimit', bareHexNumber);
    dmaSetMask(dev, read(record, 'mask', bareHexNumber));
    return dev;
  }

  #map(record: JsonRecord, output: RecordedOutput): void {
    const id = read(record, 'id', count);
    const bytes = read(record, 'size', count);
    const dir = read(record, 'dir', direction);
    const phys = physAddr(read(record, 'phys', bareHexNumber));
    const dev = this.#setReach(record);
    const address = dmaMapPhys(dev, phys, bytes, dir, NO_ATTRS);
    output.check('r', record['r'], printed(address));
    if (address !== DMA_MAPPING_ERROR) this.#ranges.set(id, { address, bytes, dir });
  }

  #unmap(record: JsonRecord, output: RecordedOutput): void {
    const live = taken(this.#ranges, record);
    output.check('dma', record['dma'], printed(live.address));
    output.check('size', record['size'], live.bytes);
    dmaUnmapPhys(this.#machine.dev, live.address, live.bytes, live.dir, NO_ATTRS);
  }

  #mapSg(record: JsonRecord, output: RecordedOutput): void {
    const id = read(record, 'id', count);
    const entries = read(record, 'in', entriesOf);
    const dir = read(record, 'dir', direction);
    const dev = this.#setReach(record);
    dmaSetSegBoundary(dev, read(record, 'boundary', bareHexNumber));
    dmaSetMaxSegSize(dev, read(record, 'maxSeg', word));
    const table = tableOf(entries);
    const triedLow = dev.pci32BitWorkaround;
    const errno = dmaMapSgtable(dev, table, dir, NO_ATTRS);
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
      this.#tables.set(id, { table, dir });
    } else {
      output.check('out', record['out'], undefined);
    }
    output.check('entry changed', -1, firstChangedEntry(table, entries));
  }

  #unmapSg(record: JsonRecord): void {
    const { table, dir } = taken(this.#tables, record);
    dmaUnmapSgtable(this.#machine.dev, table, dir, NO_ATTRS);
  }
}

function taken<T>(live: Map<number, T>, record: JsonRecord): T {
  const id = read(record, 'id', count);
  const found = live.get(id);
  if (found === undefined) throw new RangeError(`nothing live has id ${id}`);
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
  kindOf: (record) => kindWord(record, 'o'),
  outputs: {
    map: ['r'],
    unmap: ['dma', 'size'],
    mapSg: ['r', 'iovaPages', 'iovaPfn', 'iovaAllocs', 'out'],
    unmapSg: [],
  },
};
