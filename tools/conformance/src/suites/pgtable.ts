// Suite pgtable: private generic_pt domains of a booted kernel in the formats vtdss, amdv1 and x86_64.
// Field meanings: vectors/kernel/README.md, section pgtable; feature bits: generic_pt.
// Simplified: the gather's level bitmaps belong to formats that are not modelled.

import { mapFramesNosync, type PageTableFeatures, unmapFramesAndSync } from '@sgfree/iommu';
import {
  bits,
  count,
  exactly,
  hexNumber,
  kindWord,
  matching,
  read,
  type WideAddress,
  wideAddress,
} from '../recorded-value.ts';
import type { JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { checkLeaves } from './pgtable-leaf-groups.ts';
import { addressBits, formatNamed, PageTableRig, type SeenSync, tableLevel } from './pgtable-rig.ts';
import { hexOfAddress } from './pt-golden-address.ts';

type Operation = (record: JsonRecord, output: RecordedOutput) => void;

const NO_SYNC: SeenSync = {
  startFrame: 0,
  startOffset: 0,
  endFrame: 0,
  endOffset: 0,
  pgsize: 0,
  freedTables: false,
};

const LAST_FRAME = 2 ** 52 - 1;

const hex = (frame: number, offset: number): string => `0x${hexOfAddress(frame, offset)}`;

/** Feature bits of generic_pt, whose upper two mean something else in each format. */
export function featuresOf(fmt: string, set: number): PageTableFeatures {
  const has = (bit: number): boolean => (set & bit) !== 0;
  const common = {
    dmaIncoherent: has(0x1),
    dynamicTop: has(0x4),
    signExtend: has(0x8),
    flushRange: has(0x10),
    flushRangeNoGaps: has(0x20),
  };
  if (fmt === 'vtdss') return { ...common, forceCoherence: has(0x80), forceWriteable: has(0x100) };
  return fmt === 'amdv1' ? { ...common, forceCoherence: has(0x100) } : common;
}

/** The format in the recorded command, e.g. `pgtable fmt=vtdss vasz=48`. */
const command = matching(/\bfmt=\S/, 'a command with fmt=');
const formatOf = (header: JsonRecord): string => /\bfmt=(\S+)/.exec(read(header, 'cmd', command))?.[1] ?? '';

function rigOf(header: JsonRecord): PageTableRig {
  const fmt = formatOf(header);
  read(header, 'page_size', exactly(4096));
  read(header, 'init_ret', exactly(0));
  return new PageTableRig({
    format: formatNamed(fmt, featuresOf(fmt, read(header, 'features', bits))),
    vaBits: read(header, 'max_vasz_lg2', addressBits),
    oaBits: read(header, 'max_oasz_lg2', addressBits),
    topLevel: read(header, 'top_level', tableLevel),
    pgsizeBitmap: read(header, 'pgsize_bitmap', hexNumber),
  });
}

class PgtableReplayer implements Replayer {
  readonly #rig: PageTableRig;
  #lastSync: SeenSync = NO_SYNC;
  readonly #operations: Readonly<Record<string, Operation>> = {
    map: (record, output) => this.#map(record, output),
    unmap: (record, output) => this.#unmap(record, output),
    iova_to_phys: (record, output) => this.#lookup(record, output),
    dump: (record, output) => this.#dump(record, output),
  };

  constructor(header: JsonRecord) {
    this.#rig = rigOf(header);
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#operations[String(record['op'])]?.(record, output);
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    output.check('table pages left', 0, this.#rig.framesLeftAfterDestroy());
    return output.mismatches;
  }

  #map(record: JsonRecord, output: RecordedOutput): void {
    read(record, 'i', count);
    const iova = read(record, 'iova', wideAddress);
    const phys = read(record, 'phys', wideAddress);
    const size = read(record, 'size', hexNumber);
    const prot = read(record, 'prot', bits);
    const { domain } = this.#rig;
    const ret = mapFramesNosync(domain, iova.frame, iova.offset, phys.frame, phys.offset, size, prot);
    output.check('ret', record['ret'], ret);
    this.#noteSyncs();
    this.#leavesIn(record, output, iova, size);
  }

  #unmap(record: JsonRecord, output: RecordedOutput): void {
    read(record, 'i', count);
    const iova = read(record, 'iova', wideAddress);
    const size = read(record, 'size', hexNumber);
    const unmapped = unmapFramesAndSync(this.#rig.domain, iova.frame, iova.offset, size);
    output.check('ret', record['ret'], `0x${unmapped.toString(16)}`);
    output.check('flush', record['flush'], this.#noteSyncs());
    const last = this.#lastSync;
    output.check('gather', record['gather'], [
      hex(last.startFrame, last.startOffset),
      hex(last.endFrame, last.endOffset),
      `0x${last.pgsize.toString(16)}`,
      last.freedTables ? 1 : 0,
    ]);
    this.#leavesIn(record, output, iova, size);
  }

  #lookup(record: JsonRecord, output: RecordedOutput): void {
    read(record, 'i', count);
    const { frame, offset } = read(record, 'iova', wideAddress);
    const target = this.#rig.table.physOf(frame);
    output.check('phys', record['phys'], target < 0 ? '0x0' : hex(target, offset));
  }

  #dump(record: JsonRecord, output: RecordedOutput): void {
    const { table } = this.#rig;
    checkLeaves(output, record['leaves'], table, 0, LAST_FRAME);
    output.check('tables', record['tables'], table.tablesPerLevel);
    output.check('top_level', record['top_level'], table.levels - 1);
    output.check('top_changes', record['top_changes'], table.topChanges);
  }

  #leavesIn(record: JsonRecord, output: RecordedOutput, iova: WideAddress, size: number): void {
    const last = iova.frame + Math.floor((iova.offset + size - 1) / 4096);
    // The recorder's end wraps at 2^64, and a range that ends before it starts lists nothing.
    checkLeaves(output, record['leaves'], this.#rig.table, iova.frame, last > LAST_FRAME ? 0 : last);
  }

  /** Remembers the last flush; returns how many there were. */
  #noteSyncs(): number {
    const syncs = this.#rig.takeSyncs();
    this.#lastSync = syncs.at(-1) ?? this.#lastSync;
    return syncs.length;
  }
}

/** The suite of kernel page-table records. */
export const pgtableSuite: Suite = {
  name: 'pgtable',
  accepts: (header) => header['suite'] === 'pgtable',
  open: (header) => new PgtableReplayer(header),
  kindOf: (record) => kindWord(record, 'op'),
  outputs: {
    map: ['ret', 'leaves'],
    unmap: ['ret', 'flush', 'gather', 'leaves'],
    iova_to_phys: ['phys'],
    dump: ['top_level', 'top_changes', 'leaves', 'tables'],
  },
};
