// Suite iova: a private iova_domain as a booted kernel ran it; every record closes with the state of the search.
// Field meanings: vectors/kernel/README.md, section iova.
// Simplified: everything ran on CPU 0, and the depots never outgrew the CPUs, so no trim work has run. Frames of 2^53 and
// above, which only granules below 2 KiB have, are refused.

import { Clock, hex } from '@sgfree/hw-model';
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
import { count, cpuCount, exactHexNumber, flag, kindWord, read, within } from '../recorded-value.ts';
import { BrokenHeader, type JsonRecord, type Mismatch, type Replayer, type Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';

const ANCHOR = '0xffffffffffffffff';

const hexRange = (range: IovaRange | null): [string, string] | null =>
  range === null ? null : [hex(range[0]), hex(range[1])];

type Operation = (record: JsonRecord, output: RecordedOutput) => void;

class IovaKernelReplayer implements Replayer {
  readonly #iovad: IovaDomain;
  readonly #cpu: number;
  readonly #operations: Readonly<Record<string, Operation>>;

  constructor(header: JsonRecord) {
    const cpus = read(header, 'ncpus', cpuCount);
    const iovad = new IovaDomain({
      granule: read(header, 'granule', count),
      pageSize: read(header, 'page_size', count),
      startPfn: read(header, 'start_pfn', exactHexNumber),
      cpus,
      rcaches: read(header, 'rcache', flag),
      clock: new Clock(),
    });
    this.#iovad = iovad;
    this.#cpu = read(header, 'cpu', within(0, cpus - 1));
    this.#operations = {
      alloc: (record, output) => this.#alloc(record, output),
      alloc_fast: (record, output) => this.#allocFast(record, output),
      free: (record) => freeIova(iovad, read(record, 'pfn', exactHexNumber)),
      free_fast: (record) =>
        freeIovaFast(iovad, read(record, 'pfn', exactHexNumber), read(record, 'size', count), this.#cpu),
      reserve: (record, output) => {
        const range = reserveIova(
          iovad,
          read(record, 'lo', exactHexNumber),
          read(record, 'hi', exactHexNumber),
        );
        output.check('ret', record['ret'], hexRange(range));
      },
      find: (record, output) =>
        output.check('ret', record['ret'], hexRange(findIova(iovad, read(record, 'pfn', exactHexNumber)))),
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
    const aligned = read(record, 'aligned', flag);
    const pfn = allocIova(
      this.#iovad,
      read(record, 'size', count),
      read(record, 'limit', exactHexNumber),
      aligned,
    );
    const range = pfn < 0 ? null : findIova(this.#iovad, pfn);
    output.check('pfn', record['pfn'], hex(range?.[0] ?? 0));
    output.check('hi', record['hi'], hex(range?.[1] ?? 0));
  }

  #allocFast(record: JsonRecord, output: RecordedOutput): void {
    const flush = read(record, 'flush', flag);
    const size = read(record, 'size', count);
    const pfn = allocIovaFast(this.#iovad, size, read(record, 'limit', exactHexNumber), flush, this.#cpu);
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
    if (read(header, 'dma_32bit_pfn', exactHexNumber) !== 2 ** 32 / read(header, 'granule', count)) {
      throw new BrokenHeader('iova: dma_32bit_pfn is not 4 GiB');
    }
    return new IovaKernelReplayer(header);
  },
  kindOf: (record) => kindWord(record, 'op'),
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
