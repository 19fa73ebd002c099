// WhatIfState: the dumped machine after the changes of `--what-if`, beside the machine as dumped.
// Source followed: the parameter code of the kernel, as modelled in the packages topology and p2p.
// What a kernel would pass over in silence is explained and changes nothing; what is no change at all is bad usage.
// Simplified: what firmware left in a register is only known as far as the dump proves it.

import { compareGroups, type GroupsComparison, type WhatIf, whatIf } from '@sgfree/p2p';
import { InputError } from '../request-list/input-error.ts';
import { printable } from '../request-list/shown-value.ts';
import { Judge, type P2pCase } from './p2p-case.ts';

/** The machine after the changes. */
export interface WhatIfState {
  /** The changes as typed. */
  readonly texts: readonly string[];
  readonly result: WhatIf;
  readonly judge: Judge;
  readonly groups: GroupsComparison;
}

/** Mistakes that no kernel would pass over in silence, and what was expected instead. */
const EXPECTED: ReadonlyMap<string, string> = new Map([
  ['change-unknown', 'clear-acs-redirect=ADDRESS, disable_acs_redir=DEVICES or config_acs=FLAGS@DEVICES'],
  ['address-invalid', 'domain:bus:device.function, such as 0000:02:01.0'],
  ['no-such-function', 'a function of the dump'],
]);

/** The state after `texts`; null when there are none. Throws {@link InputError} for what is no change of this machine. */
export function whatIfState(asked: P2pCase, before: Judge, texts: readonly string[]): WhatIfState | null {
  if (texts.length === 0) return null;
  const result = whatIf(asked.dump, texts, { kernel: asked.kernel.acs });
  const wrong = result.mistakes.find(({ code }) => EXPECTED.has(code));
  if (wrong !== undefined) {
    const found = `--what-if ${JSON.stringify(printable(wrong.text))}`;
    throw new InputError(asked.source, 0, found, EXPECTED.get(wrong.code) ?? wrong.explanation);
  }
  const judge = new Judge(asked, result.controls);
  return { texts, result, judge, groups: compareGroups(asked.dump.functions, before.groups, judge.groups) };
}
