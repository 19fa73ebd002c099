// The conformance runner as a program: `npm run -s conformance -- [--vectors DIR] [--filter TEXT] [--json] [--self-test]`.
// Only this file touches the process; everything else is in `command-line.ts`.
// Simplified: a reader that goes away (`| head`) ends the program quietly, at its next line; any other failure of an
// output stream ends it with one line and 2.

import { fileURLToPath } from 'node:url';
import { runCommand } from './command-line.ts';
import { suites } from './suites/index.ts';

function endOf(stream: NodeJS.WriteStream, error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit();
  if (stream === process.stdout)
    process.stderr.write(`conformance: the output cannot be written: ${error.message}\n`);
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

const startedIn = process.env['INIT_CWD'];
process.exitCode = runCommand(process.argv.slice(2), {
  suites,
  defaultVectors: fileURLToPath(new URL('../../../vectors', import.meta.url)),
  workingFolders: startedIn === undefined ? [process.cwd()] : [process.cwd(), startedIn],
  env: process.env,
  stdoutIsTerminal: process.stdout.isTTY === true,
  stderrIsTerminal: process.stderr.isTTY === true,
  out: (text) => print(process.stdout, text),
  err: (text) => print(process.stderr, text),
});
