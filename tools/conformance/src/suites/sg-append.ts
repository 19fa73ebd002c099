// Suite sg_append: sg_alloc_append_table_from_pages as a booted kernel ran it, a fresh table per record.
// Field meanings: vectors/kernel/README.md, section sg_append.
// Simplified: pages are frame numbers; runs stand for lists of neighbouring frames.

import { SgAppendTable, SgTable, sgAllocAppendTableFromPages } from '@sgfree/dma-sg';
import { BrokenHeader, type JsonRecord, type Mismatch, type Replayer, type Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';

interface AppendCall {
  readonly n: number;
  readonly offset: number;
  readonly size: number;
  readonly left: number;
  readonly ret: number;
  readonly nents: number;
  readonly runs: readonly (readonly [string, number])[];
}

function framesOf(runs: AppendCall['runs']): number[] {
  const frames: number[] = [];
  for (const [first, count] of runs) {
    for (let at = 0; at < count; at += 1) frames.push(Number(first) + at);
  }
  return frames;
}

const replayer: Replayer = {
  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    const table = new SgTable();
    const append = new SgAppendTable(table);
    let failed = false;
    for (const [at, call] of (record['calls'] as readonly AppendCall[]).entries()) {
      const ret = sgAllocAppendTableFromPages(
        append,
        framesOf(call.runs),
        call.n,
        call.offset,
        call.size,
        record['max_seg'] as number,
        call.left,
      );
      output.check(`calls[${at}].ret`, call.ret, ret);
      output.check(`calls[${at}].nents`, call.nents, table.mappedCount);
      failed ||= ret !== 0;
    }
    output.check('nents', record['nents'], table.mappedCount);
    output.check('orig_nents', record['orig_nents'], table.segmentCount);
    output.check('total_nents', record['total_nents'], append.totalEntries);
    const { list } = table;
    const segments = Array.from({ length: failed ? 0 : table.segmentCount }, (_, sg) => [
      `0x${(list.pageFrame[sg] ?? 0).toString(16)}`,
      list.offset[sg],
      list.length[sg],
    ]);
    output.check('segs', record['segs'], segments);
    return output.mismatches;
  },
};

/** The suite of recorded append tables. */
export const sgAppendSuite: Suite = {
  name: 'sg_append',
  accepts: (header) => header['suite'] === 'sg_append',
  open(header) {
    if (header['page_size'] !== 4096) throw new BrokenHeader('sg_append needs page_size 4096');
    return replayer;
  },
  kindOf: (record) => ('calls' in record ? 'table' : 'unknown'),
  outputs: { table: ['calls[].ret', 'calls[].nents', 'nents', 'orig_nents', 'total_nents', 'segs'] },
};
