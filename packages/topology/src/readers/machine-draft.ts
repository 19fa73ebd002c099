// A machine while its dumps are read: the functions met so far, and everything a reader noticed.
// Source followed: none of hardware; the shape that all readers fill before one step makes a MachineDump of it.
// Simplified: all functions of all sources share one table; sources are told apart by line numbers and file names only.

import type { DumpedCpu, IomemRange, TopologyFormat } from '../model/machine-dump.ts';
import { addressKey, type PciAddress } from '../model/pci-address.ts';
import { TopologyInputError } from '../model/topology-input-error.ts';
import type { TopologyRemark, TopologyRemarkCode } from '../model/topology-remark.ts';
import { FunctionDraft, type StatedFacts } from './function-draft.ts';

/** More functions than any machine that Linux runs on; a bound for hostile input. */
const functionLimit = 0x10000;
const remarkLimit = 1000;

/** A machine under construction. */
export class MachineDraft {
  readonly functions: Map<number, FunctionDraft> = new Map();
  readonly formats: Set<TopologyFormat> = new Set();
  readonly iomem: IomemRange[] = [];
  readonly remarks: TopologyRemark[] = [];
  /** Buses that a source shows to be root buses, by bus key. */
  readonly rootBuses: Set<number> = new Set();
  cpu: DumpedCpu | 'unknown' = 'unknown';
  partial = false;
  /** Where the reader is. */
  file = '';
  line = 0;

  /** The function at an address, made when it is new. */
  at(address: PciAddress): FunctionDraft {
    const key = addressKey(address);
    const known = this.functions.get(key);
    if (known !== undefined) return known;
    if (this.functions.size >= functionLimit) {
      throw new TopologyInputError(
        'too-large',
        this.#place(),
        `more than ${functionLimit} functions`,
        'one machine',
      );
    }
    const draft = new FunctionDraft(address, this.line);
    this.functions.set(key, draft);
    return draft;
  }

  /** Takes in a fact at the present place. */
  state<K extends keyof StatedFacts>(draft: FunctionDraft, key: K, value: StatedFacts[K]): void {
    const remark = draft.state(key, value, this.line, this.file);
    if (remark !== undefined) this.keep(remark);
  }

  /** Takes in several facts at the present place. */
  stateAll(draft: FunctionDraft, facts: Partial<StatedFacts>): void {
    for (const key of Object.keys(facts) as (keyof StatedFacts)[]) {
      const value = facts[key];
      if (value !== undefined) this.state(draft, key, value);
    }
  }

  /** Notes something at the present place, or at `line`. */
  remark(
    code: TopologyRemarkCode,
    device: string,
    what: string,
    consequence: string,
    line: number = this.line,
  ): void {
    this.keep({ code, file: this.file, line, device, what, consequence });
  }

  /** Keeps a remark; a bound protects against input that earns one per line. */
  keep(remark: TopologyRemark): void {
    if (this.remarks.length < remarkLimit) this.remarks.push(remark);
  }

  /** An error at the present place. */
  malformed(found: string, expected: string): TopologyInputError {
    return new TopologyInputError('malformed', this.#place(), found, expected);
  }

  #place(): { file: string; line: number } {
    return { file: this.file, line: this.line };
  }
}
