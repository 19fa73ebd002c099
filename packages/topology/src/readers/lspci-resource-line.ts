// Lines of a listing that tell address ranges: BARs, expansion ROM, bridge windows, sizes.
// Source followed: the output of lspci -v and -vv:
//   Region 2: Memory at 210000000000 (64-bit, prefetchable) [size=128G]
//   Memory behind bridge: 90100000-901fffff [size=1M] [32-bit]
// Regions inside the SR-IOV capability belong to virtual functions: the range of the first one is printed.
// Simplified: how far the ranges of all virtual functions reach is not computed.

import { ADDRESS_LIMIT, physAddr } from '@sgfree/hw-model';
import type { DumpedResource } from '../model/dumped-function.ts';
import type { FunctionDraft } from './function-draft.ts';
import type { MachineDraft } from './machine-draft.ts';

const memoryForm =
  /^(?:Region ([0-5]): )?(?:\[virtual\] )?Memory at ([0-9a-f]+) \((64|32)-bit, (non-)?prefetchable\)/;
const portsForm = /^(?:Region ([0-5]): )?(?:\[virtual\] )?I\/O ports at ([0-9a-f]+)/;
const romForm = /^(?:\[virtual\] )?Expansion ROM at ([0-9a-f]+)/;
const windowForm = /^(I\/O|Memory|Prefetchable memory) behind bridge: ([0-9a-f]+)-([0-9a-f]+)/;
const sizeForm = /\[size=([0-9]+)([KMGTP]?)\]/;
const unit: Readonly<Record<string, number>> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
};

/** Reads one line (without its indentation) when it is about a range. */
export function readResourceLine(machine: MachineDraft, draft: FunctionDraft, text: string): boolean {
  const found = memoryBar(draft, text) ?? portsBar(draft, text) ?? rom(text) ?? bridgeWindow(text);
  if (found === undefined) return false;
  if (found === 'outside') {
    machine.remark(
      'address-out-of-range',
      draft.name,
      text.slice(0, 60),
      'the range is left out: the model holds addresses below 2^52',
    );
    return true;
  }
  const at = draft.resources.findIndex(({ kind, index }) => kind === found.kind && index === found.index);
  const before = draft.resources[at];
  if (before === undefined) draft.resources.push(found);
  else if (before.base !== found.base) {
    draft.resources[at] = { ...before, base: 'unknown' };
    machine.remark(
      'state-changed',
      draft.name,
      `${text.slice(0, 60)}, elsewhere before`,
      'where this range lies is unknown',
    );
  }
  return true;
}

type Found = DumpedResource | 'outside' | undefined;

function sizeOf(text: string): number | 'unknown' {
  const match = sizeForm.exec(text);
  return match === null ? 'unknown' : Number(match[1]) * (unit[match[2] ?? ''] ?? 1);
}

// Without -vv the lines carry no number: they come in register order, but which registers were skipped is not shown.
const nextBar = (draft: FunctionDraft, printed: string | undefined): number =>
  printed === undefined ? draft.resources.filter(({ kind }) => kind === 'bar').length : Number(printed);

function range(digits: string, rest: Omit<DumpedResource, 'base' | 'busBase'>): Found {
  const base = Number.parseInt(digits, 16);
  const bytes = rest.bytes === 'unknown' ? 0 : rest.bytes;
  if (base + bytes > ADDRESS_LIMIT || base >= ADDRESS_LIMIT) return 'outside';
  return { ...rest, base: physAddr(base), busBase: 'unknown' };
}

function memoryBar(draft: FunctionDraft, text: string): Found {
  const match = memoryForm.exec(text);
  if (match === null) return undefined;
  return range(match[2] ?? '', {
    kind: draft.inVirtualFunctions ? 'sriov' : 'bar',
    index: nextBar(draft, match[1]),
    space: 'memory',
    bytes: sizeOf(text),
    prefetchable: match[4] === undefined,
    width: match[3] === '64' ? 64 : 32,
    enabled: !text.includes('[disabled]'),
  });
}

function portsBar(draft: FunctionDraft, text: string): Found {
  const match = portsForm.exec(text);
  if (match === null) return undefined;
  const enabled = !text.includes('[disabled]');
  const index = nextBar(draft, match[1]);
  return range(match[2] ?? '', {
    kind: 'bar',
    index,
    space: 'io',
    bytes: sizeOf(text),
    prefetchable: false,
    width: 32,
    enabled,
  });
}

function rom(text: string): Found {
  const match = romForm.exec(text);
  if (match === null) return undefined;
  const enabled = !text.includes('[disabled]');
  return range(match[1] ?? '', {
    kind: 'rom',
    index: 0,
    space: 'memory',
    bytes: sizeOf(text),
    prefetchable: false,
    width: 32,
    enabled,
  });
}

function bridgeWindow(text: string): Found {
  const match = windowForm.exec(text);
  if (match === null) return undefined;
  const [, what, from = '', to = ''] = match;
  const bytes = Number.parseInt(to, 16) - Number.parseInt(from, 16) + 1;
  const index = what === 'I/O' ? 0 : what === 'Memory' ? 1 : 2;
  return range(from, {
    kind: 'window',
    index,
    space: index === 0 ? 'io' : 'memory',
    bytes: Math.max(bytes, 0),
    prefetchable: index === 2,
    width: index === 2 && from.length > 8 ? 64 : 32,
    // A closed window is printed with its base above its limit, or marked.
    enabled: bytes > 0 && !text.includes('[disabled]'),
  });
}
