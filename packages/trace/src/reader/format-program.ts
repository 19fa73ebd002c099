// FormatProgram: one row of the format table, turned into steps that read it: fixed text, then a field, and so on.
// Source followed: the rows of trace-formats.ts, which are the kernel's print formats.
// Simplified: a part that some kernels leave out is told from what follows by its fixed text alone, and parts do not nest.

import type { TraceEvent } from '../trace-event.ts';
import { type ByteCursor, failures } from './byte-cursor.ts';
import { bytesOf } from './bytes-of.ts';
import { type FieldReader, fieldReaders } from './fields.ts';
import { type Settle, settlesOf } from './settle-event.ts';
import type { TraceFormat } from './trace-formats.ts';

interface Step {
  readonly literal: Uint8Array;
  readonly read: FieldReader;
  /** The byte behind the field; 0 at the end of the line. */
  readonly stop: number;
  /** Number of the part that begins here, or -1. */
  readonly part: number;
  /** Where to go on when the part is left out. */
  readonly next: number;
}

const TOKEN = /([^<{>]*)(<?)([^<{>]*)\{(\w+)\}(>?)/g;

function stepsOf(text: string): Step[] {
  const found = [...text.matchAll(TOKEN)];
  const steps: Step[] = [];
  let part = -1;
  for (const [index, [, before = '', open, inside = '', name = '']] of found.entries()) {
    const read = fieldReaders[name];
    if (read === undefined) throw new RangeError(`no field ${name}`);
    const following = found[index + 1]?.[0] ?? '';
    const isPart = open === '<';
    if (isPart) part += 1;
    const next = isPart ? found.findIndex(([, , , , , close], at) => at >= index && close === '>') + 1 : -1;
    steps.push({
      literal: bytesOf(before + inside),
      read,
      stop: following.replace('<', '').charCodeAt(0) || 0,
      part: isPart ? part : -1,
      next,
    });
  }
  return steps;
}

/** The steps of one format. */
export class FormatProgram {
  readonly format: TraceFormat;
  /** Place of the format in the table. */
  readonly index: number;
  /** Parts that kernels may leave out. */
  readonly parts: number;
  readonly name: Uint8Array;
  /** The system as perf prints it before the name; markers are events of ftrace. */
  readonly system: Uint8Array;
  /** Text by which an event with a common name is told from one of another system. */
  readonly guard: Uint8Array;
  readonly #steps: readonly Step[];
  readonly #settles: readonly Settle[];

  constructor(format: TraceFormat, index: number) {
    this.format = format;
    this.index = index;
    this.parts = format.parts?.length ?? 0;
    this.name = bytesOf(format.name);
    this.system = bytesOf(format.system === 'marker' ? 'ftrace' : format.system);
    this.guard = bytesOf(format.system === 'iommu' ? 'IOMMU:' : '');
    this.#steps = stepsOf(format.text);
    this.#settles = settlesOf(format);
  }

  /** Reads the text behind the event name up to the end of the line. Returns the parts taken, a bit each. */
  run(cursor: ByteCursor, event: TraceEvent): number {
    const steps = this.#steps;
    let taken = 0;
    let index = 0;
    while (index < steps.length && cursor.failure === failures.none) {
      const { literal, part, read, stop, next } = steps[index] as Step;
      index += 1;
      if (part < 0) {
        cursor.require(literal);
      } else if (cursor.take(literal)) {
        taken |= 1 << part;
      } else {
        index = next;
        leaveOut(cursor, literal);
        continue;
      }
      read(cursor, event, stop);
    }
    this.#judge(cursor, event, index, taken);
    return taken;
  }

  #judge(cursor: ByteCursor, event: TraceEvent, steps: number, taken: number): void {
    const atEnd = cursor.at >= cursor.end;
    if (!atEnd) cursor.fail(failures.wrong);
    // A number that the end of the line cut may be anything.
    if (atEnd && steps < this.#steps.length && cursor.failure === failures.absurd)
      cursor.failure = failures.ended;
    for (const settle of this.#settles) settle(event, cursor, taken);
  }
}

/** The line does not go on with this part: it may be that it ends within it. */
function leaveOut(cursor: ByteCursor, literal: Uint8Array): void {
  const common = cursor.common(literal);
  if (common > 0 && cursor.at + common === cursor.end) cursor.fail(failures.ended);
}
