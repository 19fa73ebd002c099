// Runs `sgfree p2p` as a person does, with standard input, and catches what it prints.
// Source followed: none.
// Simplified: for tests only.

import { expect } from 'vitest';
import type { z } from 'zod';
import { runCommandLine } from '../src/command-line.ts';
import { p2pSchema } from './p2p-schema.ts';

/** What a run left behind. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs it. */
export async function p2p(argv: readonly string[], stdin = ''): Promise<Ended> {
  let [out, err] = ['', ''];
  const bytes = new TextEncoder().encode(stdin);
  const code = await runCommandLine(['p2p', ...argv], {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    readStdin: () => bytes,
    async *streamStdin() {
      yield bytes;
    },
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    env: {},
    now: () => 0,
    requestsFolder: '',
  });
  return { code, out, err };
}

/** Runs it with `--json`, on standard input where there is one; the document is checked against the schema. */
export async function document(argv: readonly string[], stdin = ''): Promise<z.infer<typeof p2pSchema>> {
  const { code, out, err } = await p2p([...(stdin === '' ? [] : ['-']), '--json', ...argv], stdin);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return p2pSchema.parse(JSON.parse(out));
}
