// Suite iova: a private iova_domain as a booted kernel ran it; every record closes with the state of the search.
// Field meanings: vectors/kernel/README.md, section iova.
// Simplified: everything ran on CPU 0, and the depots never outgrew the CPUs, so no trim work has run.

import { Clock } from '@sgfree/hw-model';
import {
  allocIova,
  allocIovaFast,
  findIova,
  freeIova,
  freeIovaFast,
  IovaDomain,
  type IovaRange,
  reserveIova,
} from '@sgfree/iommu';
import { BrokenHeader, type JsonRecord, type Mismatch, type Replayer, type Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';

const ANCHOR = '0xffffffffffffffff';

const hex = (value: number): string => `0x${value.toString(16)}`;
const hexRange = (range: IovaRange | null): [string, string] | null =>
  range === null ? null : [hex(range[0]), hex(range[1])];
/** A number written as a number or as a hex string. */
const fieldValue = (record: JsonRecord, field: string): number => Number(record[field]);

type Operation = (record: JsonRecord, output: RecordedOutput) => void;

class IovaKernelReplayer implements Replayer {
  readonly #iovad: IovaDomain;
  readonly #cpu: number;
  readonly #operations: Readonly<Record<string, Operation>>;

  constructor(header: JsonRecord) {
    const iovad = new IovaDomain({
      granule: fieldValue(header, 'granule'),
      pageSize: fieldValue(header, 'page_size'),
      startPfn: fieldValue(header, 'start_pfn'),
      cpus: fieldValue(header, 'ncpus'),
      rcaches: header['rcache'] === 1,
      clock: new Clock(),
    });
    this.#iovad = iovad;
    this.#cpu = fieldValue(header, 'cpu');
    this.#operations = {
      alloc: (record, output) => this.#alloc(record, output),
      alloc_fast: (record, output) => this.#allocFast(record, output),
      free: (record) => freeIova(iovad, fieldValue(record, 'pfn')),
      free_fast: (record) =>
        freeIovaFast(iovad, fieldValue(record, 'pfn'), fieldValue(record, 'size'), this.#cpu),
      reserve: (record, output) => {
        const range = reserveIova(iovad, fieldValue(record, 'lo'), fieldValue(record, 'hi'));
        output.check('ret', record['ret'], hexRange(range));
      },
      find: (record, output) =>
        output.check('ret', record['ret'], hexRange(findIova(iovad, fieldValue(record, 'pfn')))),
      dump: (record, output) => output.check('tree', record['tree'], iovad.ranges().map(hexRange)),
    };
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#operations[String(record['op'])]?.(record, output);
    this.#searchState(record, output);
    return output.mismatches;
  }

  #alloc(record: JsonRecord, output: RecordedOutput): void {
    const aligned = record['aligned'] === 1;
    const pfn = allocIova(this.#iovad, fieldValue(record, 'size'), fieldValue(record, 'limit'), aligned);
    const range = pfn < 0 ? null : findIova(this.#iovad, pfn);
    output.check('pfn', record['pfn'], hex(range?.[0] ?? 0));
    output.check('hi', record['hi'], hex(range?.[1] ?? 0));
  }

  #allocFast(record: JsonRecord, output: RecordedOutput): void {
    const flush = record['flush'] === 1;
    const size = fieldValue(record, 'size');
    const pfn = allocIovaFast(this.#iovad, size, fieldValue(record, 'limit'), flush, this.#cpu);
    output.check('pfn', record['pfn'], hex(pfn));
  }

  #searchState(record: JsonRecord, output: RecordedOutput): void {
    const { cachedNode, cached32Node, max32AllocSize } = this.#iovad;
    output.check('c32', record['c32'], cached32Node === null ? ANCHOR : hex(cached32Node));
    output.check('c', record['c'], cachedNode === null ? ANCHOR : hex(cachedNode));
    output.check('m32', record['m32'], hex(max32AllocSize));
  }
}

/** The suite of IOVA allocator records of a booted kernel. */
export const iovaKernelSuite: Suite = {
  name: 'iova',
  accepts: (header) => header['suite'] === 'iova',
  open(header) {
    for (const field of ['granule', 'page_size', 'start_pfn', 'ncpus', 'cpu', 'dma_32bit_pfn']) {
      if (!Number.isInteger(fieldValue(header, field))) throw new BrokenHeader(`iova needs ${field}`);
    }
    if (fieldValue(header, 'dma_32bit_pfn') !== 2 ** 32 / fieldValue(header, 'granule')) {
      throw new BrokenHeader('iova: dma_32bit_pfn is not 4 GiB');
    }
    return new IovaKernelReplayer(header);
  },
  kindOf: (record) => String(record['op']),
  outputs: {
    alloc: ['pfn', 'hi', 'c32', 'c', 'm32'],
    alloc_fast: ['pfn', 'c32', 'c', 'm32'],
    free: ['c32', 'c', 'm32'],
    free_fast: ['c32', 'c', 'm32'],
    reserve: ['ret', 'c32', 'c', 'm32'],
    find: ['ret', 'c32', 'c', 'm32'],
    dump: ['tree', 'c32', 'c', 'm32'],
  },
};
