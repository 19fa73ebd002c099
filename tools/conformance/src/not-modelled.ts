// The kinds of recorded files that the model does not reproduce yet. They are skipped by name; every other file that
// is not replayed is a failure. A kind is told from its header, or from the shape of its first record where the
// format has no header, never from a file name.
// Source followed: the README of the kernel records, section 2. This list only ever gets shorter.

import type { JsonRecord } from './suite.ts';

/** One kind of file that is skipped. */
export interface NotModelled {
  readonly name: string;
  readonly reason: string;
  /** True when the format has no header line, so that line 1 is a record. */
  readonly headerless?: true;
  matches(firstLine: JsonRecord): boolean;
}

/** A `key=value` word of the recorded command. */
export function commandWord(header: JsonRecord, key: string): string | null {
  const command = header['cmd'];
  if (typeof command !== 'string') return null;
  const word = command.split(/\s+/).find((text) => text.startsWith(`${key}=`));
  return word === undefined ? null : word.slice(key.length + 1);
}

function isRequest(record: JsonRecord): boolean {
  const op = record['op'];
  return (
    (op === 'read' || op === 'write') && 'k' in record && 'pos' in record && Array.isArray(record['iov'])
  );
}

const firstElement = (value: unknown): unknown => (Array.isArray(value) ? value[0] : undefined);

/** The list, in the order in which a header is compared with it. */
export const notModelled: readonly NotModelled[] = [
  {
    name: 'pgtable/riscv',
    reason: 'RISC-V page tables',
    matches: (header) =>
      header['suite'] === 'pgtable' && (commandWord(header, 'fmt')?.startsWith('riscv') ?? false),
  },
  {
    name: 'p2pio',
    reason: 'peer-to-peer I/O, whose results are in the traces beside it',
    headerless: true,
    matches: (record) => {
      const first = firstElement(record['iov']);
      return isRequest(record) && typeof first === 'object' && first !== null && 'p2p' in first;
    },
  },
];
