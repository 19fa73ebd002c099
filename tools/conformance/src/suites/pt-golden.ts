// Suite pt-golden/1: page tables written by the kernel's own generic_pt code, run outside a kernel.
// Field meanings: vectors/native/README.md, section pt-golden/1.
// Simplified: none; every recorded field is compared, and all table pages must come back at the end.

import { mapFramesNosync, unmapFramesAndSync } from '@sgfree/iommu';
import {
  bareHexNumber,
  bareWideAddress,
  bits,
  flag,
  kindWord,
  objectOf,
  orAbsent,
  read,
} from '../recorded-value.ts';
import { BrokenHeader, type JsonRecord, type Mismatch, type Replayer, type Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { crcOfText } from './iova-crc.ts';
import { addressBits, formatNamed, PageTableRig, tableLevel } from './pgtable-rig.ts';
import { hexOfAddress, hexOfWords } from './pt-golden-address.ts';

type GoldenLeaf = [iova: string, raw: string, level: number, lg2: number];
type Operation = (record: JsonRecord, output: RecordedOutput) => void;

const FEATURES = [
  'dmaIncoherent',
  'dynamicTop',
  'signExtend',
  'flushRange',
  'flushRangeNoGaps',
  'forceCoherence',
  'forceWriteable',
] as const;
const IGNORED_FEATURES = ['fullVa', 'encryptTables'];

const featureFlags = objectOf(
  Object.fromEntries([...FEATURES, ...IGNORED_FEATURES].map((name) => [name, orAbsent(flag)])),
);

function rigOf(header: JsonRecord): PageTableRig {
  const recorded = read(header, 'features', featureFlags);
  for (const name of Object.keys(header['features'] as object)) {
    if (!Object.hasOwn(recorded, name)) throw new BrokenHeader(`pt-golden/1: unknown feature ${name}`);
  }
  const features = Object.fromEntries(FEATURES.map((name) => [name, recorded[name] ?? false]));
  return new PageTableRig({
    format: formatNamed(header['fmt'], features),
    vaBits: read(header, 'vaBits', addressBits),
    oaBits: read(header, 'oaBits', addressBits),
    topLevel: read(header, 'topLevel', tableLevel),
    pgsizeBitmap: read(header, 'pgsizeBitmap', bareHexNumber),
  });
}

class PtGoldenReplayer implements Replayer {
  readonly #rig: PageTableRig;
  readonly #operations: Readonly<Record<string, Operation>> = {
    map: (record, output) => this.#map(record, output),
    unmap: (record, output) => this.#unmap(record, output),
    i2p: (record, output) => this.#lookup(record, output),
    leaves: (record, output) => this.#leaves(record, output),
  };

  constructor(header: JsonRecord) {
    this.#rig = rigOf(header);
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#operations[String(record['o'])]?.(record, output);
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    output.check('table pages left', 0, this.#rig.framesLeftAfterDestroy());
    return output.mismatches;
  }

  #map(record: JsonRecord, output: RecordedOutput): void {
    const { domain, table } = this.#rig;
    const iova = read(record, 'iova', bareWideAddress);
    const pa = read(record, 'pa', bareWideAddress);
    const bytes = read(record, 'len', bareHexNumber);
    const ret = mapFramesNosync(
      domain,
      iova.frame,
      iova.offset,
      pa.frame,
      pa.offset,
      bytes,
      read(record, 'prot', bits),
    );
    output.check('ret', record['ret'], ret);
    output.check('mapped', record['mapped'], table.mappedBytes.toString(16));
    this.#afterwards(record, output);
    output.check('top', record['top'], table.levels - 1);
  }

  #unmap(record: JsonRecord, output: RecordedOutput): void {
    const iova = read(record, 'iova', bareWideAddress);
    const bytes = read(record, 'len', bareHexNumber);
    const unmapped = unmapFramesAndSync(this.#rig.domain, iova.frame, iova.offset, bytes);
    output.check('r', record['r'], unmapped.toString(16));
    this.#afterwards(record, output);
  }

  #lookup(record: JsonRecord, output: RecordedOutput): void {
    const { frame, offset } = read(record, 'iova', bareWideAddress);
    const target = this.#rig.table.physOf(frame);
    output.check('r', record['r'], target < 0 ? '0' : hexOfAddress(target, offset));
  }

  #leaves(record: JsonRecord, output: RecordedOutput): void {
    const { table } = this.#rig;
    const list: GoldenLeaf[] = [];
    table.visitLeaves((frame, low, high, level, items) => {
      list.push([hexOfAddress(frame), hexOfWords(low, high), level, 12 + 9 * level + Math.log2(items)]);
    });
    output.check('n', record['n'], list.length);
    output.check('crc', record['crc'], crcOfText(list.map((leaf) => `${leaf.join(':')};`).join('')));
    if ('list' in record) output.check('list', record['list'], list);
    output.check('tables', record['tables'], table.liveTables);
    output.check('top', record['top'], table.levels - 1);
  }

  #afterwards(record: JsonRecord, output: RecordedOutput): void {
    const syncs = this.#rig
      .takeSyncs()
      .map((seen) => [
        hexOfAddress(seen.startFrame, seen.startOffset),
        hexOfAddress(seen.endFrame, seen.endOffset),
      ]);
    output.check('sync', record['sync'], syncs);
    output.check('tables', record['tables'], this.#rig.table.liveTables);
  }
}

/** The suite of native page-table records. */
export const ptGoldenSuite: Suite = {
  name: 'pt-golden/1',
  accepts: (header) => header['format'] === 'pt-golden/1',
  open: (header) => new PtGoldenReplayer(header),
  kindOf: (record) => kindWord(record, 'o'),
  outputs: {
    map: ['ret', 'mapped', 'sync', 'tables', 'top'],
    unmap: ['r', 'sync', 'tables'],
    i2p: ['r'],
    leaves: ['n', 'crc', 'list', 'tables', 'top'],
  },
};
