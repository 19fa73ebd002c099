// Suite sg-golden/1: scatterlist tables built from page lists and by plain allocation, recorded from the kernel's
// own lib/scatterlist.c. Field meanings: vectors/native/README.md, section sg-golden/1.
// Simplified: page contents play no part, so pages are frame numbers only.

import {
  __sgAllocTable,
  type Scatterlist,
  SgAppendTable,
  type SgArrayAllocator,
  SgTable,
  sgAllocAppendTableFromPages,
  sgArrayLayout,
  sgNentsForLen,
} from '@sgfree/dma-sg';
import { BrokenHeader, type JsonRecord, type Mismatch, type Replayer, type Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';

interface AppendCall {
  readonly pfns: readonly number[];
  readonly offset: number;
  readonly size: number;
  readonly leftPages: number;
  readonly ret: number;
  readonly nents: number;
  readonly totalNents: number;
}

/** Hands out arrays, writes their sizes down and fails at one of them. */
class RecordingAllocator implements SgArrayAllocator {
  readonly sizes: number[] = [];
  readonly #failAt: number;
  #asked = 0;

  constructor(failAt: number) {
    this.#failAt = failAt;
  }

  allocArray(entries: number): boolean {
    const index = this.#asked;
    this.#asked += 1;
    if (index === this.#failAt) return false;
    this.sizes.push(entries);
    return true;
  }

  freeArray(): void {}
}

function segmentsOf(list: Scatterlist, count: number): number[][] {
  const segments: number[][] = [];
  for (let sg = 0; sg < count; sg += 1) {
    segments.push([list.pageFrame[sg] ?? -1, list.offset[sg] ?? -1, list.length[sg] ?? -1]);
  }
  return segments;
}

class SgGoldenReplayer implements Replayer {
  readonly #maxSingleAlloc: number;

  constructor(maxSingleAlloc: number) {
    this.#maxSingleAlloc = maxSingleAlloc;
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    if (record['kind'] === 'table') this.#table(record, output);
    else if (record['kind'] === 'upstream') this.#upstream(record, output);
    else this.#append(record, output);
    return output.mismatches;
  }

  #append(record: JsonRecord, output: RecordedOutput): void {
    const allocator = new RecordingAllocator(-1);
    const table = new SgTable(null, allocator);
    const append = new SgAppendTable(table, this.#maxSingleAlloc);
    let failed = 0;
    for (const [at, call] of (record['calls'] as readonly AppendCall[]).entries()) {
      const ret = sgAllocAppendTableFromPages(
        append,
        call.pfns,
        call.pfns.length,
        call.offset,
        call.size,
        record['maxSegment'] as number,
        call.leftPages,
      );
      output.check(`calls[${at}].ret`, call.ret, ret);
      output.check(`calls[${at}].nents`, call.nents, table.mappedCount);
      output.check(`calls[${at}].totalNents`, call.totalNents, append.totalEntries);
      if (ret !== 0) failed = ret;
    }
    output.check('nents', record['nents'], table.mappedCount);
    output.check('origNents', record['origNents'], table.segmentCount);
    output.check('totalNents', record['totalNents'], append.totalEntries);
    output.check('error', record['error'], failed === 0 ? undefined : failed);
    if (failed !== 0) return;
    output.check('layout', record['layout'], sgArrayLayout(table));
    output.check('allocs', record['allocs'], allocator.sizes);
    output.check('segs', record['segs'], segmentsOf(table.list, table.segmentCount));
    const asked = (record['nentsForLen'] as readonly number[] | undefined)?.[0] ?? 0;
    output.check('nentsForLen', record['nentsForLen'], [asked, sgNentsForLen(table.list, asked)]);
  }

  #table(record: JsonRecord, output: RecordedOutput): void {
    const allocator = new RecordingAllocator(record['failAlloc'] as number);
    const table = new SgTable(null, allocator);
    const ret = __sgAllocTable(
      table,
      record['nents'] as number,
      record['maxEnts'] as number,
      record['firstChunk'] as number,
    );
    output.check('ret', record['ret'], ret);
    output.check('outNents', record['outNents'], table.mappedCount);
    output.check('outOrigNents', record['outOrigNents'], table.segmentCount);
    output.check('allocs', record['allocs'], allocator.sizes);
    output.check('layout', record['layout'], ret === 0 ? sgArrayLayout(table) : undefined);
  }

  #upstream(record: JsonRecord, output: RecordedOutput): void {
    const table = new SgTable();
    const append = new SgAppendTable(table, this.#maxSingleAlloc);
    const first = record['pfns'] as readonly number[];
    const second = record['pfnsAppend'] as readonly number[] | null;
    const size = record['size'] as number;
    const limit = record['maxSegment'] as number;
    const left = second === null ? 0 : first.length;
    let ret = sgAllocAppendTableFromPages(append, first, first.length, 0, size, limit, left);
    if (ret === 0 && second !== null) {
      ret = sgAllocAppendTableFromPages(append, second, second.length, 0, size, limit, 0);
    }
    output.check('ret', record['ret'], ret);
    output.check('expectRet', record['expectRet'], ret);
    output.check('nents', record['nents'], table.mappedCount);
    if (ret !== 0) {
      output.check('segs', record['segs'], undefined);
      return;
    }
    output.check('expectSegments', record['expectSegments'], table.mappedCount);
    output.check('segs', record['segs'], segmentsOf(table.list, table.segmentCount));
  }
}

/** The suite of native scatterlist records. */
export const sgGoldenSuite: Suite = {
  name: 'sg-golden/1',
  accepts: (header) => header['format'] === 'sg-golden/1',
  open(header) {
    const maxSingleAlloc = header['maxSingleAlloc'];
    if (header['pageSize'] !== 4096 || typeof maxSingleAlloc !== 'number') {
      throw new BrokenHeader('sg-golden/1 needs pageSize 4096 and maxSingleAlloc');
    }
    return new SgGoldenReplayer(maxSingleAlloc);
  },
  kindOf: (record) => String(record['kind']),
  outputs: {
    append: [
      'calls[].ret',
      'calls[].nents',
      'calls[].totalNents',
      'nents',
      'origNents',
      'totalNents',
      'error',
      'layout',
      'allocs',
      'segs',
      'nentsForLen[1]',
    ],
    table: ['ret', 'outNents', 'outOrigNents', 'allocs', 'layout'],
    upstream: ['ret', 'nents', 'segs'],
  },
};
