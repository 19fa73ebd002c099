// Memory of the trace reader on a long stream: `npm run -s trace:flat -- [--gigabytes N]`. The stream is made by
// repetition and read by one reader; throughput and the greatest heap and resident set are printed, and the exit status
// is 1 when the heap grows with the stream. Run by hand: it takes as long as 2 GB take. Bad usage is 2.
// Simplified: the heap is looked at after each tenth of the stream, once garbage had time to be collected.

import { parseArgs } from 'node:util';
import { TraceReader } from '@sgfree/trace';
import { processClock } from './measure.ts';
import { chunksOf, recordedTraceText } from './repeated-trace.ts';

const TENTHS = 10;
/** What the heap may vary by without having grown, in bytes. */
const SLACK = 32e6;

interface Sample {
  readonly bytes: number;
  readonly heap: number;
  readonly resident: number;
}

interface Reading {
  readonly samples: readonly Sample[];
  readonly reader: TraceReader;
  readonly seconds: number;
  /** Of the processor: less than the seconds when the machine is busy. */
  readonly cpuSeconds: number;
  /** Sizes of all events. */
  readonly sum: number;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const rates = (bytes: number, events: number, seconds: number): string =>
  `${(bytes / 1e6 / seconds).toFixed(0)} MB/s, ${(events / 1e6 / seconds).toFixed(2)} million events/s`;

function sample(reader: TraceReader): Sample {
  const { heapUsed, rss } = process.memoryUsage();
  return { bytes: reader.tally.bytes, heap: heapUsed, resident: rss };
}

function readRepeated(bytes: number): Reading {
  const chunks = chunksOf(recordedTraceText());
  let sum = 0;
  const reader = new TraceReader((event) => {
    sum += event.size;
  });
  const samples: Sample[] = [];
  const start = processClock();
  const { user } = process.cpuUsage();
  while (reader.tally.bytes < bytes) {
    for (const chunk of chunks) reader.push(chunk);
    if (reader.tally.bytes >= ((samples.length + 1) * bytes) / TENTHS) {
      samples.push(sample(reader));
      process.stderr.write(`${megabytes(reader.tally.bytes)}\n`);
    }
  }
  reader.end();
  const cpuSeconds = (process.cpuUsage().user - user) / 1e6;
  return { samples, reader, seconds: (processClock() - start) / 1e9, cpuSeconds, sum };
}

function main(argv: readonly string[]): number {
  const options = { gigabytes: { type: 'string', default: '2' } } as const;
  const gigabytes = Number(parseArgs({ args: [...argv], options }).values.gigabytes);
  if (!(gigabytes > 0 && gigabytes <= 1000)) throw new TypeError('--gigabytes is a number from 0 to 1000');
  const { samples, reader, seconds, cpuSeconds, sum } = readRepeated(gigabytes * 1e9);
  const { bytes, eventLines, lines } = reader.tally;
  const greatest = (of: (each: Sample) => number): number => Math.max(...samples.map(of));
  const grown = (samples.at(-1)?.heap ?? 0) - (samples[0]?.heap ?? 0);
  process.stdout.write(
    `${megabytes(bytes)}, ${lines} lines, ${eventLines} events that tell of ${megabytes(sum)} of memory, in ${seconds.toFixed(1)} s: ` +
      `${rates(bytes, eventLines, seconds)}\n${cpuSeconds.toFixed(1)} s of the processor: ` +
      `${rates(bytes, eventLines, cpuSeconds)}\n` +
      `greatest heap ${megabytes(greatest(({ heap }) => heap))}, ` +
      `greatest resident set ${megabytes(greatest(({ resident }) => resident))}, ` +
      `heap grown by ${megabytes(grown)} from the first tenth to the last\n`,
  );
  return grown > SLACK ? 1 : 0;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`trace-flat: ${error.message}\n`);
  process.exitCode = 2;
}
