// PayloadPrinter: how the payload of one kind of event is written; the tables of printers are typed by it.
// Source followed: TP_printk of the kernel's trace headers, one format for each event.
// Simplified: a kind has one shape, the one its poster writes; nothing is checked again here.

import type { ModelEvent } from '@sgfree/hw-model';

/** Prints the payload of an event of one kind. @internal */
export type PayloadPrinter = (event: ModelEvent) => string;

/** The printer of events that have the fields of `Shape`. @internal */
export const ofShape =
  <Shape>(print: (event: Shape) => string): PayloadPrinter =>
  (event) =>
    print(event as unknown as Shape);
