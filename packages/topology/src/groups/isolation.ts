// Whether a function, or a whole path, keeps its peers apart: the test on which groups rest.
// Source followed: pci_acs_enabled, pci_acs_path_enabled and pci_acs_flags_enabled of the kernel, asked for SV|RR|CR|UF.
// Every answer has three values; 'unknown' wins over a guess.
// Simplified: see the table of quirks for what it cannot know.

import { ACS } from '@sgfree/hw-model';
import { type AcsControl, allSet, dumpedControl, ISOLATION_BITS } from '../acs/acs-control.ts';
import { type AcsKernel, cachesCapability } from '../acs/acs-kernel.ts';
import type { DumpedFunction, Knowledge } from '../model/dumped-function.ts';
import { isolationQuirk, mayBeDenied } from './isolation-quirks.ts';

/** What the test rests on besides the dump. */
export interface IsolationView {
  readonly kernel: AcsKernel;
  /** An AMD IOMMU is described by firmware. */
  readonly amdIommu: Knowledge<boolean>;
  /** Control registers that differ from the dump. */
  readonly controls: ReadonlyMap<DumpedFunction, AcsControl>;
}

/** Whether a function redirects everything between its peers. */
export function acsEnabled(fn: DumpedFunction, view: IsolationView): Knowledge<boolean> {
  const quirk = isolationQuirk(fn);
  if (quirk === 'isolated') return true;
  if (quirk === 'not-isolated') return false;
  const ordinary = byPortType(fn, view);
  if (quirk === 'unknown') return ordinary === true && !mayBeDenied(fn) ? true : 'unknown';
  if (quirk === 'amd-southbridge') return southbridge(fn, view, ordinary);
  return quirk === 'sunrise-point' ? sunrisePoint(fn, view) : ordinary;
}

function byPortType(fn: DumpedFunction, view: IsolationView): Knowledge<boolean> {
  switch (fn.portType) {
    case 'unknown':
      return 'unknown';
    case 'absent':
    case 7:
    case 8:
    case 10:
      return false;
    case 4:
    case 6:
      return controlEnabled(fn, view);
    case 0:
    case 1:
    case 5:
    case 9:
      return byFunctionCount(fn, view);
    default:
      return true;
  }
}

function byFunctionCount(fn: DumpedFunction, view: IsolationView): Knowledge<boolean> {
  if (fn.multifunction === false) return true;
  const enabled = controlEnabled(fn, view);
  return fn.multifunction === true || enabled === true ? enabled : 'unknown';
}

function controlEnabled(fn: DumpedFunction, view: IsolationView): Knowledge<boolean> {
  const { offset, capability } = fn.acs;
  if (offset === 'absent') return false;
  const control = view.controls.get(fn) ?? dumpedControl(fn);
  if (control === 'absent') return false;
  if (typeof capability !== 'number') return allSet(control, ISOLATION_BITS) === true ? true : 'unknown';
  // Bits that the port does not implement count as satisfied.
  return allSet(control, ISOLATION_BITS & implemented(fn, capability, view.kernel));
}

// IDT switches that check requester numbers wrongly: the kernel does not count their source validation.
function implemented(fn: DumpedFunction, capability: number, kernel: AcsKernel): number {
  const broken = fn.vendorId === 0x111d && (fn.deviceId === 0x80b5 || fn.deviceId === 0x8090);
  return broken && cachesCapability(kernel) ? capability & ~ACS.sourceValidation : capability;
}

function southbridge(
  fn: DumpedFunction,
  view: IsolationView,
  ordinary: Knowledge<boolean>,
): Knowledge<boolean> {
  if (fn.multifunction === false || typeof fn.upstream === 'object' || view.amdIommu === false)
    return ordinary;
  const sure = view.amdIommu === true && fn.multifunction === true && fn.upstream === 'root';
  return sure || ordinary === true ? true : 'unknown';
}

/** Registers four bytes wide: the control stands at +8. */
function sunrisePoint(fn: DumpedFunction, view: IsolationView): Knowledge<boolean> {
  const { offset, capability } = fn.acs;
  if (offset === 'absent') return false;
  if (typeof offset !== 'number' || typeof capability !== 'number') return 'unknown';
  const at = offset + 8;
  if (fn.known[at] !== 0xff || view.controls.has(fn)) return 'unknown';
  return allSet({ value: fn.config[at] ?? 0, unknownBits: 0 }, ISOLATION_BITS & capability);
}

/** Whether a bridge and every bridge above it are isolated. */
export function acsPathEnabled(fn: DumpedFunction, view: IsolationView): Knowledge<boolean> {
  let answer: Knowledge<boolean> = true;
  let at = fn;
  for (;;) {
    const enabled = acsEnabled(at, view);
    if (enabled === false) return false;
    if (enabled === 'unknown') answer = 'unknown';
    const { upstream } = at;
    if (upstream === 'root') return answer;
    if (upstream === 'unknown') return 'unknown';
    at = upstream;
  }
}
