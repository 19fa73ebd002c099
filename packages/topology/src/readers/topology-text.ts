// One text of any mixture: listings, hex dumps, drawings and /proc/iomem, as people paste them, prose in between.
// Source followed: what bug reports look like; each line is recognised by its own form, not by the file it came in.
// An empty line ends a function. A text that ends inside one was cut off, and what might have followed is unknown.
// Simplified: prose that happens to look like a line of a listing is read as one.

import type { NameLookup } from '../names/vendor-names.ts';
import type { FunctionDraft } from './function-draft.ts';
import { isIomemLine, readIomemLine } from './iomem-line.ts';
import { readHeaderLine } from './lspci-header-line.ts';
import { isHexLine, readHexLine } from './lspci-hex-line.ts';
import { isTreeLine, LspciTree } from './lspci-tree-line.ts';
import { readIndented } from './lspci-verbose-line.ts';
import type { MachineDraft } from './machine-draft.ts';

/** A reader of mixed text. */
export class TopologyText {
  readonly #machine: MachineDraft;
  readonly #lookup: NameLookup | undefined;
  readonly #tree: LspciTree;
  #current: FunctionDraft | undefined;

  /** Text that is read into `machine`. */
  constructor(machine: MachineDraft, lookup: NameLookup | undefined) {
    this.#machine = machine;
    this.#lookup = lookup;
    this.#tree = new LspciTree(machine, lookup);
  }

  /** Reads all lines of a text; line numbers start from 1. */
  read(text: string): void {
    const machine = this.#machine;
    machine.line = 0;
    let from = text.startsWith('\ufeff') ? 1 : 0;
    while (from < text.length) {
      let end = text.indexOf('\n', from);
      if (end < 0) end = text.length;
      machine.line += 1;
      const last = end > from && text.charCodeAt(end - 1) === 13 ? end - 1 : end;
      this.#line(text.slice(from, last));
      from = end + 1;
    }
    this.#current = undefined;
  }

  #line(line: string): void {
    const first = line.charCodeAt(0);
    if (line.trim() === '') this.#close();
    else if (first === 9) this.#indented(line.trim());
    else if (isHexDigit(first)) this.#flush(line);
    else if (isTreeLine(line)) this.#branch(line);
    else if (first === 32) this.#spaced(line);
    else this.#other(line);
  }

  /** A line that begins with a hex digit: a function, its bytes, or an iomem range. */
  #flush(line: string): void {
    if (isHexLine(line)) {
      if (this.#current !== undefined) this.#current.open = false;
      readHexLine(this.#machine, this.#current, line.trimEnd());
      return;
    }
    const found = readHeaderLine(this.#machine, line, this.#lookup);
    if (found !== undefined) {
      this.#close();
      this.#current = found;
      found.parts.clear();
      this.#machine.formats.add('lspci');
    } else if (isIomemLine(line)) readIomemLine(this.#machine, line);
    else this.#other(line);
  }

  #spaced(line: string): void {
    if (isIomemLine(line)) readIomemLine(this.#machine, line);
    else this.#indented(line.trim());
  }

  #branch(line: string): void {
    this.#close();
    this.#machine.formats.add('lspci-tree');
    this.#tree.read(line);
  }

  #indented(text: string): void {
    if (this.#current === undefined) return;
    if (isHexLine(text)) readHexLine(this.#machine, this.#current, text);
    else readIndented(this.#machine, this.#current, text);
  }

  /** Prose, a fence, a prompt; or a listing that lost its indentation on the way. */
  #other(line: string): void {
    if (line.startsWith('```') || line.includes('$ ')) this.#close();
    else this.#indented(line.trim());
  }

  #close(): void {
    if (this.#current !== undefined) this.#current.open = false;
    this.#current = undefined;
  }
}

const isHexDigit = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);
