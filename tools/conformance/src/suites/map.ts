// Suite map: dma_map_sg and dma_map_phys on one device of a booted kernel, with its limits changing under way.
// Field meanings: vectors/kernel/README.md, section map.
// At the end of the file a dump of the page tables beside it must agree row by row, and once the mappings that were
// left are undone nothing may be left behind.
// With a trace beside the file the model's own events must print the same lines in the same order; lazy domains need it
// for the moments at which the flush timer fired, too.
// Simplified: none.

import {
  DMA_MAPPING_ERROR,
  type DmaAttrs,
  type DmaDataDirection,
  dmaBitMask,
  dmaGetMask,
  dmaGetMergeBoundary,
  dmaMapPhys,
  dmaMaxMappingSize,
  dmaOptMappingSize,
  dmaSetMask,
  dmaSetMaxSegSize,
  dmaSetSegBoundary,
  dmaUnmapPhys,
} from '@sgfree/dma-core';
import { dmaMapSgtable, dmaUnmapSgtable } from '@sgfree/dma-sg';
import { dmaAddr, hex, physAddr } from '@sgfree/hw-model';
import { count, hexNumber, kindWord, read, word } from '../recorded-value.ts';
import type { ComparedAmount, FileContext, JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { mappedRuns, treeRanges } from './dma-readback.ts';
import { attributeBits, direction } from './dma-recorded-input.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { companionDump, dumpNameOf, dumpRows, firstDifferingRow, liveRows } from './map-debugfs.ts';
import { LiveMappings } from './map-live.ts';
import { type RecordedDevice, recordedDevice } from './recorded-device.ts';
import { firstChangedEntry, recordedEntries, tableOf } from './sg-recorded-list.ts';

type Operation = (record: JsonRecord, output: RecordedOutput) => void;

/** Longer mappings were not read back. */
const READ_BACK_AT_MOST = 64 * 2 ** 20;

const entriesOf = recordedEntries(hexNumber);

/** A size or mask; 2^64 stands for 2^64 - 1. */
const printedLimit = (value: number): string =>
  Number.isSafeInteger(value) ? hex(value) : `0x${(BigInt(value) - 1n).toString(16)}`;

const asksFor = (record: JsonRecord): { id: number; dir: DmaDataDirection; attrs: DmaAttrs } => ({
  id: read(record, 'id', count),
  dir: read(record, 'dir', direction),
  attrs: read(record, 'attrs', attributeBits),
});

class MapReplayer implements Replayer {
  readonly #machine: RecordedDevice;
  readonly #dump: string | null;
  /** Name of a dump that should be there. */
  readonly #dumpName: string;
  readonly #missing: string[] = [];
  readonly #dumpRows: ComparedAmount[] = [];
  readonly #live = new LiveMappings();
  readonly #operations: Readonly<Record<string, Operation>> = {
    params: (record, output) => this.#params(record, output),
    map_sg: (record, output) => this.#mapSg(record, output),
    map_phys: (record, output) => this.#mapPhys(record, output),
    unmap_sg: (record) => this.#live.take(read(record, 'id', count))(),
    unmap_phys: (record) => this.#live.take(read(record, 'id', count))(),
    live: (record, output) => this.#leftLive(record, output),
    dump: (record, output) => {
      const { iovad } = this.#machine;
      output.check('tree', record['tree'], iovad === null ? null : treeRanges(iovad));
    },
  };

  constructor(machine: RecordedDevice, context: FileContext | undefined) {
    this.#machine = machine;
    this.#dump = companionDump(context);
    this.#dumpName = context === undefined ? '' : dumpNameOf(context);
    // The recording module starts every run with a 32-bit mask.
    dmaSetMask(machine.dev, dmaBitMask(32));
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#machine.flushTimer.advanceTo(record);
    this.#operations[String(record['op'])]?.(record, output);
    this.#machine.trace?.compare(output);
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    const { domain, iovad, pool, flushTimer, trace } = this.#machine;
    flushTimer.finish(output);
    trace?.finish(output);
    if (domain === null || iovad === null) return output.mismatches;
    if (this.#dump !== null) this.#compareDump(this.#dump, output);
    for (const id of this.#live.ids) this.#live.take(id)();
    output.check('page-table entries left', 0, domain.table.liveLeafEntries);
    output.check('IOVA ranges left', 0, iovad.liveRanges);
    output.check('bounce slots left', 0, pool?.usedSlots ?? 0);
    return output.mismatches;
  }

  alsoCompared(): readonly ComparedAmount[] {
    return [...(this.#machine.trace?.amounts ?? []), ...this.#dumpRows];
  }

  missing(): readonly string[] {
    return this.#missing;
  }

  #compareDump(text: string, output: RecordedOutput): void {
    const { dev, domain } = this.#machine;
    const dump = dumpRows(text, dev.name);
    if (dump === null || domain === null) {
      output.check('debugfs device', undefined, dev.name);
      return;
    }
    const live = liveRows(domain);
    const row = firstDifferingRow(dump, live);
    this.#dumpRows.push({ what: 'dump rows', same: row < 0 ? dump.length : row, of: dump.length });
    if (row >= 0) output.check('debugfs row', dump[row] ?? null, live[row] ?? null);
    output.check('debugfs rows', dump.length, live.length);
  }

  /** What is left mapped on purpose was dumped when the file was over. */
  #leftLive(record: JsonRecord, output: RecordedOutput): void {
    output.check('ids', record['ids'], this.#live.ids);
    if (this.#dump === null && this.#machine.domain !== null) {
      this.#missing.push(`dump of what "live" lists, ${this.#dumpName} or a shorter start of that name`);
    }
  }

  #params(record: JsonRecord, output: RecordedOutput): void {
    const { dev } = this.#machine;
    dmaSetSegBoundary(dev, read(record, 'boundary', hexNumber));
    dmaSetMaxSegSize(dev, read(record, 'max_seg', word));
    const ret = dmaSetMask(dev, read(record, 'mask', hexNumber));
    output.check('mask_ret', record['mask_ret'], ret);
    output.check('eff_mask', record['eff_mask'], printedLimit(dmaGetMask(dev)));
    output.check('merge_boundary', record['merge_boundary'], hex(dmaGetMergeBoundary(dev)));
    output.check('max_mapping', record['max_mapping'], printedLimit(dmaMaxMappingSize(dev)));
    output.check('opt_mapping', record['opt_mapping'], printedLimit(dmaOptMappingSize(dev)));
  }

  #mapSg(record: JsonRecord, output: RecordedOutput): void {
    const { dev, domain } = this.#machine;
    const entries = read(record, 'in', entriesOf);
    const table = tableOf(entries);
    const { id, dir, attrs } = asksFor(record);
    const ret = dmaMapSgtable(dev, table, dir, attrs);
    const mapped = ret === 0;
    output.check('ret', record['ret'], ret);
    output.check('nents', record['nents'], mapped ? table.mappedCount : 0);
    const { dmaAddress, dmaLength } = table.list;
    const segments = Array.from({ length: mapped ? table.mappedCount : 0 }, (_, sg) => ({
      address: dmaAddr(dmaAddress[sg] ?? -1),
      bytes: dmaLength[sg] ?? -1,
    }));
    const out = segments.map(({ address, bytes }) => [hex(address), bytes]);
    output.check('out', record['out'], mapped ? out : undefined);
    const readBack = mapped && domain !== null;
    const runs = readBack && segments.map(({ address, bytes }) => mappedRuns(domain, address, bytes));
    output.check('pt', record['pt'], runs === false ? undefined : runs);
    output.check('entry changed', -1, firstChangedEntry(table, entries));
    if (mapped) this.#live.add(id, () => dmaUnmapSgtable(dev, table, dir, attrs));
  }

  #mapPhys(record: JsonRecord, output: RecordedOutput): void {
    const { dev, domain } = this.#machine;
    const bytes = read(record, 'len', count);
    const { id, dir, attrs } = asksFor(record);
    const address = dmaMapPhys(dev, physAddr(read(record, 'phys', hexNumber)), bytes, dir, attrs);
    if (address === DMA_MAPPING_ERROR) {
      output.check('addr', record['addr'], null);
      output.check('pt', record['pt'], undefined);
      return;
    }
    output.check('addr', record['addr'], hex(address));
    const readBack = domain !== null && bytes <= READ_BACK_AT_MOST;
    output.check('pt', record['pt'], readBack ? mappedRuns(domain, address, bytes) : undefined);
    this.#live.add(id, () => dmaUnmapPhys(dev, address, bytes, dir, attrs));
  }
}

/** The suite of mapping records. */
export const mapSuite: Suite = {
  name: 'map',
  accepts: (header) => header['suite'] === 'map',
  open(header: JsonRecord, context?: FileContext) {
    return new MapReplayer(recordedDevice(header, context), context);
  },
  kindOf: (record) => kindWord(record, 'op'),
  outputs: {
    params: ['mask_ret', 'eff_mask', 'merge_boundary', 'max_mapping', 'opt_mapping'],
    map_sg: ['ret', 'nents', 'out', 'pt'],
    map_phys: ['addr', 'pt'],
    unmap_sg: [],
    unmap_phys: [],
    live: ['ids'],
    dump: ['tree'],
  },
};
