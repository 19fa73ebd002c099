// Whether a function counts as one of several, as far as its neighbours and its place tell.
// Source followed: pci_scan_slot and virtfn_add of the kernel. Whoever is found at function 1 to 7 of a slot is one of
// several, unless it is a virtual function, which never is. Nobody looks there unless bit 7 of the header type of function 0
// is set, and text does not print that bit. Below a port there is one device: what has another device number was found
// through ARI, as function 8 and later of device 0.
// Simplified: a hypervisor that hands over function 1 without function 0 sets no bit; whoever is there counts anyway.

import { addressKey } from '../model/pci-address.ts';
import type { SettledFunction } from './settle-function.ts';

const oneDevicePorts: readonly unknown[] = [4, 6, 8];

/** Settles `multifunction` of functions in order of address, once it is known who hangs below whom and who is virtual. */
export function inferMultifunction(functions: readonly SettledFunction[]): void {
  functions.forEach((fn, position) => {
    if (fn.virtualFunction === true) fn.multifunction = false;
    else if (fn.address.fn > 0 || isFoundThroughAri(fn))
      fn.multifunction = fn.virtualFunction === false ? true : 'unknown';
    else if (fn.multifunction === 'unknown' && hasNeighbour(fn, functions, position)) fn.multifunction = true;
  });
}

function isFoundThroughAri({ upstream, address }: SettledFunction): boolean {
  return typeof upstream === 'object' && oneDevicePorts.includes(upstream.portType) && address.device > 0;
}

/** Whether one of the next functions stands in the same slot and is no virtual one. */
function hasNeighbour(fn: SettledFunction, functions: readonly SettledFunction[], position: number): boolean {
  const key = addressKey(fn.address);
  for (let at = position + 1; at < functions.length; at += 1) {
    const next = functions[at];
    if (next === undefined || addressKey(next.address) - key > 7) return false;
    if (next.virtualFunction === false) return true;
  }
  return false;
}
