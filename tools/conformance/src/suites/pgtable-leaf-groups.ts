// Leaf groups: the leaves of a table as the page-table records list them, `[va, level, raw, groups, delta, rep]` a line.
// A line stands for `groups` neighbouring groups of `rep` equal entries, the raw value moving by `delta` from group to group.
// Field meanings: vectors/kernel/README.md, section pgtable. How the recorder cut neighbours into lines says nothing about
// the table, so the lines are spread out into entries and compared with the live ones entry by entry.
// Simplified: none.

import type { PageTable } from '@sgfree/iommu';
import { wideAddress } from '../recorded-value.ts';
import type { RecordedOutput } from './dma-recorded-output.ts';
import { hexOfAddress, hexOfWords } from './pt-golden-address.ts';

type LeafLine = readonly [va: string, level: number, raw: string, groups: number, delta: string, rep: number];

const TABLE_ENTRIES = 512;
const WORD = 2 ** 32;
const LEVELS: readonly unknown[] = [0, 1, 2, 3, 4, 5];

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
const isHex = (value: unknown): boolean => typeof value === 'string' && /^0x[0-9a-f]{1,16}$/.test(value);

function isLeafLine(value: unknown): value is LeafLine {
  if (!Array.isArray(value) || value.length !== 6) return false;
  const [va, level, raw, groups, delta, rep] = value as readonly unknown[];
  if (!isHex(va) || !isHex(raw) || !isHex(delta) || !isCount(groups) || !isCount(rep)) return false;
  return LEVELS.includes(level) && (groups !== 1 || delta === '0x0');
}

const lowOf = (hex: string): number => Number.parseInt(hex.slice(2).slice(-8), 16);
const highOf = (hex: string): number => Number.parseInt(hex.slice(2).slice(0, -8) || '0', 16);

/** Walks the entries that recorded lines stand for, in order. */
class RecordedEntries {
  /** What the cursor is at; `left` equal entries of it remain, 0 at the end. */
  frame = 0;
  offset = 0;
  level = 0;
  low = 0;
  high = 0;
  left = 0;
  readonly #lines: readonly LeafLine[];
  #next = 0;
  #groupsLeft = 0;
  #rep = 0;
  #deltaLow = 0;
  #deltaHigh = 0;

  constructor(lines: readonly LeafLine[]) {
    this.#lines = lines;
    this.#openLine();
  }

  /** Passes `count` equal entries; false when the recorded ones are others. */
  takes(frame: number, level: number, low: number, high: number, count: number): boolean {
    let at = frame;
    for (let open = count; open > 0; ) {
      const same = this.left > 0 && this.frame === at && this.offset === 0 && this.level === level;
      if (!same || this.low !== low || this.high !== high) return false;
      const passed = Math.min(this.left, open);
      this.#pass(passed);
      open -= passed;
      at += passed * TABLE_ENTRIES ** level;
    }
    return true;
  }

  #pass(count: number): void {
    this.left -= count;
    this.frame += count * TABLE_ENTRIES ** this.level;
    if (this.left > 0) return;
    if (this.#groupsLeft > 0) this.#nextGroup();
    else this.#openLine();
  }

  #openLine(): void {
    const line = this.#lines[this.#next];
    if (line === undefined) return;
    this.#next += 1;
    const [va, level, raw, groups, delta, rep] = line;
    ({ frame: this.frame, offset: this.offset } = wideAddress(va));
    this.level = level;
    this.low = lowOf(raw);
    this.high = highOf(raw);
    this.#deltaLow = lowOf(delta);
    this.#deltaHigh = highOf(delta);
    this.#rep = rep;
    this.left = rep;
    this.#groupsLeft = groups - 1;
  }

  #nextGroup(): void {
    const low = this.low + this.#deltaLow;
    this.low = low % WORD;
    this.high = (this.high + this.#deltaHigh + (low >= WORD ? 1 : 0)) % WORD;
    this.left = this.#rep;
    this.#groupsLeft -= 1;
  }
}

/** Compares the recorded lines with the live entries of frames `first` to `last`. */
export function checkLeaves(
  output: RecordedOutput,
  recorded: unknown,
  table: PageTable,
  first: number,
  last: number,
): void {
  if (!Array.isArray(recorded) || !recorded.every(isLeafLine) || differs(recorded, table, first, last)) {
    output.check('leaves', recorded, liveLines(table, first, last));
  }
}

function differs(recorded: readonly LeafLine[], table: PageTable, first: number, last: number): boolean {
  const cursor = new RecordedEntries(recorded);
  let differ = false;
  visitEntries(table, first, last, (frame, level, low, high, count) => {
    differ ||= !cursor.takes(frame, level, low, high, count);
  });
  return differ || cursor.left > 0;
}

/** Visits the entries of frames `first` to `last`, equal ones of one leaf together; of a leaf that reaches beyond, only those inside. */
function visitEntries(
  table: PageTable,
  first: number,
  last: number,
  visit: (frame: number, level: number, low: number, high: number, count: number) => void,
): void {
  table.visitLeavesIn(first, last, (frame, low, high, level, items) => {
    const entry = TABLE_ENTRIES ** level;
    const skipped = Math.max(0, Math.floor((first - frame) / entry));
    const end = Math.min(items, Math.floor((last - frame) / entry) + 1);
    visit(frame + skipped * entry, level, low, high, end - skipped);
  });
}

/** The live entries for a report: neighbours of one level, a leaf's worth each, with the raw value of the first and their number. */
function liveLines(table: PageTable, first: number, last: number): string[] {
  const lines: string[] = [];
  let line = { text: '', level: -1, rep: 0, end: -1, groups: 0 };
  const close = (): void => {
    if (line.groups > 0) lines.push(`${line.text} x${line.rep}, ${line.groups} times`);
  };
  visitEntries(table, first, last, (frame, level, low, high, rep) => {
    const end = frame + rep * TABLE_ENTRIES ** level;
    if (line.end === frame && line.level === level && line.rep === rep) {
      line.end = end;
      line.groups += 1;
      return;
    }
    close();
    const text = `0x${hexOfAddress(frame)} level ${level} 0x${hexOfWords(low, high)}`;
    line = { text, level, rep, end, groups: 1 };
  });
  close();
  return lines;
}
