// WhatIf: the ACS control registers of a dumped machine after a change, made by a boot parameter or on the running machine.
// Source followed: the ACS parameter code of the kernel by version (config_acs came with 6.12; from then on both parameters
// start from the value that firmware left), and its handler for ports with registers of their own.
// Boot parameters come first, then what is cleared on the running machine.
// Simplified: the dumped boot is taken to have had no such parameter itself; a dump does not tell.

import {
  type AcsBoot,
  type AcsChange,
  type AcsControl,
  type AcsKernel,
  type AcsParameters,
  acsWithParameters,
  clearedRedirect,
  type DumpedFunction,
  deviceMatches,
  explainAcsParameters,
  type MachineDump,
} from '@sgfree/topology';
import { acsControlNow, eitherControl, sameControl } from './acs-control-now.ts';
import { type AcsLoss, acsLosses } from './acs-loss.ts';
import { hasOwnRedirectHandler, wideRegisterIsClear } from './own-redirect-handler.ts';
import type { WhatIfMistake, WhatIfRemark } from './what-if-mistake.ts';
import { whatIfRemarks } from './what-if-remarks.ts';
import { type WhatIfRequest, whatIfRequest } from './what-if-request.ts';

/**
 * What a what-if rests on besides the dump.
 * @beta
 */
export interface WhatIfOptions {
  /** Default: 7.3. */
  readonly kernel?: AcsKernel;
  /** What firmware left in the registers; by default only what the dump proves. */
  readonly firmware?: AcsBoot['firmware'];
}

/**
 * A machine after a change.
 * @beta
 */
export interface WhatIf {
  /** Registers that differ from the dump, or may; for `dumpRouteView` and `deriveIommuGroups`. */
  readonly controls: ReadonlyMap<DumpedFunction, AcsControl>;
  /** Functions whose register changes, with the entry or the change that does it. */
  readonly changes: readonly AcsChange[];
  /** Bits other than RR, CR and EC that go as well. */
  readonly losses: readonly AcsLoss[];
  readonly mistakes: readonly WhatIfMistake[];
  readonly remarks: readonly WhatIfRemark[];
}

/**
 * The machine after `changes`: `clear-acs-redirect=ADDRESS[;ADDRESS...]` (RR, CR and EC cleared on the running machine),
 * `disable_acs_redir=...` and `config_acs=...` (another boot; kernel syntax, `pci=` or a whole command line welcome).
 * @beta
 */
export function whatIf(dump: MachineDump, changes: readonly string[], options: WhatIfOptions = {}): WhatIf {
  const { kernel = '7.3', firmware = 'unknown' } = options;
  const request = whatIfRequest(dump, changes);
  const registers = new Map<DumpedFunction, AcsChange>();
  const untouched = new Set<DumpedFunction>();
  boot(dump, request.parameters, { kernel, firmware }, registers, untouched);
  clearRunning(request, registers, untouched);
  const changed = [...registers.values()].filter(({ before, after }) => !sameControl(before, after));
  return {
    controls: new Map([...registers.values()].map(({ fn, after }) => [fn, after])),
    changes: changed,
    losses: acsLosses(changed),
    mistakes: [...request.mistakes, ...explainAcsParameters(request.parameters, dump, kernel)],
    remarks: whatIfRemarks(dump, request, kernel, changed, untouched),
  };
}

function boot(
  dump: MachineDump,
  parameters: AcsParameters,
  how: AcsBoot,
  registers: Map<DumpedFunction, AcsChange>,
  untouched: Set<DumpedFunction>,
): void {
  for (const change of acsWithParameters(dump, parameters, how)) registers.set(change.fn, change);
  const entries = [...parameters.disableRedirect, ...(how.kernel === '6.1' ? [] : parameters.configure)];
  if (entries.length === 0) return;
  for (const fn of dump.functions) {
    const handler = hasOwnRedirectHandler(fn);
    if (handler === false) continue;
    const entry = entries.find(({ device }) => deviceMatches(device, fn) !== false);
    if (entry !== undefined) handled(fn, handler, entry.text, registers, untouched);
  }
}

/** The handler clears bits of a register that is not in the model: groups that rest on it become unknown. */
function handled(
  fn: DumpedFunction,
  handler: true | 'unknown',
  entry: string,
  registers: Map<DumpedFunction, AcsChange>,
  untouched: Set<DumpedFunction>,
): void {
  const before = acsControlNow(fn);
  if (before === 'absent') return;
  untouched.add(fn);
  const ordinary = registers.get(fn)?.after ?? before;
  const after = handler === true ? before : eitherControl(before, ordinary);
  if (handler === true && wideRegisterIsClear(fn)) registers.delete(fn);
  else registers.set(fn, { fn, before, after, entry });
}

function clearRunning(
  { cleared }: WhatIfRequest,
  registers: Map<DumpedFunction, AcsChange>,
  untouched: Set<DumpedFunction>,
): void {
  for (const fn of cleared) {
    const before = acsControlNow(fn);
    if (before === 'absent') continue;
    const handler = hasOwnRedirectHandler(fn);
    if (handler !== false) untouched.add(fn);
    if (handler === true) continue;
    const booted = registers.get(fn)?.after ?? before;
    const ordinary = clearedRedirect(booted);
    const after = handler === 'unknown' ? eitherControl(booted, ordinary) : ordinary;
    registers.set(fn, { fn, before, after, entry: `clear-acs-redirect=${fn.name}` });
  }
}
