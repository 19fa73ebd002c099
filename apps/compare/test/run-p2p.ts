// Runs `sgfree p2p`, and reads its document.
// Source followed: none.
// Simplified: for tests only.

import { expect } from 'vitest';
import type { z } from 'zod';
import { p2pSchema } from './p2p-schema.ts';
import { type Ended, runCommand } from './run-command.ts';

/** Runs it. */
export const p2p = (argv: readonly string[], stdin = ''): Promise<Ended> =>
  runCommand(['p2p', ...argv], stdin);

/** Runs it with `--json`, on standard input where there is one; the document is checked against the schema. */
export async function document(argv: readonly string[], stdin = ''): Promise<z.infer<typeof p2pSchema>> {
  const { code, out, err } = await p2p([...(stdin === '' ? [] : ['-']), '--json', ...argv], stdin);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return p2pSchema.parse(JSON.parse(out));
}
