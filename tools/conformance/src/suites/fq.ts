// Suite fq: the flush queue of a lazy domain, with ring and counters after each call.
// Field meanings: vectors/kernel/README.md, section fq. When the timer fires depends on the time that calls took, which
// is not recorded: `start` of a `batch` record says whether it fired since the record before, and is an input.
// While a module sleeps (`idle`) the model's clock runs.
// With a trace beside the file the model's own events must print the same lines in the same order.
// Simplified: none.

import {
  DMA_MAPPING_ERROR,
  dmaMapPhys,
  dmaUnmapPhys,
  fqFlushTimeout,
  iommuGetDmaCookie,
  NO_ATTRS,
} from '@sgfree/dma-core';
import {
  DmaIovaState,
  dmaIovaDestroy,
  dmaIovaFree,
  dmaIovaLink,
  dmaIovaSync,
  dmaIovaTryAlloc,
} from '@sgfree/dma-iova';
import { type DmaAddr, hex, physAddr } from '@sgfree/hw-model';
import { iommuDomainFree } from '@sgfree/iommu';
import { count, exactly, flag, hexNumber, kindWord, read } from '../recorded-value.ts';
import {
  BrokenHeader,
  type ComparedAmount,
  type FileContext,
  type JsonRecord,
  type Mismatch,
  type Replayer,
  type Suite,
} from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { type RecordedDevice, recordedDevice } from './recorded-device.ts';

type Operation = (record: JsonRecord, output: RecordedOutput) => void;

interface LiveMapping {
  readonly address: DmaAddr;
  readonly bytes: number;
}

/** Ring and counters, in the words of the records. */
interface QueueState {
  readonly head: number;
  readonly tail: number;
  readonly start: number;
  readonly finish: number;
  readonly timer_on: number;
}

/** The ring of the CPU that the file ran on; zeros without a queue. */
function queueState({ dev, domain }: RecordedDevice): QueueState {
  const queue = domain === null ? null : iommuGetDmaCookie(domain).flushQueue;
  if (queue === null) return { head: 0, tail: 0, start: 0, finish: 0, timer_on: 0 };
  const { head, tail } = queue.ringOf(dev.platform.currentCpu);
  const { startCount, finishCount, timerOn } = queue;
  return { head, tail, start: startCount, finish: finishCount, timer_on: timerOn ? 1 : 0 };
}

