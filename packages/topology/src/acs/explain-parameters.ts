// Mistakes that only the machine shows: a parameter for a device that is not there, without ACS, or in an older kernel.
// Source followed: the ACS parameter code; a device form that matches nothing is silent in the kernel.
// Simplified: a form that may match (ids unknown) is not called a mistake.

import type { MachineDump } from '../model/machine-dump.ts';
import { type AcsKernel, computesFromFirmware } from './acs-kernel.ts';
import type { AcsMistake } from './acs-mistake.ts';
import type { AcsEntry, AcsParameters } from './acs-parameters.ts';
import { deviceMatches } from './device-match.ts';

/**
 * All mistakes of the parameters: those of their syntax, and those this machine and kernel show.
 * @public
 */
export function explainAcsParameters(
  parameters: AcsParameters,
  dump: MachineDump,
  kernel: AcsKernel,
): AcsMistake[] {
  const mistakes = [...parameters.mistakes];
  const { disableRedirect, configure } = parameters;
  if (configure.length > 0 && !computesFromFirmware(kernel)) {
    const text = `config_acs=${configure.map((entry) => entry.text).join(';')}`;
    mistakes.push({
      code: 'not-in-kernel',
      text,
      explanation: 'config_acs= came with 6.12; an older kernel ignores it',
    });
  }
  for (const entry of [...disableRedirect, ...configure]) mistakes.push(...mistakesOf(entry, dump));
  return mistakes;
}

function mistakesOf({ text, device }: AcsEntry, dump: MachineDump): AcsMistake[] {
  // Its syntax was told already.
  if (device.kind === 'broken-path') return [];
  const meant = dump.functions.filter((fn) => deviceMatches(device, fn) !== false);
  if (meant.length === 0) {
    return [
      {
        code: 'matches-nothing',
        text,
        explanation: 'no function of this machine is meant: the kernel changes nothing and says nothing',
      },
    ];
  }
  if (meant.every(({ acs }) => acs.control === 'absent')) {
    const names = meant
      .slice(0, 4)
      .map(({ name }) => name)
      .join(', ');
    return [
      { code: 'no-acs', text, explanation: `no function that is meant has an ACS capability: ${names}` },
    ];
  }
  return [];
}
