// readTrace: a whole source of trace text through one reader.
// Source followed: none; the source is any asynchronous sequence of chunks: a file, a pipe, what gunzip gives.
// Simplified: errors of the source pass through; the events read before one were delivered.

import type { TraceEvent } from '../trace-event.ts';
import { TraceReader, type TraceReaderOptions } from './trace-reader.ts';
import type { TraceTally } from './trace-tally.ts';

/**
 * Reads a source of bytes to its end and returns the counts. The event is one object, filled anew for each call: copy
 * what is kept. Rejects when the source or the callback fails.
 * @public
 */
export async function readTrace(
  source: AsyncIterable<Uint8Array>,
  onEvent: (event: TraceEvent) => void,
  options: TraceReaderOptions = {},
): Promise<TraceTally> {
  const reader = new TraceReader(onEvent, options);
  for await (const bytes of source) reader.push(bytes);
  reader.end();
  return reader.tally;
}
