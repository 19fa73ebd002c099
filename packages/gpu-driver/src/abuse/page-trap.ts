// PageTrap: notices that an exporter looks at the page of a table's first entry while it takes the table back.
// Source followed: no rule of Linux: the DMA API looks at the pages of a table itself, but asks first whether the log is on, so that
// what is read before that is read by the exporter.
// Simplified: of a table with pages only what is read before the first call into the DMA API counts, which is what a choice of
// the way of undoing needs.

import { NO_PAGE, type SgTable } from '@sgfree/dma-sg';
import type { EventLog } from '@sgfree/hw-model';
import { firstElement, ReadTrap } from './read-trap.ts';

/** A trap on the pages of one table, on a machine with this log. @internal */
export class PageTrap {
  readonly #page: ReadTrap<SgTable['list'], 'pageFrame'>;
  /** Read by each call into the DMA API, before anything else. */
  readonly #entered: ReadTrap<EventLog, 'enabled'>;

  constructor({ list }: SgTable, log: EventLog) {
    const hasPages = list.pageFrame.subarray(0, list.entryCount).some((frame) => frame !== NO_PAGE);
    const entered = new ReadTrap(log, 'enabled');
    this.#entered = entered;
    this.#page = new ReadTrap(list, 'pageFrame', (column, seen) =>
      firstElement(column, () => {
        if (!hasPages || entered.reads === 0) seen();
      }),
    );
  }

  /** Looks of the exporter's own. */
  get reads(): number {
    return this.#page.reads;
  }

  /** Runs `body` with the trap set. */
  during<T>(body: () => T): T {
    return this.#page.during(() => this.#entered.during(body));
  }
}
