// Lines of a hex dump below a function: offset, colon, up to sixteen bytes.
// Source followed: the output of lspci -x, -xxx and -xxxx: `150: 0d 00 01 16 1f 00 00 00 02 68 00 00 00 00 00 00`.
// A byte that could not be read is printed as `??` and stays unknown.
// Simplified: a byte that is cut in two at the end of a truncated file is left unknown.

import type { FunctionDraft } from './function-draft.ts';
import type { MachineDraft } from './machine-draft.ts';

const hexForm = /^([0-9a-f]{2,3}):((?: (?:[0-9a-f]{2}|[?]{2})){1,16})(?: ?[0-9a-f?])?$/i;
const looksLikeHex = /^[0-9a-f]{2,3}:(?: [0-9a-f?]|$)/i;

/** Whether the line belongs to a hex dump, whole or broken. */
export function isHexLine(line: string): boolean {
  return looksLikeHex.test(line) && !/^[0-9a-f]{2}:[0-9a-f]{2}[.]/i.test(line);
}

/** Reads the line into the function's bytes. */
export function readHexLine(machine: MachineDraft, draft: FunctionDraft | undefined, line: string): void {
  const match = hexForm.exec(line);
  const offset = Number.parseInt(match?.[1] ?? '', 16);
  if (match === null || draft === undefined || offset % 16 !== 0) {
    const name = draft?.name ?? '';
    const problem = draft === undefined ? 'bytes that belong to no function' : 'a damaged line of a hex dump';
    machine.remark(
      'line-not-understood',
      name,
      `${problem}: ${line.slice(0, 40)}`,
      'these bytes are unknown',
    );
    return;
  }
  const bytes = match[2] ?? '';
  for (let i = 0; i * 3 < bytes.length; i += 1) {
    const value = Number.parseInt(bytes.slice(i * 3 + 1, i * 3 + 3), 16);
    if (!Number.isNaN(value)) draft.byte(offset + i, value, machine.line);
  }
}
