// The bench runner as a program: `npm run -s bench -- [--json] [--filter TEXT] [--samples N]`.
// Only this file touches the process; everything else is in `command-line.ts`.
// Simplified: a reader that goes away (`| head`) ends the program quietly, at its next line; any other failure of an
// output stream ends it with one line and 2.

import { benchCases } from './cases/index.ts';
import { runBench } from './command-line.ts';
import { processClock } from './measure.ts';

function endOf(stream: NodeJS.WriteStream, error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit();
  if (stream === process.stdout)
    process.stderr.write(`bench: the output cannot be written: ${error.message}\n`);
  process.exit(2);
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => endOf(stream, error));
}

/** The run is one synchronous piece: an error event would wait for its end, so each write looks for itself. */
function print(stream: NodeJS.WriteStream, text: string): void {
  stream.write(text);
  if (stream.errored) endOf(stream, stream.errored);
}

process.exitCode = runBench(process.argv.slice(2), {
  cases: benchCases,
  stderrIsTerminal: process.stderr.isTTY === true,
  nodeVersion: process.version,
  sampleNs: 60e6,
  warmUpNs: 150e6,
  clock: processClock,
  out: (text) => print(process.stdout, text),
  err: (text) => print(process.stderr, text),
});