class FlushQueueReplayer implements Replayer {
  readonly #machine: RecordedDevice;
  readonly #live = new Map<number, LiveMapping>();
  /** Two-step ranges by address. */
  readonly #states = new Map<number, DmaIovaState>();
  readonly #operations: Readonly<Record<string, Operation>> = {
    batch: (record) => this.#fireUpTo(record),
    map: (record, output) => this.#map(record, output),
    unmap: (record) => this.#unmap(read(record, 'id', count)),
    iova_link: (record, output) => this.#link(record, output),
    iova_destroy: (record) => this.#destroy(record),
    idle: (record) => this.#machine.dev.platform.clock?.advanceMs(read(record, 'ms', count)),
  };

  constructor(machine: RecordedDevice) {
    this.#machine = machine;
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#operations[String(record['op'])]?.(record, output);
    const state = queueState(this.#machine);
    for (const [field, got] of Object.entries(state)) output.check(field, record[field], got);
    this.#machine.trace?.compare(output);
    return output.mismatches;
  }

  /** With all mappings undone and the queue drained nothing is left, and the domain takes its table pages along. */
  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    const { dev, domain, iovad, frames, trace } = this.#machine;
    if (domain === null || iovad === null) return output.mismatches;
    for (const id of this.#live.keys()) this.#unmap(id);
    for (const state of this.#states.values()) dmaIovaDestroy(dev, state, state.size, 'to-device', NO_ATTRS);
    output.check('page-table entries left', 0, domain.table.liveLeafEntries);
    // A trace may end before the last range is flushed, or behind it.
    trace?.compare(output);
    if (trace?.left === 0) trace.finish(output);
    fqFlushTimeout(iommuGetDmaCookie(domain), dev.platform.currentCpu);
    trace?.finish(output);
    output.check('IOVA ranges left', 0, iovad.liveRanges);
    iommuDomainFree(domain);
    output.check('table pages left', 0, frames.liveFrames);
    return output.mismatches;
  }

  alsoCompared(): readonly ComparedAmount[] {
    return this.#machine.trace?.amounts ?? [];
  }

  #fireUpTo(record: JsonRecord): void {
    const started = read(record, 'start', count);
    read(record, 'n', count);
    const { dev, domain } = this.#machine;
    if (domain === null) return;
    // Between two records only what is queued arms the timer, so it fires once at most.
    if (started <= queueState(this.#machine).start) return;
    fqFlushTimeout(iommuGetDmaCookie(domain), dev.platform.currentCpu);
  }

  #map(record: JsonRecord, output: RecordedOutput): void {
    const { dev } = this.#machine;
    const id = read(record, 'id', count);
    const phys = physAddr(read(record, 'phys', hexNumber));
    const bytes = read(record, 'len', count);
    const address = dmaMapPhys(dev, phys, bytes, 'to-device', NO_ATTRS);
    const mapped = address !== DMA_MAPPING_ERROR;
    output.check('addr', record['addr'], mapped ? hex(address) : null);
    if (mapped) this.#live.set(id, { address, bytes });
  }

  #unmap(id: number): void {
    const found = this.#live.get(id);
    if (found === undefined) throw new RangeError(`nothing live has id ${id}`);
    this.#live.delete(id);
    dmaUnmapPhys(this.#machine.dev, found.address, found.bytes, 'to-device', NO_ATTRS);
  }

  #link(record: JsonRecord, output: RecordedOutput): void {
    const { dev } = this.#machine;
    const state = new DmaIovaState();
    const phys = physAddr(read(record, 'phys', hexNumber));
    const bytes = read(record, 'len', count);
    const taken = dmaIovaTryAlloc(dev, state, physAddr(0), bytes);
    output.check('ok', record['ok'], taken ? 1 : 0);
    output.check('addr', record['addr'], hex(state.addr));
    // Without a range there is no call whose result could be anything but what it was set to.
    const ret = taken ? dmaIovaLink(dev, state, phys, 0, bytes, 'to-device', NO_ATTRS) : 0;
    output.check('ret', record['ret'], ret);
    if (!taken) return;
    if (ret !== 0) {
      dmaIovaFree(dev, state);
      return;
    }
    dmaIovaSync(dev, state, 0, bytes);
    this.#states.set(state.addr, state);
  }

  #destroy(record: JsonRecord): void {
    const addr = read(record, 'addr', hexNumber);
    const bytes = read(record, 'len', count);
    const state = this.#states.get(addr);
    if (state === undefined) throw new RangeError(`no live range is at ${hex(addr)}`);
    this.#states.delete(addr);
    dmaIovaDestroy(this.#machine.dev, state, bytes, 'to-device', NO_ATTRS);
  }
}

/** The queue of the file's own header must be the one that the kernel's rules give its device. */
function requireSameQueue(header: JsonRecord, machine: RecordedDevice): void {
  const { domain } = machine;
  const queue = domain === null ? null : iommuGetDmaCookie(domain).flushQueue;
  read(header, 'queue_type', flag);
  const enabled = read(header, 'fq_enabled', flag);
  if (enabled !== (queue !== null)) throw new BrokenHeader('fq_enabled does not follow from domain_type');
  if (queue === null) return;
  const { ringSize, timeoutMs } = queue.options;
  read(header, 'fq_size', exactly(ringSize));
  read(header, 'fq_timeout_ms', exactly(timeoutMs));
}

const queueFields = ['head', 'tail', 'start', 'finish', 'timer_on'];

/** The suite of flush-queue records. */
export const flushQueueSuite: Suite = {
  name: 'fq',
  accepts: (header) => header['suite'] === 'fq',
  open(header: JsonRecord, context?: FileContext) {
    if (read(header, 'untrusted', flag)) throw new BrokenHeader('fq: an untrusted device is never lazy');
    const machine = recordedDevice(header, context);
    requireSameQueue(header, machine);
    return new FlushQueueReplayer(machine);
  },
  kindOf: (record) => kindWord(record, 'op'),
  outputs: {
    batch: ['head', 'tail', 'finish', 'timer_on'],
    map: ['addr', ...queueFields],
    unmap: queueFields,
    iova_link: ['ok', 'ret', 'addr', ...queueFields],
    iova_destroy: queueFields,
    idle: queueFields,
  },
};
