// Suite sg_append: sg_alloc_append_table_from_pages as a booted kernel ran it, a fresh table per record.
// Field meanings: vectors/kernel/README.md, section sg_append.
// Simplified: pages are frame numbers; runs stand for lists of neighbouring frames.

import { SgAppendTable, SgTable, sgAllocAppendTableFromPages } from '@sgfree/dma-sg';
import {
  count,
  exactly,
  hexNumber,
  listOf,
  MalformedValue,
  objectOf,
  type Reader,
  read,
  result,
  tupleOf,
  word,
} from '../recorded-value.ts';
import type { JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';

const recordedCall = objectOf({
  n: word,
  offset: word,
  size: count,
  left: word,
  ret: result,
  nents: result,
  runs: listOf(tupleOf(hexNumber, word)),
});

/** One call, its pages as frames. */
interface AppendCall extends Omit<ReturnType<typeof recordedCall>, 'runs'> {
  readonly frames: readonly number[];
}

const appendCalls: Reader<AppendCall[]> = listOf((value) => {
  const { runs, ...call } = recordedCall(value);
  return { ...call, frames: framesOf(runs, call.n) };
});

function framesOf(runs: readonly (readonly [number, number])[], pages: number): number[] {
  const frames: number[] = [];
  for (const [first, length] of runs) {
    if (length > pages - frames.length) break;
    for (let at = 0; at < length; at += 1) frames.push(first + at);
  }
  if (frames.length !== pages) throw new MalformedValue('.runs', runs, `${pages} pages`);
  return frames;
}

const replayer: Replayer = {
  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    const table = new SgTable();
    const append = new SgAppendTable(table);
    const maxSegment = read(record, 'max_seg', word);
    read(record, 'i', count);
    let failed = false;
    for (const [at, call] of read(record, 'calls', appendCalls).entries()) {
      const ret = sgAllocAppendTableFromPages(
        append,
        call.frames,
        call.n,
        call.offset,
        call.size,
        maxSegment,
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
    read(header, 'page_size', exactly(4096));
    return replayer;
  },
  kindOf: (record) => ('calls' in record ? 'table' : 'unknown'),
  outputs: { table: ['calls[].ret', 'calls[].nents', 'nents', 'orig_nents', 'total_nents', 'segs'] },
};
