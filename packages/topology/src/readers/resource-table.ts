// The kernel's resource table of a function: `start end flags` per line, with lengths that registers do not tell.
// Source followed: /sys/bus/pci/devices/*/resource: 6 BARs, ROM, 6 SR-IOV ranges where the kernel was built with them,
// then (bridges) the windows: I/O, memory, prefetchable. Flags: 0x100 I/O, 0x200 memory, 0x2000 prefetchable,
// 0x100000 64-bit, 0x10000000 disabled, 0x20000000 not assigned: such a row holds a size, its address means nothing.
// Simplified: the fourth window (CardBus) is left out; of a table that was cut off only BARs and ROM are taken.

import { ADDRESS_LIMIT, physAddr } from '@sgfree/hw-model';
import type { DumpedResource } from '../model/dumped-function.ts';
import type { FunctionDraft } from './function-draft.ts';
import type { MachineDraft } from './machine-draft.ts';
import { wholeNumber } from './whole-number.ts';

const IO = 0x100;
const MEMORY = 0x200;
const PREFETCH = 0x2000;
const WIDE = 0x100000;
const DISABLED = 0x10000000;
const UNSET = 0x20000000;
/** BARs and ROM, with SR-IOV ranges or not, with windows or not. */
const lengths: readonly number[] = [7, 11, 13, 17];
const BARS_AND_ROM = 7;

/** Reads the rows of one function, in their order. */
export function readResourceTable(
  machine: MachineDraft,
  draft: FunctionDraft,
  rows: readonly string[],
): void {
  const withSriov = rows.length === 13 || rows.length === 17;
  const isWhole = lengths.includes(rows.length);
  if (!isWhole && rows.length > BARS_AND_ROM)
    machine.remark(
      'line-not-understood',
      draft.name,
      `${rows.length} ranges`,
      'which of them are windows is unknown: they are left out',
    );
  rows.forEach((row, position) => {
    if (position >= BARS_AND_ROM && !isWhole) return;
    const [start, end, flags] = row
      .trim()
      .split(/\s+/)
      .map((text) => wholeNumber(text));
    if (start === undefined || end === undefined || flags === undefined) {
      machine.remark('line-not-understood', draft.name, row.slice(0, 60), 'this range is unknown');
    } else if (flags !== 0 && end > start) {
      keep(machine, draft, { start, end, flags }, placeOf(position, withSriov));
    }
  });
}

type Place = Pick<DumpedResource, 'kind' | 'index'> | undefined;

function placeOf(position: number, withSriov: boolean): Place {
  if (position < 6) return { kind: 'bar', index: position };
  if (position === 6) return { kind: 'rom', index: 0 };
  const windows = withSriov ? 13 : 7;
  if (position < windows) return { kind: 'sriov', index: position - 7 };
  return position - windows < 3 ? { kind: 'window', index: position - windows } : undefined;
}

function keep(
  machine: MachineDraft,
  draft: FunctionDraft,
  { start, end, flags }: { start: number; end: number; flags: number },
  place: Place,
): void {
  if (place === undefined || (flags & (IO | MEMORY)) === 0) return;
  const isAssigned = (flags & UNSET) === 0;
  if (isAssigned && end >= ADDRESS_LIMIT) {
    machine.remark(
      'address-out-of-range',
      draft.name,
      `a range up to 0x${end.toString(16)}`,
      'it is left out',
    );
    return;
  }
  draft.resources.push({
    ...place,
    space: (flags & IO) !== 0 ? 'io' : 'memory',
    base: physAddr(isAssigned ? start : 0),
    busBase: 'unknown',
    bytes: end - start + 1,
    prefetchable: (flags & PREFETCH) !== 0,
    width: (flags & WIDE) !== 0 ? 64 : 32,
    enabled: (flags & (UNSET | DISABLED)) === 0 ? 'unknown' : false,
  });
}
