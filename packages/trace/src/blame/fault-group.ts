// FaultGroup: faults of one device at one page with one kind of access, while nothing was mapped or unmapped there.
// Source followed: AMD-Vi tells one fault twice, as a trace event and as a console line; each source is counted alone.
// Simplified: the first fault of the group speaks for all; the others only widen the counts and the address range.

import { isLowerAddress } from './fault-address.ts';
import type { RecordedFault } from './recorded-fault.ts';
import type { TracePoint } from './trace-position.ts';

/**
 * How often one source told the faults of a group, and what its first line said.
 * @public
 */
export interface FaultTelling {
  readonly source: RecordedFault['source'];
  readonly codeText: string;
  readonly words: string;
  readonly others: readonly string[];
  count: number;
}

/**
 * A group.
 * @internal
 */
export class FaultGroup {
  fault: RecordedFault;
  readonly tellings: FaultTelling[] = [];
  readonly first: TracePoint;
  last: TracePoint;
  addressLow: number;
  addressHigh: number;
  addressLowText: string;
  addressHighText: string;

  constructor(fault: RecordedFault) {
    this.fault = fault;
    this.first = pointOf(fault);
    this.last = this.first;
    this.addressLow = fault.address;
    this.addressHigh = fault.address;
    this.addressLowText = fault.addressText;
    this.addressHighText = fault.addressText;
    this.#count(fault);
  }

  add(fault: RecordedFault): void {
    this.#count(fault);
    this.last = pointOf(fault);
    this.addressLow = Math.min(this.addressLow, fault.address);
    this.addressHigh = Math.max(this.addressHigh, fault.address);
    if (isLowerAddress(fault.addressText, this.addressLowText)) this.addressLowText = fault.addressText;
    if (isLowerAddress(this.addressHighText, fault.addressText)) this.addressHighText = fault.addressText;
    // The console line says more about the refusal than the trace event does.
    if (this.fault.reading.kind === 'translation' && fault.reading.kind !== 'translation') {
      this.fault = { ...this.fault, reading: { ...this.fault.reading, kind: fault.reading.kind } };
    }
  }

  /** Faults: the same one told by two sources is one. */
  get count(): number {
    return Math.max(...this.tellings.map((telling) => telling.count));
  }

  #count(fault: RecordedFault): void {
    const { source, codeText } = fault;
    const telling = this.tellings.find((one) => one.source === source && one.codeText === codeText);
    if (telling !== undefined) telling.count += 1;
    else {
      const { words, others } = fault.reading;
      this.tellings.push({ source, codeText, words, others, count: 1 });
    }
  }
}

const pointOf = ({ line, time }: RecordedFault): TracePoint => ({ line, time, task: '' });
