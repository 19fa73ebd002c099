#!/usr/bin/env node
// The sgfree command as a program. Only this file touches the process, but for signals while a file is written
// (`output/uninterrupted.ts`); the rest is in `command-line.ts`.
// Paths are those of the folder in which the user stands, also where npm runs the command from the workspace's own.
// Simplified: a reader that goes away (`| head`) ends the program quietly; any other failure of an output stream ends it
// with one line and 2.

import { fileURLToPath } from 'node:url';
import { runCommandLine } from './command-line.ts';
import { PCI_IDS_FILES } from './dump-input/find-pci-ids.ts';
import { invokedFolder } from './invoked-folder.ts';
import { readToEnd } from './request-list/bounded-read.ts';

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    if (stream === process.stdout)
      process.stderr.write(`sgfree: the output cannot be written: ${error.message}\n`);
    process.exit(2);
  });
}

/** Standard input until it ends or the user interrupts: then what came is answered; a second time ends the program. */
async function* standardInput(): AsyncGenerator<Uint8Array, void> {
  const { stdin } = process;
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
    stdin.destroy();
  });
  try {
    yield* stdin;
  } catch (error) {
    if (!interrupted) throw error;
  }
}

try {
  process.chdir(invokedFolder(process.env, process.cwd()));
} catch {
  // It is gone: paths are those of the folder that npm chose.
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  outBytes: (bytes) => process.stdout.write(bytes),
  readStdin: (most) => readToEnd(0, most),
  streamStdin: standardInput,
  stdoutIsTerminal: process.stdout.isTTY === true,
  stderrIsTerminal: process.stderr.isTTY === true,
  env: process.env,
  now: () => performance.now(),
  pciIdsFiles: PCI_IDS_FILES,
  requestsFolder: fileURLToPath(new URL('../requests/', import.meta.url)),
});
