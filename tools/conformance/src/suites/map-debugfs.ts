// The debugfs dump beside a mapping file: what stood in the page table when the file ended, as the kernel printed it.
// Source followed: vectors/kernel/README.md, "debugfs dumps"; drivers/iommu/intel/debugfs.c (one row for each leaf, its
// entry in the column of its level). Columns above the leaf hold addresses of table pages and are not compared.
// Simplified: a dump belongs to a file when its name is `<start of the file's name>_domain_translation_struct.txt`.

import type { PagingDomain } from '@sgfree/iommu';
import type { FileContext } from '../suite.ts';

const FOLDER = 'debugfs';
const SUFFIX = '_domain_translation_struct.txt';
const DEVICE_LINE = /^Device (\S+)/;
const COLUMN_TITLES = /^IOVA_PFN\b/;
const ROW = /^0x([0-9a-f]+) \|((?:\s+0x[0-9a-f]+)+)$/;

/** Rows of one device: page frame and entry columns, the last one being the 4 KiB level. */
export type DumpRow = readonly [frame: string, ...columns: string[]];

/** Name of the dump that belongs to a file when its name is the whole of the file's. */
export const dumpNameOf = (context: FileContext): string => `${FOLDER}/${context.stem}${SUFFIX}`;

/** Text of the dump that belongs to a file, or null. */
export function companionDump(context: FileContext | undefined): string | null {
  const names = context?.siblingNames(FOLDER) ?? [];
  const name = names.find(
    (candidate) =>
      candidate.endsWith(SUFFIX) &&
      `${context?.stem ?? ''}_`.startsWith(`${candidate.slice(0, -SUFFIX.length)}_`),
  );
  return name === undefined ? null : (context?.readSibling(`${FOLDER}/${name}`) ?? null);
}

/** The rows of a device in a dump, null when the dump has no section for it; a line of no known form is a row too. */
export function dumpRows(text: string, device: string): DumpRow[] | null {
  let rows: DumpRow[] | null = null;
  let inside = false;
  for (const line of text.split('\n')) {
    const named = DEVICE_LINE.exec(line)?.[1];
    if (named !== undefined) {
      inside = named === device && rows === null;
      if (inside) rows = [];
    } else if (inside && line.trim() !== '' && !COLUMN_TITLES.test(line)) {
      rows?.push(rowOf(line));
    }
  }
  return rows;
}

function rowOf(line: string): DumpRow {
  const [, frame, columns] = ROW.exec(line) ?? [];
  if (frame === undefined || columns === undefined) return [line];
  return [frame.replace(/^0+(?=.)/, ''), ...columns.trim().split(/\s+/)];
}

/** The rows a dump of the live page table would have, with the columns from the leaf's level down. */
export function liveRows(domain: PagingDomain): DumpRow[] {
  const rows: DumpRow[] = [];
  domain.table.visitLeaves((frame, low, high, level) => {
    const entry = `0x${word(high)}${word(low)}`;
    rows.push([frame.toString(16), entry, ...new Array<string>(level).fill(`0x${word(0)}${word(0)}`)]);
  });
  return rows;
}

const word = (bits: number): string => bits.toString(16).padStart(8, '0');

/** First row in which a dump and the live table differ: its index, or -1. */
export function firstDifferingRow(dump: readonly DumpRow[], live: readonly DumpRow[]): number {
  const rows = Math.max(dump.length, live.length);
  for (let at = 0; at < rows; at += 1) {
    const [recorded, computed] = [dump[at], live[at]];
    if (recorded === undefined || computed === undefined) return at;
    const compared = [recorded[0], ...recorded.slice(1).slice(-(computed.length - 1))];
    if (compared.length !== computed.length || compared.some((cell, column) => cell !== computed[column])) {
      return at;
    }
  }
  return -1;
}
