// The drawing of lspci -t: which function hangs below which bridge, and the bus numbers between.
// Source followed: the output of lspci -t, -tv and -tvnn:
//   -+-[0000:60]-+-00.0  AMD Device 14a4
//    |           +-01.1-[61-73]----00.0-[62-73]--+-00.0-[63-68]----00.0
//    |           |                               \-1c.0-[73]--
// A branch continues below the column of the `+` that opened it.
// Simplified: a partial source: it has no ids without -nn, and no capabilities at all.

import { addressKey, busKey, pciAddress } from '../model/pci-address.ts';
import { idsOfTitle, type NameLookup } from '../names/vendor-names.ts';
import type { FunctionDraft } from './function-draft.ts';
import type { MachineDraft } from './machine-draft.ts';

/** The bus that a branch hangs on; `top` for the list of root buses. */
type Branch = 'top' | BusBranch;

interface BusBranch {
  readonly domain: number;
  readonly bus: number;
  readonly parent: number;
  /** Key of the last function drawn on it: they are drawn in order. */
  last: number;
}

// Old versions leave the domain out.
const rootForm = /^\[(?:([0-9a-f]{4,8}):)?([0-9a-f]{2})(?:-[0-9a-f]{2})?\]/i;
const busForm = /^\[(?:[0-9a-f]{4,8}:)?([0-9a-f]{2})(?:-([0-9a-f]{2}))?\]/i;
const deviceForm = /^([0-9a-f]{2})[.]([0-7])/i;
const treeForm =
  /^-(?:\+-)?\[(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}[\]-]|^[ |]*[+\\]-(?:\[(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}[\]-]|[0-9a-f]{2}[.][0-7])/i;

/** Whether the line is a piece of the drawing. */
export const isTreeLine = (line: string): boolean => treeForm.test(line);

/** Reads the drawing line by line. */
export class LspciTree {
  readonly #machine: MachineDraft;
  readonly #lookup: NameLookup | undefined;
  readonly #branches: Map<number, Branch> = new Map();
  #at = 0;
  #line = '';

  /** A tree that is read into `machine`. */
  constructor(machine: MachineDraft, lookup: NameLookup | undefined) {
    this.#machine = machine;
    this.#lookup = lookup;
  }

  /** Reads one line of it. */
  read(line: string): void {
    this.#line = line;
    this.#at = line.search(/[-+\\]/);
    let branch: Branch | undefined = 'top';
    if (this.#at === 0) this.#branches.clear();
    else {
      branch = this.#branchAt(this.#at);
      this.#at += 1;
    }
    let device: FunctionDraft | undefined;
    while (branch !== undefined && this.#at < line.length) {
      const next = line[this.#at];
      if (next === '-') this.#at += 1;
      else if (next === '+') this.#branches.set(this.#at++, branch);
      else if (next === '[') branch = this.#bus(branch, device);
      else {
        device = this.#device(branch);
        if (device === undefined) return;
      }
    }
    if (branch === undefined) {
      this.#machine.remark(
        'line-not-understood',
        '',
        `a branch that hangs on nothing: ${line.slice(0, 60)}`,
        'its functions are left out',
      );
    }
  }

  /** The branch that goes on at a column. What stood further right has ended, and a backslash ends this one too. */
  #branchAt(column: number): Branch | undefined {
    for (const other of this.#branches.keys()) if (other > column) this.#branches.delete(other);
    const branch = this.#branches.get(column);
    if (this.#line[column] === '\\') this.#branches.delete(column);
    return branch;
  }

  #bus(branch: Branch, device: FunctionDraft | undefined): Branch | undefined {
    const rest = this.#line.slice(this.#at);
    if (branch === 'top') {
      const root = rootForm.exec(rest);
      if (root === null) return undefined;
      this.#at += root[0].length;
      const domain = Number.parseInt(root[1] ?? '0', 16);
      const bus = Number.parseInt(root[2] ?? '', 16);
      this.#machine.rootBuses.add(busKey(domain, bus));
      return { domain, bus, parent: -1, last: -1 };
    }
    const match = busForm.exec(rest);
    if (match === null || device === undefined) return undefined;
    this.#at += match[0].length;
    const secondary = Number.parseInt(match[1] ?? '', 16);
    const subordinate = match[2] === undefined ? secondary : Number.parseInt(match[2], 16);
    this.#machine.stateAll(device, { headerType: 1, secondary, subordinate });
    return { domain: branch.domain, bus: secondary, parent: addressKey(device.address), last: -1 };
  }

  #device(branch: Branch): FunctionDraft | undefined {
    const match = branch === 'top' ? null : deviceForm.exec(this.#line.slice(this.#at));
    if (match === null || branch === 'top') return undefined;
    const place = pciAddress(
      branch.domain,
      branch.bus,
      Number.parseInt(match[1] ?? '', 16),
      Number(match[2]),
    );
    if (place === undefined || this.#isOutOfOrder(branch, addressKey(place))) return undefined;
    this.#at += match[0].length;
    const device = this.#machine.at(place);
    this.#machine.state(device, 'parent', branch.parent);
    if (this.#line[this.#at] === ' ') this.#title(device, this.#line.slice(this.#at).trim());
    return device;
  }

  /** A function before its elder sibling belongs to another bus, whose first line is lost: the branch ends. */
  #isOutOfOrder(branch: BusBranch, key: number): boolean {
    if (key > branch.last) {
      branch.last = key;
      return false;
    }
    for (const [column, other] of this.#branches) if (other === branch) this.#branches.delete(column);
    this.#machine.remark(
      'line-not-understood',
      '',
      `a function out of order: ${this.#line.slice(0, 60)}`,
      'lines before it are missing: this branch is left out from here on',
    );
    return true;
  }

  #title(device: FunctionDraft, text: string): void {
    this.#at = this.#line.length;
    const ids = /\[([0-9a-f]{4}):([0-9a-f]{4})\]$/i.exec(text);
    const title = ids === null ? text : text.slice(0, ids.index).trim();
    const numbers =
      ids === null
        ? idsOfTitle(title, this.#lookup)
        : { vendorId: Number.parseInt(ids[1] ?? '', 16), deviceId: Number.parseInt(ids[2] ?? '', 16) };
    this.#machine.stateAll(device, title === '' ? numbers : { ...numbers, title });
  }
}
