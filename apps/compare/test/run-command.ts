// Runs `sgfree` as a person does, with standard input, and catches what it prints.
// Source followed: none.
// Simplified: for tests only; the clock stands still and nothing is a terminal unless a test says so.

import { runCommandLine } from '../src/command-line.ts';
import type { World } from '../src/world.ts';

/** What a run left behind. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A world in which nothing is heard, with `stdin` as standard input, as one piece or in the given ones. */
export function quietWorld(stdin: string | readonly Uint8Array[] = '', changes: Partial<World> = {}): World {
  const pieces = typeof stdin === 'string' ? [new TextEncoder().encode(stdin)] : stdin;
  return {
    out: () => undefined,
    err: () => undefined,
    readStdin: () => Buffer.concat(pieces),
    async *streamStdin() {
      yield* pieces;
    },
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    env: {},
    now: () => 0,
    requestsFolder: '',
    ...changes,
  };
}

/** Runs the command line. */
export async function runCommand(
  argv: readonly string[],
  stdin: string | readonly Uint8Array[] = '',
  changes: Partial<World> = {},
): Promise<Ended> {
  let [out, err] = ['', ''];
  const code = await runCommandLine(
    argv,
    quietWorld(stdin, {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      ...changes,
    }),
  );
  return { code, out, err };
}
