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

// Marks such as [virtual] stand before the words or after them, as the version has it.
const memoryForm =
  /^(?:Region ([0-5]): )?(?:\[[a-z]+\] )?Memory at (\S+) \((64|32)-bit, (non-)?prefetchable\)/;
const portsForm = /^(?:Region ([0-5]): )?(?:\[[a-z]+\] )?I\/O ports at (\S+)/;
const romForm = /^(?:\[[a-z]+\] )?Expansion ROM at (\S+)/;
const windowForm =
  /^(I\/O|Memory|Prefetchable memory) behind bridge: (?:([0-9a-f]+)-([0-9a-f]+)|None|\[disabled\])/;
const sizeForm = /\[size=([0-9]+)([KMGTP]?)\]/;
const LAST_BAR = 5;
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
  if (typeof found === 'string') {
    remarkLeftOut(machine, draft, text, found);
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

type Found = DumpedResource | 'outside' | 'surplus' | undefined;

function remarkLeftOut(
  machine: MachineDraft,
  draft: FunctionDraft,
  text: string,
  why: 'outside' | 'surplus',
): void {
  const [code, consequence] =
    why === 'outside'
      ? (['address-out-of-range', 'the range is left out: the model holds addresses below 2^52'] as const)
      : (['line-not-understood', 'the range is left out: a function has six at most'] as const);
  machine.remark(code, draft.name, text.slice(0, 60), consequence);
}

function sizeOf(text: string): number | 'unknown' {
  const match = sizeForm.exec(text);
  return match === null ? 'unknown' : Number(match[1]) * (unit[match[2] ?? ''] ?? 1);
}

// Without -vv the lines carry no number: they come in register order, and a 64-bit one takes two registers. Which
// registers were skipped besides is not shown.
function nextBar({ resources }: FunctionDraft, printed: string | undefined): number {
  if (printed !== undefined) return Number(printed);
  return resources
    .filter(({ kind }) => kind === 'bar')
    .reduce((next, { index, width }) => Math.max(next, index + (width === 64 ? 2 : 1)), 0);
}

/** Printed instead of an address: nobody assigned one, or the kernel did not take what the register holds. */
const isNoAddress = (text: string): boolean => text.startsWith('<');

function range(digits: string, rest: Omit<DumpedResource, 'base' | 'busBase'>): Found {
  if (isNoAddress(digits)) return { ...rest, base: physAddr(0), busBase: 'unknown', enabled: false };
  if (!/^[0-9a-f]+$/.test(digits)) return undefined;
  const base = Number.parseInt(digits, 16);
  const bytes = rest.bytes === 'unknown' ? 0 : rest.bytes;
  if (base + bytes > ADDRESS_LIMIT || base >= ADDRESS_LIMIT) return 'outside';
  return { ...rest, base: physAddr(base), busBase: 'unknown' };
}

function memoryBar(draft: FunctionDraft, text: string): Found {
  const match = memoryForm.exec(text);
  if (match === null) return undefined;
  const index = nextBar(draft, match[1]);
  if (index > LAST_BAR) return 'surplus';
  return range(match[2] ?? '', {
    kind: draft.inVirtualFunctions ? 'sriov' : 'bar',
    index,
    space: 'memory',
    bytes: sizeOf(text),
    prefetchable: match[4] === undefined,
    width: match[3] === '64' ? 64 : 32,
    enabled: !text.includes('[disabled'),
  });
}

function portsBar(draft: FunctionDraft, text: string): Found {
  const match = portsForm.exec(text);
  if (match === null) return undefined;
  const enabled = !text.includes('[disabled');
  const index = nextBar(draft, match[1]);
  if (index > LAST_BAR) return 'surplus';
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
  if (match === null || isNoAddress(match[1] ?? '')) return undefined;
  const enabled = !text.includes('[disabled');
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
  // Nothing but a mark: a closed window of which the registers are not printed.
  const [, what, from = '<', to = ''] = match;
  const bytes = isNoAddress(from) ? 0 : Number.parseInt(to, 16) - Number.parseInt(from, 16) + 1;
  const index = what === 'I/O' ? 0 : what === 'Memory' ? 1 : 2;
  return range(from, {
    kind: 'window',
    index,
    space: index === 0 ? 'io' : 'memory',
    bytes: Math.max(bytes, 0),
    prefetchable: index === 2,
    width: index === 2 && from.length > 8 ? 64 : 32,
    // A closed window is printed with its base above its limit, or marked.
    enabled: bytes > 0 && !text.includes('[disabled'),
  });
}
