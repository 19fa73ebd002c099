// OwnRedirectHandler: ports whose redirection the kernel switches off in a way of its own.
// Source followed: pci_dev_specific_disable_acs_redir of the kernel; one entry, Intel PCH root ports whose ACS registers are
// four bytes wide: the control register stands at +8, and RR, CR and EC are cleared there. A port that the handler
// takes keeps the word at +6, which is all that p2pdma reads, whatever the boot parameter said.
// Simplified: none.

import { type DumpedFunction, isolationQuirk } from '@sgfree/topology';
import { ACS_REDIRECT_MASK } from '../acs-redirect.ts';
import type { Truth } from '../truth.ts';

const ROOT_PORT = 4;
const INTEL = 0x8086;

/**
 * True when a boot parameter, or a write to the word at +6, leaves the word at +6 of this port as it is.
 * @internal
 */
export function hasOwnRedirectHandler(fn: DumpedFunction): Truth {
  const { portType, vendorId, deviceId, acs } = fn;
  if (acs.offset === 'absent' || acs.control === 'absent') return false;
  if (portType !== 'unknown' && portType !== ROOT_PORT) return false;
  if (vendorId !== 'unknown' && vendorId !== INTEL) return false;
  if (vendorId === 'unknown' || deviceId === 'unknown') return mayHaveWideRegisters(fn);
  if (isolationQuirk({ ...fn, portType: ROOT_PORT }) !== 'sunrise-point') return false;
  return portType === ROOT_PORT ? true : 'unknown';
}

// On such a port the word at +6 is the upper half of the capability register, where no bit is defined.
function mayHaveWideRegisters({ acs }: DumpedFunction): Truth {
  const { control } = acs;
  return typeof control === 'number' && (control & ACS_REDIRECT_MASK) !== 0 ? false : 'unknown';
}

/**
 * True when the register at +8 of such a port is shown to redirect nothing, so that the handler changes nothing.
 * @internal
 */
export function wideRegisterIsClear({ acs, config, known }: DumpedFunction): boolean {
  if (typeof acs.offset !== 'number') return false;
  const at = acs.offset + 8;
  return known[at] === 0xff && ((config[at] ?? 0) & ACS_REDIRECT_MASK) === 0;
}
