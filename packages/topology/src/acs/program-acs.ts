// What ACS control registers hold after a boot: the kernel's default, and what the parameters make of it.
// Source followed: pci_acs_init, pci_enable_acs and the parameter code of 6.1, 6.12, 7.2 and 7.3. Since 6.12 a parameter computes
// from the value FIRMWARE left, so a matching function also loses what the kernel would have set by default.
// A dump shows the registers after a boot, not what firmware left: a default bit that is set may or may not come from it.
// Simplified: the layout of Sunrise Point ports and their own way to disable redirection are left aside.

import { ACS } from '@sgfree/hw-model';
import type { DumpedFunction } from '../model/dumped-function.ts';
import type { MachineDump } from '../model/machine-dump.ts';
import {
  type AcsControl,
  ALL_ACS_BITS,
  dumpedControl,
  ISOLATION_BITS,
  REDIRECT_BITS,
} from './acs-control.ts';
import { type AcsKernel, computesFromFirmware } from './acs-kernel.ts';
import type { AcsEntry, AcsParameters } from './acs-parameters.ts';
import { deviceMatches, stopsReading } from './device-match.ts';

/**
 * What a boot is assumed to be like.
 * @public
 */
export interface AcsBoot {
  readonly kernel: AcsKernel;
  /** What firmware leaves in the registers: 'zero' (usual), or 'unknown': only what the dump proves. */
  readonly firmware: 'zero' | 'unknown';
}

/**
 * A function whose register changes.
 * @public
 */
export interface AcsChange {
  readonly fn: DumpedFunction;
  readonly before: AcsControl;
  readonly after: AcsControl;
  /** The entry that decides. */
  readonly entry: string;
}

/**
 * The register after a boot without parameters, when an IOMMU driver asked for ACS: `capability` bits SV, RR, CR and UF
 * are added to what firmware left; translation blocking too where ATS is off or the port faces outside.
 * @public
 */
export function defaultAcsControl(capability: number, firmware: number, blockTranslated: boolean): number {
  const wanted = ISOLATION_BITS + (blockTranslated ? ACS.translationBlocking : 0);
  return (firmware | (capability & wanted)) & ALL_ACS_BITS;
}

/**
 * Which registers another boot of the dumped machine with `parameters` would change, and to what.
 * Functions without ACS are left out; a function that may or may not be meant gets bits that are unknown.
 * @public
 */
export function acsWithParameters(dump: MachineDump, parameters: AcsParameters, boot: AcsBoot): AcsChange[] {
  return dump.functions.flatMap((fn) => {
    const before = dumpedControl(fn);
    return before === 'absent' ? [] : changeOf(fn, before, parameters, boot);
  });
}

function changeOf(
  fn: DumpedFunction,
  before: AcsControl,
  parameters: AcsParameters,
  boot: AcsBoot,
): AcsChange[] {
  let after = before;
  let entry = '';
  for (const list of listsOf(parameters, boot.kernel)) {
    const candidates = candidatesOf(list, fn);
    const outcomes = candidates.map((found) => (found === 'none' ? after : applied(found, fn, before, boot)));
    after = outcomes.reduce(blurred);
    entry = candidates.find((found) => found !== 'none')?.text ?? entry;
  }
  const same = after.value === before.value && after.unknownBits === before.unknownBits;
  return same ? [] : [{ fn, before, after, entry }];
}

// The second list is applied after the first and computes from firmware again.
const listsOf = (parameters: AcsParameters, kernel: AcsKernel): readonly (readonly AcsEntry[])[] =>
  computesFromFirmware(kernel)
    ? [parameters.disableRedirect, parameters.configure]
    : [parameters.disableRedirect];

/** The entry that the kernel takes for a function; several where it may be one or another, 'none' among them. */
function candidatesOf(list: readonly AcsEntry[], fn: DumpedFunction): (AcsEntry | 'none')[] {
  const found: (AcsEntry | 'none')[] = [];
  for (const entry of list) {
    const meant = deviceMatches(entry.device, fn);
    if (meant !== false) found.push(entry);
    const stopped = stopsReading(entry.device, fn);
    if (stopped === 'unknown') found.push('none');
    if (meant === true) return found;
    if (stopped === true) break;
  }
  return [...found, 'none'];
}

function applied(
  { mask, flags }: AcsEntry,
  fn: DumpedFunction,
  before: AcsControl,
  boot: AcsBoot,
): AcsControl {
  const base = computesFromFirmware(boot.kernel) ? firmwareControl(before, boot.firmware) : before;
  const { capability } = fn.acs;
  // A bit that the port does not implement cannot be set.
  const settable = typeof capability === 'number' ? capability & ALL_ACS_BITS : ALL_ACS_BITS;
  const unsure = typeof capability === 'number' ? 0 : flags & mask;
  return {
    value: (base.value & ~mask) | (flags & mask & settable & ~unsure),
    unknownBits: (base.unknownBits & ~mask) | unsure,
  };
}

/** What firmware left, as far as the register after a boot proves it: the kernel only adds bits. */
function firmwareControl(before: AcsControl, firmware: AcsBoot['firmware']): AcsControl {
  const added = ISOLATION_BITS + ACS.translationBlocking;
  if (firmware === 'zero') return { value: before.value & ~added, unknownBits: before.unknownBits & ~added };
  return { value: before.value & ~added, unknownBits: before.unknownBits | (before.value & added) };
}

/** Either of two values: bits in which they differ, or that are unknown in one, are unknown. */
function blurred(one: AcsControl, other: AcsControl): AcsControl {
  const unknownBits = one.unknownBits | other.unknownBits | (one.value ^ other.value);
  return { value: one.value & ~unknownBits, unknownBits };
}

/**
 * The register after RR, CR and EC were cleared at run time (setpci), nothing else changed.
 * @public
 */
export function clearedRedirect(control: AcsControl): AcsControl {
  return { value: control.value & ~REDIRECT_BITS, unknownBits: control.unknownBits & ~REDIRECT_BITS };
}
