// A whole trace read at once: its events copied, and what was counted.
// Source followed: none; support of the tests of the reader.
// Simplified: everything is kept in memory.

import { TraceReader, type TraceReaderOptions } from '../../src/reader/trace-reader.ts';
import type { TraceTally } from '../../src/reader/trace-tally.ts';
import type { TraceEvent } from '../../src/trace-event.ts';

/** The data of an event, lists copied. */
export type EventCopy = { -readonly [Key in keyof TraceEvent]: TraceEvent[Key] };

export function copyOf(event: TraceEvent): EventCopy {
  const { dmaAddrs, sizes, physAddrs, words } = event;
  const lists = {
    dmaAddrs: [...dmaAddrs],
    sizes: [...sizes],
    physAddrs: [...physAddrs],
    words: [...words],
  };
  return Object.assign({} as EventCopy, event, lists);
}

export interface WholeReading {
  readonly events: EventCopy[];
  readonly tally: TraceTally;
}

export const bytesOfText = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Reads a trace in the given chunks. */
export function readChunks(chunks: Iterable<Uint8Array>, options: TraceReaderOptions = {}): WholeReading {
  const events: EventCopy[] = [];
  const reader = new TraceReader((event) => events.push(copyOf(event)), options);
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return { events, tally: reader.tally };
}

export const readText = (text: string, options: TraceReaderOptions = {}): WholeReading =>
  readChunks([bytesOfText(text)], options);

/** A tally as plain data, for comparisons. */
export function tallyData(tally: TraceTally): Record<string, unknown> {
  const { lines, bytes, eventLines, headerLines, otherLines, problemLines } = tally;
  const { lostEvents, overwrittenEvents, firstTime, lastTime, usable, format, clock, kernel } = tally;
  return {
    ...{ lines, bytes, eventLines, headerLines, otherLines, problemLines },
    ...{ lostEvents, overwrittenEvents, firstTime, lastTime, usable, format, clock, kernel },
    events: [...tally.events],
    problems: [...tally.problems],
  };
}
