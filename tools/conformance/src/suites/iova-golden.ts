// Suite iova-golden/1: the IOVA allocator with its range caches, recorded from the kernel's own drivers/iommu/iova.c.
// Field meanings: vectors/native/README.md, section iova-golden/1.
// Simplified: a file with a virtual clock has no explicit trim work, and the other way round.

import { Clock } from '@sgfree/hw-model';
import {
  allocIova,
  allocIovaFast,
  findIova,
  freeIova,
  freeIovaFast,
  IovaDomain,
  iovaCpuhpDead,
  iovaCpuOnline,
  iovaDepotWorkFunc,
  reserveIova,
} from '@sgfree/iommu';
import { count, cpuCount, exactly, flag, kindWord, type Reader, read, within } from '../recorded-value.ts';
import type { JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { crcOfText } from './iova-crc.ts';

const FIXED = { magSize: 127, cacheOrders: 6, depotDelayMs: 100 } as const;

type Operation = (record: JsonRecord, output: RecordedOutput) => void;

const orderNumber = within(0, FIXED.cacheOrders - 1);

class IovaGoldenReplayer implements Replayer {
  readonly #clock = new Clock();
  readonly #iovad: IovaDomain;
  readonly #cpu: Reader<number>;
  #firings: [number, number, number][] = [];
  readonly #operations: Readonly<Record<string, Operation>>;

  constructor(header: JsonRecord) {
    const timed = read(header, 'clock', flag);
    const cpus = read(header, 'cpus', cpuCount);
    this.#cpu = within(0, cpus - 1);
    this.#iovad = new IovaDomain({
      granule: read(header, 'granule', count),
      pageSize: read(header, 'pageSize', count),
      startPfn: read(header, 'startPfn', count),
      cpus,
      ...(timed ? { clock: this.#clock } : {}),
      onDepotWork: (order, depot) => this.#firings.push([this.#clock.nowMs, order, depot]),
    });
    this.#operations = {
      alloc: (record, output) => this.#alloc(record, output),
      fast: (record, output) => this.#fast(record, output),
      free: (record, output) => this.#free(record, output),
      ffast: (record, output) => this.#freeFast(record, output),
      reserve: (record, output) => this.#reserve(record, output),
      find: (record, output) =>
        output.check('r', record['r'], findIova(this.#iovad, read(record, 'pfn', count))),
      work: (record, output) => this.#work(record, output),
      advance: (record, output) => this.#advance(record, output),
      cpudown: (record) => iovaCpuhpDead(this.#iovad, read(record, 'cpu', this.#cpu)),
      cpuup: (record) => iovaCpuOnline(this.#iovad, read(record, 'cpu', this.#cpu)),
      state: (record, output) => this.#state(record, output),
      end: (record, output) => this.#end(record, output),
    };
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#operations[String(record['o'])]?.(record, output);
    return output.mismatches;
  }

  #alloc(record: JsonRecord, output: RecordedOutput): void {
    const aligned = read(record, 'align', flag);
    const pfn = allocIova(this.#iovad, read(record, 'size', count), read(record, 'limit', count), aligned);
    output.check('r', record['r'], pfn < 0 ? null : pfn);
  }

  #fast(record: JsonRecord, output: RecordedOutput): void {
    const iovad = this.#iovad;
    const { cacheHits, flushedRanges } = iovad;
    const pfn = allocIovaFast(
      iovad,
      read(record, 'size', count),
      read(record, 'limit', count),
      read(record, 'flush', flag),
      read(record, 'cpu', this.#cpu),
    );
    output.check('r', record['r'], pfn);
    const from = iovad.cacheHits > cacheHits ? 'cache' : pfn === 0 ? 'fail' : 'tree';
    output.check('from', record['from'], iovad.flushedRanges > flushedRanges ? `${from}+flush` : from);
  }

  #free(record: JsonRecord, output: RecordedOutput): void {
    output.check('r', record['r'], freeIova(this.#iovad, read(record, 'pfn', count)) ? 1 : 0);
  }

  #freeFast(record: JsonRecord, output: RecordedOutput): void {
    const before = this.#iovad.cachedRanges;
    freeIovaFast(
      this.#iovad,
      read(record, 'pfn', count),
      read(record, 'size', count),
      read(record, 'cpu', this.#cpu),
    );
    output.check('to', record['to'], this.#iovad.cachedRanges > before ? 'cache' : 'tree');
  }

  #reserve(record: JsonRecord, output: RecordedOutput): void {
    output.check(
      'r',
      record['r'],
      reserveIova(this.#iovad, read(record, 'lo', count), read(record, 'hi', count)),
    );
  }

  #work(record: JsonRecord, output: RecordedOutput): void {
    const order = read(record, 'order', orderNumber);
    const before = this.#iovad.depotSizes()[order];
    const fired = iovaDepotWorkFunc(this.#iovad, order) ? 1 : 0;
    const pending = this.#iovad.isTrimPending(order) ? 1 : 0;
    output.check('r', record['r'], [fired, before, this.#iovad.depotSizes()[order], pending]);
  }

  #advance(record: JsonRecord, output: RecordedOutput): void {
    this.#firings = [];
    this.#clock.advanceMs(read(record, 'ms', count));
    output.check('r', record['r'], this.#firings);
    output.check('now', record['now'], this.#clock.nowMs);
  }

  #state(record: JsonRecord, output: RecordedOutput): void {
    const iovad = this.#iovad;
    let text = '';
    for (const [lo, hi] of iovad.ranges()) text += `${lo}-${hi};`;
    output.check('count', record['count'], iovad.rangeCount);
    output.check('crc', record['crc'], crcOfText(text));
    output.check('max32', record['max32'], iovad.max32AllocSize);
    output.check('cached', record['cached'], iovad.cachedNode);
    output.check('cached32', record['cached32'], iovad.cached32Node);
    output.check('depot', record['depot'], iovad.depotSizes());
    const fills = Array.from({ length: iovad.cpus }, (_, cpu) => iovad.magazineFills(cpu));
    output.check('mags', record['mags'], fills);
  }

  #end(record: JsonRecord, output: RecordedOutput): void {
    output.check('ranges', record['ranges'], this.#iovad.ranges());
    output.check('live', record['live'], this.#iovad.liveRanges);
    output.check('warns', record['warns'], this.#iovad.warnings);
  }
}

/** The suite of native IOVA allocator records. */
export const iovaGoldenSuite: Suite = {
  name: 'iova-golden/1',
  accepts: (header) => header['format'] === 'iova-golden/1',
  open(header) {
    for (const [field, value] of Object.entries(FIXED)) read(header, field, exactly(value));
    read(header, 'dma32Pfn', exactly(2 ** 32 / read(header, 'granule', count)));
    return new IovaGoldenReplayer(header);
  },
  kindOf: (record) => kindWord(record, 'o'),
  outputs: {
    alloc: ['r'],
    fast: ['r', 'from'],
    free: ['r'],
    ffast: ['to'],
    reserve: ['r'],
    find: ['r'],
    work: ['r'],
    advance: ['r', 'now'],
    cpudown: [],
    cpuup: [],
    state: ['count', 'crc', 'max32', 'cached', 'cached32', 'depot', 'mags'],
    end: ['ranges', 'live', 'warns'],
  },
};
