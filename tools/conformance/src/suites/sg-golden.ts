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
import {
  count,
  exactly,
  kindWord,
  listOf,
  objectOf,
  orAbsent,
  orNull,
  read,
  result,
  tupleOf,
  within,
  word,
} from '../recorded-value.ts';
import type { JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';

const pageList = listOf(count);
const appendCalls = listOf(
  objectOf({
    pfns: pageList,
    offset: word,
    size: count,
    leftPages: word,
    ret: result,
    nents: result,
    totalNents: result,
  }),
);
const lengthAsked = orAbsent(tupleOf(count, result));
/** Index of the allocation that is to fail, or -1. */
const failIndex = within(-1, 2 ** 31 - 1);

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
    read(record, 'id', count);
    if (record['kind'] === 'table') this.#table(record, output);
    else if (record['kind'] === 'upstream') this.#upstream(record, output);
    else this.#append(record, output);
    return output.mismatches;
  }

  #append(record: JsonRecord, output: RecordedOutput): void {
    const allocator = new RecordingAllocator(-1);
    const table = new SgTable(null, allocator);
    const append = new SgAppendTable(table, this.#maxSingleAlloc);
    const maxSegment = read(record, 'maxSegment', word);
    const [asked] = read(record, 'nentsForLen', lengthAsked) ?? [0];
    let failed = 0;
    for (const [at, call] of read(record, 'calls', appendCalls).entries()) {
      const ret = sgAllocAppendTableFromPages(
        append,
        call.pfns,
        call.pfns.length,
        call.offset,
        call.size,
        maxSegment,
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
    output.check('nentsForLen', record['nentsForLen'], [asked, sgNentsForLen(table.list, asked)]);
  }

  #table(record: JsonRecord, output: RecordedOutput): void {
    const allocator = new RecordingAllocator(read(record, 'failAlloc', failIndex));
    const table = new SgTable(null, allocator);
    const ret = __sgAllocTable(
      table,
      read(record, 'nents', word),
      read(record, 'maxEnts', word),
      read(record, 'firstChunk', word),
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
    const first = read(record, 'pfns', pageList);
    const second = read(record, 'pfnsAppend', orNull(pageList));
    const size = read(record, 'size', count);
    const limit = read(record, 'maxSegment', word);
    const segments = read(record, 'expectSegments', count);
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
    output.check('expectSegments', segments, table.mappedCount);
    output.check('segs', record['segs'], segmentsOf(table.list, table.segmentCount));
  }
}

/** The suite of native scatterlist records. */
export const sgGoldenSuite: Suite = {
  name: 'sg-golden/1',
  accepts: (header) => header['format'] === 'sg-golden/1',
  open(header) {
    read(header, 'pageSize', exactly(4096));
    return new SgGoldenReplayer(read(header, 'maxSingleAlloc', word));
  },
  kindOf: (record) => kindWord(record, 'kind'),
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
    upstream: ['ret', 'expectRet', 'nents', 'segs'],
  },
};
