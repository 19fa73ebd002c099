// Text does not print header type bit 7. Where function 0 has neighbours in its slot, the bit must have been set:
// nobody looks for functions 1 to 7 of a slot otherwise.
// Source followed: pci_scan_slot of the kernel. Virtual functions may stand in the same slot without that bit, so
// function 0 must be shown to have none: its SR-IOV capability is not listed, or lists no virtual functions in use.
// Simplified: slots without a function 0 need no rule: whoever has another number is one of several.

import { addressKey } from '../model/pci-address.ts';
import type { MachineDraft } from '../readers/machine-draft.ts';
import type { SettledFunction } from './settle-function.ts';

/** Sets `multifunction` of function 0 where its neighbours show it. */
export function inferMultifunction(machine: MachineDraft, functions: readonly SettledFunction[]): void {
  functions.forEach((fn, position) => {
    const next = functions[position + 1];
    if (fn.multifunction !== 'unknown' || next === undefined) return;
    const gap = addressKey(next.address) - addressKey(fn.address);
    if (fn.address.fn !== 0 || gap > 7 || next.virtualFunction === true) return;
    const draft = machine.functions.get(addressKey(fn.address));
    if (draft?.capabilities === 'listed' && draft.virtualFunctions !== 'some') fn.multifunction = true;
  });
}
