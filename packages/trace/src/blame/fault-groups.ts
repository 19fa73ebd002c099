// FaultGroups: the faults of a trace, grouped as they come, within a bound.
// Source followed: none.
// Simplified: beyond the bound faults are only counted.

import { FaultGroup } from './fault-group.ts';
import { pageStart } from './mapping-sighting.ts';
import { PageWatch } from './page-watch.ts';
import type { RecordedFault } from './recorded-fault.ts';

/**
 * Groups of faults. `taken` hands over those that can be explained.
 * @internal
 */
export class FaultGroups {
  /** Faults that came in, and those beyond the bound. */
  total = 0;
  beyond = 0;
  readonly #most: number;
  #made = 0;
  readonly #open = new Map<string, FaultGroup>();
  /** Keys of the open groups. */
  readonly #pages = new PageWatch<string>();
  readonly #waiting = new Set<FaultGroup>();

  constructor(most: number) {
    this.#most = most;
  }

  add(fault: RecordedFault): void {
    this.total += 1;
    const key = `${fault.device} ${pageStart(fault.address)} ${fault.reading.access}`;
    const group = this.#open.get(key);
    if (group !== undefined) group.add(fault);
    else if (this.#made >= this.#most) this.beyond += 1;
    else this.#openGroup(key, fault);
  }

  #openGroup(key: string, fault: RecordedFault): void {
    const group = new FaultGroup(fault);
    this.#made += 1;
    this.#open.set(key, group);
    this.#pages.add(fault.address, key);
    this.#waiting.add(group);
  }

  /** Something was mapped or unmapped: later faults there are another matter. */
  changed(start: number, end: number): void {
    for (const key of this.#pages.taken(start, end)) this.#open.delete(key);
  }

  get anyOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Takes out the waiting groups for which `ready` holds. */
  taken(ready: (group: FaultGroup) => boolean): FaultGroup[] {
    const groups = [...this.#waiting].filter(ready);
    for (const group of groups) this.#waiting.delete(group);
    return groups;
  }
}
