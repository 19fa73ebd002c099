// Functions of one model have the same capabilities. A listing in which one of them lacks what another shows has
// probably lost lines: then what it lacks is unknown.
// Source followed: none of a standard: a rule of caution. Text lists capabilities without saying how many there are, so
// a lost one cannot be seen in the block itself; but eight downstream ports of one switch model are built alike.
// Bytes carry their own list and need no such rule.
// Simplified: equal means the same vendor, device (or title), class and, for ACS, port type.

import { addressKey } from '../model/pci-address.ts';
import type { MachineDraft } from '../readers/machine-draft.ts';
import type { SettledFunction } from './settle-function.ts';

/** Makes port type and ACS unknown where they are missing among equals. */
export function doubtMissingAmongEquals(machine: MachineDraft, functions: readonly SettledFunction[]): void {
  const listed = functions.filter((fn) => isListed(machine, fn));
  const express = new Set(functions.filter(({ portType }) => typeof portType === 'number').map(modelOf));
  for (const fn of listed) {
    if (fn.portType !== 'absent' || !express.has(modelOf(fn))) continue;
    fn.portType = 'unknown';
    remarkMissing(machine, fn, 'PCI Express', 'its port type is');
  }
  const withAcs = new Set(functions.filter(({ acs }) => typeof acs.offset === 'number').map(kindOf));
  for (const fn of listed) {
    if (fn.acs.offset !== 'absent' || !withAcs.has(kindOf(fn))) continue;
    fn.acs = { offset: 'unknown', capability: 'unknown', control: 'unknown' };
    remarkMissing(machine, fn, 'ACS', 'its ACS is');
  }
}

// A virtual function has other capabilities than its physical one.
function isListed(machine: MachineDraft, fn: SettledFunction): boolean {
  const draft = machine.functions.get(addressKey(fn.address));
  return draft?.capabilities === 'listed' && fn.known.length <= 64 && fn.virtualFunction !== true;
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

const kindOf = (fn: SettledFunction): string => `${modelOf(fn)}:${fn.portType}`;
