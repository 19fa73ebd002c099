// Ports of one kind have the same capabilities. A listing in which one of them shows no ACS has probably lost lines.
// Source followed: none of a standard: a rule of caution. Text lists capabilities without saying how many there are, so
// a lost one cannot be seen in the block itself; but eight downstream ports of one switch model are built alike.
// Bytes carry their own list and need no such rule.
// Simplified: equal means the same vendor, device (or title) and port type.

import { addressKey } from '../model/pci-address.ts';
import type { MachineDraft } from '../readers/machine-draft.ts';
import type { SettledFunction } from './settle-function.ts';

/** Makes ACS unknown where it is missing among equals. */
export function doubtAcsMissingAmongEquals(
  machine: MachineDraft,
  functions: readonly SettledFunction[],
): void {
  const withAcs = new Set(functions.filter(({ acs }) => typeof acs.offset === 'number').map(kindOf));
  for (const fn of functions) {
    if (fn.acs.offset !== 'absent' || fn.known.length > 256 || !withAcs.has(kindOf(fn))) continue;
    const draft = machine.functions.get(addressKey(fn.address));
    // A virtual function has other capabilities than its physical one.
    if (draft?.capabilities !== 'listed' || fn.virtualFunction === true) continue;
    fn.acs = { offset: 'unknown', capability: 'unknown', control: 'unknown' };
    machine.remark(
      'acs-missing-among-equals',
      fn.name,
      'no ACS capability is listed, though others of the same model and port type have one',
      'lines may be missing: its ACS is taken as unknown',
      fn.line,
    );
  }
}

const kindOf = (fn: SettledFunction): string =>
  `${fn.vendorId}:${fn.deviceId}:${fn.deviceId === 'unknown' ? fn.title : ''}:${fn.classId}:${fn.portType}`;
