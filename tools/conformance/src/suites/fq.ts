// Suite fq: the flush queue of a lazy domain, with ring and counters after each call.
// Field meanings: vectors/kernel/README.md, section fq. When the timer fires depends on the time that calls took, which
// is not recorded: `start` of a `batch` record says whether it fired since the record before, and is an input.
// While a module sleeps (`idle`) the model's clock runs.
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
import { BrokenHeader, type JsonRecord, type Mismatch, type Replayer, type Suite } from '../suite.ts';
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

const numberOf = (record: JsonRecord, field: string): number => Number(record[field]);

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
  readonly #live = new Map<unknown, LiveMapping>();
  /** Two-step ranges by address. */
  readonly #states = new Map<unknown, DmaIovaState>();
  readonly #operations: Readonly<Record<string, Operation>> = {
    batch: (record) => this.#fireUpTo(numberOf(record, 'start')),
    map: (record, output) => this.#map(record, output),
    unmap: (record) => this.#unmap(record['id']),
    iova_link: (record, output) => this.#link(record, output),
    iova_destroy: (record) => this.#destroy(record),
    idle: (record) => this.#machine.dev.platform.clock?.advanceMs(numberOf(record, 'ms')),
  };

  constructor(machine: RecordedDevice) {
    this.#machine = machine;
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#operations[String(record['op'])]?.(record, output);
    const state = queueState(this.#machine);
    for (const [field, got] of Object.entries(state)) output.check(field, record[field], got);
    return output.mismatches;
  }

  /** With all mappings undone and the queue drained nothing is left, and the domain takes its table pages along. */
  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    const { dev, domain, iovad, frames } = this.#machine;
    if (domain === null || iovad === null) return output.mismatches;
    for (const id of this.#live.keys()) this.#unmap(id);
    for (const state of this.#states.values()) dmaIovaDestroy(dev, state, state.size, 'to-device', NO_ATTRS);
    output.check('page-table entries left', 0, domain.table.liveLeafEntries);
    fqFlushTimeout(iommuGetDmaCookie(domain), dev.platform.currentCpu);
    output.check('IOVA ranges left', 0, iovad.liveRanges);
    iommuDomainFree(domain);
    output.check('table pages left', 0, frames.liveFrames);
    return output.mismatches;
  }

  #fireUpTo(started: number): void {
    const { dev, domain } = this.#machine;
    if (domain === null) return;
    // Between two records only what is queued arms the timer, so it fires once at most.
    if (started <= queueState(this.#machine).start) return;
    fqFlushTimeout(iommuGetDmaCookie(domain), dev.platform.currentCpu);
  }

  #map(record: JsonRecord, output: RecordedOutput): void {
    const { dev } = this.#machine;
    const bytes = numberOf(record, 'len');
    const address = dmaMapPhys(dev, physAddr(numberOf(record, 'phys')), bytes, 'to-device', NO_ATTRS);
    const mapped = address !== DMA_MAPPING_ERROR;
    output.check('addr', record['addr'], mapped ? hex(address) : null);
    if (mapped) this.#live.set(record['id'], { address, bytes });
  }

  #unmap(id: unknown): void {
    const found = this.#live.get(id);
    if (found === undefined) throw new RangeError(`nothing live has id ${String(id)}`);
    this.#live.delete(id);
    dmaUnmapPhys(this.#machine.dev, found.address, found.bytes, 'to-device', NO_ATTRS);
  }

  #link(record: JsonRecord, output: RecordedOutput): void {
    const { dev } = this.#machine;
    const state = new DmaIovaState();
    const bytes = numberOf(record, 'len');
    const taken = dmaIovaTryAlloc(dev, state, physAddr(0), bytes);
    output.check('ok', record['ok'], taken ? 1 : 0);
    output.check('addr', record['addr'], hex(state.addr));
    if (!taken) return;
    const phys = physAddr(numberOf(record, 'phys'));
    const ret = dmaIovaLink(dev, state, phys, 0, bytes, 'to-device', NO_ATTRS);
    output.check('ret', record['ret'], ret);
    if (ret !== 0) {
      dmaIovaFree(dev, state);
      return;
    }
    dmaIovaSync(dev, state, 0, bytes);
    this.#states.set(hex(state.addr), state);
  }

  #destroy(record: JsonRecord): void {
    const state = this.#states.get(record['addr']);
    if (state === undefined) throw new RangeError(`no live range is at ${String(record['addr'])}`);
    this.#states.delete(record['addr']);
    dmaIovaDestroy(this.#machine.dev, state, numberOf(record, 'len'), 'to-device', NO_ATTRS);
  }
}

/** The queue of the file's own header must be the one that the kernel's rules give its device. */
function requireSameQueue(header: JsonRecord, machine: RecordedDevice): void {
  const { domain } = machine;
  const queue = domain === null ? null : iommuGetDmaCookie(domain).flushQueue;
  const enabled = header['fq_enabled'] === 1;
  if (enabled !== (queue !== null)) throw new BrokenHeader('fq_enabled does not follow from domain_type');
  if (queue === null) return;
  const { ringSize, timeoutMs } = queue.options;
  if (header['fq_size'] !== ringSize || header['fq_timeout_ms'] !== timeoutMs) {
    throw new BrokenHeader('fq_size and fq_timeout_ms do not follow from queue_type');
  }
}

const queueFields = ['head', 'tail', 'start', 'finish', 'timer_on'];

/** The suite of flush-queue records. */
export const flushQueueSuite: Suite = {
  name: 'fq',
  accepts: (header) => header['suite'] === 'fq',
  open(header: JsonRecord) {
    if (header['untrusted'] === 1) throw new BrokenHeader('fq: an untrusted device is never lazy');
    const machine = recordedDevice(header);
    requireSameQueue(header, machine);
    return new FlushQueueReplayer(machine);
  },
  kindOf: (record) => String(record['op']),
  outputs: {
    batch: ['head', 'tail', 'finish', 'timer_on'],
    map: ['addr', ...queueFields],
    unmap: queueFields,
    iova_link: ['ok', 'ret', 'addr', ...queueFields],
    iova_destroy: queueFields,
    idle: queueFields,
  },
};
