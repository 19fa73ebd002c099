// WhatIfRequest: changes as people write them, sorted into boot parameters and functions cleared on the running machine.
// Source followed: the kernel's own syntax for `pci=disable_acs_redir=` and `pci=config_acs=`, read by the reader of boot
// parameters. `clear-acs-redirect=` is this model's: what setpci does to RR, CR and EC of the functions named.
// Simplified: none.

import {
  type AcsParameters,
  type DumpedFunction,
  functionAt,
  type MachineDump,
  parseAcsParameters,
  parsePciAddress,
} from '@sgfree/topology';
import type { WhatIfMistake } from './what-if-mistake.ts';

/** What the texts ask for. @internal */
export interface WhatIfRequest {
  readonly parameters: AcsParameters;
  readonly cleared: readonly DumpedFunction[];
  /** Mistakes of everything but the parameters. */
  readonly mistakes: readonly WhatIfMistake[];
}

const CLEAR = 'clear-acs-redirect=';
const isParameter = (word: string): boolean => /^(?:disable_acs_redir|config_acs)(?:=|$)/.test(word);
const namesParameter = (text: string): boolean =>
  text.split(/\s+/).some((word) => isParameter(word) || /^pci=/.test(word));

/** Sorts the texts. Several boot parameters are read as on one command line: of two alike the last one counts. @internal */
export function whatIfRequest(dump: MachineDump, texts: readonly string[]): WhatIfRequest {
  const cleared = new Set<DumpedFunction>();
  const mistakes: WhatIfMistake[] = [];
  const words: string[] = [];
  for (const text of texts.map((each) => each.trim())) {
    if (text.startsWith(CLEAR)) clearIn(dump, text.slice(CLEAR.length), cleared, mistakes);
    else if (namesParameter(text)) words.push(...text.split(/\s+/).map(asKernelWord));
    else mistakes.push(unknownChange(text));
  }
  return { parameters: parseAcsParameters(words.join(' ')), cleared: [...cleared], mistakes };
}

const asKernelWord = (word: string): string => (isParameter(word) ? `pci=${word}` : word);

function unknownChange(text: string): WhatIfMistake {
  const explanation =
    'write clear-acs-redirect=ADDRESS, disable_acs_redir=DEVICES or config_acs=FLAGS@DEVICES';
  return { code: 'change-unknown', text, explanation };
}

function clearIn(
  dump: MachineDump,
  list: string,
  cleared: Set<DumpedFunction>,
  mistakes: WhatIfMistake[],
): void {
  if (list === '')
    mistakes.push({ code: 'no-device', text: CLEAR, explanation: 'without a function nothing changes' });
  for (const text of list === '' ? [] : list.split(/[;,]/)) {
    const fn = functionAt(dump, text);
    if (fn !== undefined && fn.acs.control !== 'absent') cleared.add(fn);
    else mistakes.push(mistakenAddress(text, fn));
  }
}

function mistakenAddress(text: string, fn: DumpedFunction | undefined): WhatIfMistake {
  if (fn !== undefined) {
    return { code: 'no-acs', text, explanation: 'the function has no ACS capability: it redirects nothing' };
  }
  if (parsePciAddress(text) === undefined) {
    return {
      code: 'address-invalid',
      text,
      explanation: 'write [domain:]bus:device.function in hexadecimal',
    };
  }
  return { code: 'no-such-function', text, explanation: 'the dump has no function at this address' };
}
