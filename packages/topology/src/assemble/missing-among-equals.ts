// Functions of one model have the same capabilities. A listing in which one of them lacks what another shows has
// probably lost lines: then what it lacks is unknown.
// Source followed: none of a standard: a rule of caution. Text lists capabilities without saying how many there are, so
// a lost one cannot be seen in the block itself; but eight downstream ports of one switch model are built alike.
// Bytes carry their own list and need no such rule.
// Simplified: equal means the same vendor, device (or title), class and, for ACS, port type.

import type { RegisterFact } from '../model/dumped-function.ts';
import { addressKey } from '../model/pci-address.ts';
import type { MachineDraft } from '../readers/machine-draft.ts';
import type { SettledFunction } from './settle-function.ts';

/** Makes port type and ACS unknown where they are missing among equals. */
export function doubtMissingAmongEquals(machine: MachineDraft, functions: readonly SettledFunction[]): void {
  const express = new Set(functions.filter(({ portType }) => typeof portType === 'number').map(modelOf));
  for (const fn of functions) {
    if (fn.portType !== 'absent' || !isListed(machine, fn, 64) || !express.has(modelOf(fn))) continue;
    fn.portType = 'unknown';
    remarkMissing(machine, fn, 'PCI Express', 'its port type is');
  }
  const withAcs = portsWithAcs(functions);
  for (const fn of functions) {
    if (
      fn.acs.offset !== 'absent' ||
      !isListed(machine, fn, 256) ||
      !isLike(fn.portType, withAcs.get(modelOf(fn)) ?? [])
    )
      continue;
    fn.acs = { offset: 'unknown', capability: 'unknown', control: 'unknown' };
    remarkMissing(machine, fn, 'ACS', 'its ACS is');
  }
}

/** For each model, the port types that have ACS. */
function portsWithAcs(functions: readonly SettledFunction[]): Map<string, RegisterFact[]> {
  const found = new Map<string, RegisterFact[]>();
  for (const fn of functions) {
    if (typeof fn.acs.offset !== 'number') continue;
    const ports = found.get(modelOf(fn));
    if (ports === undefined) found.set(modelOf(fn), [fn.portType]);
    else if (!ports.includes(fn.portType)) ports.push(fn.portType);
  }
  return found;
}

/** Equal port types; one that is not shown may be any. */
const isLike = (port: RegisterFact, others: readonly RegisterFact[]): boolean =>
  others.some((other) => other === port || typeof other !== 'number' || typeof port !== 'number');

/** Whether text alone tells, bytes ending at `bytes` at most. A virtual function has other capabilities than its physical one. */
function isListed(machine: MachineDraft, fn: SettledFunction, bytes: number): boolean {
  const draft = machine.functions.get(addressKey(fn.address));
  return draft?.capabilities === 'listed' && fn.known.length <= bytes && fn.virtualFunction !== true;
}

function remarkMissing(
  machine: MachineDraft,
  fn: SettledFunction,
  capability: string,
  consequence: string,
): void {
  const what = `no ${capability} capability is listed, though others of the same model have one`;
  machine.remark(
    'missing-among-equals',
    fn.name,
    what,
    `lines may be missing: ${consequence} taken as unknown`,
    fn.line,
  );
}

const modelOf = (fn: SettledFunction): string =>
  `${fn.vendorId}:${fn.deviceId}:${fn.deviceId === 'unknown' ? fn.title : ''}:${fn.classId}`;
