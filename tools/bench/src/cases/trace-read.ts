// Trace reading: the kernel's text in, events out, none of them kept.
// The events are proven against a count of lines and a sum of their numbers, made by regular expressions.
// Simplified: one recorded trace, read over and over by one reader each time; what a consumer does is not timed.

import { type TraceEvent, TraceReader } from '@sgfree/trace';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { chunksOf, recordedTraceText } from '../repeated-trace.ts';
import { requireSame } from './iova-linear-walk.ts';

interface Sums {
  events: number;
  addresses: number;
  bytes: number;
}

function sumsOf(text: string): Sums {
  const sums = { events: 0, addresses: 0, bytes: 0 };
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('#')) continue;
    sums.events += 1;
    const address = /(?: iova=0x| dma_addr=)([0-9a-f]+)/.exec(line)?.[1];
    if (address !== undefined) sums.addresses += Number.parseInt(address, 16);
    const bytes = /[^_]size=(\d+)/.exec(line)?.[1];
    if (bytes !== undefined) sums.bytes += Number(bytes);
  }
  return sums;
}

function prepare(): PreparedCase {
  const text = recordedTraceText();
  const chunks = chunksOf(text);
  const expected = sumsOf(new TextDecoder().decode(text));
  const read = (): void => {
    const sums: Sums = { events: 0, addresses: 0, bytes: 0 };
    const reader = new TraceReader((event: TraceEvent) => {
      sums.events += 1;
      if (event.dmaAddr >= 0) sums.addresses += event.dmaAddr;
      sums.bytes += event.size;
    });
    for (const chunk of chunks) reader.push(chunk);
    reader.end();
    requireSame('events', expected.events, sums.events);
    requireSame('sum of addresses', expected.addresses, sums.addresses);
    requireSame('sum of sizes', expected.bytes, sums.bytes);
    requireSame('problems', 0, reader.tally.problems.size);
  };
  read();
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) read();
    },
    rates: [
      { unit: 'MB', perOperation: text.length / 1e6 },
      { unit: 'events', perOperation: expected.events },
    ],
  };
}

/** A recorded trace read. */
export const traceRead: BenchCase = {
  name: 'trace/read',
  operation: 'a trace of 1.2 MB, 8265 events, read in chunks of 64 KiB',
  prepare,
};
