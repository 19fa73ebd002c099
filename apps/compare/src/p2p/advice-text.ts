// AdviceText: what would change the verdict on a pair, what to type for it, and what it does to IOMMU groups.
// Source followed: the changes that the package p2p tried; each was judged again by the algorithm.
// Simplified: lists of ports show the first ones.

import type { AcsTarget, Advice, AdvisedChange, BusAddressChance, ClearWay, HiddenFact } from '@sgfree/p2p';
import { redirectingBits } from './acs-words.ts';
import { deviceName } from './device-words.ts';
import { groupLines } from './group-change-text.ts';
import { answerWords } from './verdict-words.ts';
import { lossLine, remarkLine } from './what-if-text.ts';

const MOST_PORTS = 6;

const CHANCE: Readonly<Record<BusAddressChance, string>> = {
  today: 'It is a bus address already; nothing better is possible.',
  'clear-redirect': '',
  'no-common-switch':
    'No register or parameter gives a bus address: no switch or port is above both devices.',
  'not-clearable':
    'No bus address: a port on the way has ACS registers of its own kind, which no parameter reaches.',
  unknown: 'Whether a bus address is possible, the dump does not tell.',
};

/** The advice as lines. */
export function adviceText({ busAddress, changes, remarks }: Advice): string {
  const chance = CHANCE[busAddress];
  return [
    'What would change it',
    ...(chance === '' ? [] : [`  ${chance}`]),
    ...changes.flatMap(changeLines),
    ...remarks.map((remark) => `  ${remarkLine(remark)}`),
  ].join('\n');
}

function changeLines(change: AdvisedChange): string[] {
  switch (change.kind) {
    case 'reveal':
      return change.facts.flatMap(factLines);
    case 'clear-redirect': {
      const targets = change.targets.map(targetText).join(', ');
      return [`  Clear ${targets}: ${answerWords(change.route.mapType)}`, ...change.ways.flatMap(wayLines)];
    }
    case 'kernel-version':
      return [
        `  Linux ${change.kernels.join(' or ')}, which lists the host bridge: ${answerWords(change.route.mapType)}`,
      ];
    case 'cpu':
      return [
        `  An AMD CPU of family ${change.cpu.family.toString(16)}h (Zen) or newer: ${answerWords(change.route.mapType)}`,
      ];
    case 'move-device':
      return moveLines(change);
  }
}

function factLines({ fact, outcomes, how }: HiddenFact): string[] {
  const of = 'of' in fact ? ` of ${fact.of.name}` : '';
  const words = {
    'acs-control': 'the ACS control',
    'upstream-bridge': 'the bridge above',
    'host-bridge': 'the host bridge',
    cpu: 'the CPU',
    'kernel-version': 'the kernel version',
  } as const;
  return [
    `  Find out ${words[fact.kind]}${of}: ${how}`,
    ...outcomes.map(({ answer, possible }) => `    ${answer}: ${possible.map(answerWords).join(' or ')}`),
  ];
}

const targetText = ({ fn, bits, certain }: AcsTarget): string =>
  `${redirectingBits(bits).join(', ')} on ${fn.name} (${deviceName(fn, 40)})${certain ? '' : ', if set'}`;

const METHOD: Readonly<Record<ClearWay['method'], string>> = {
  running: 'on the running machine, as root',
  disable_acs_redir: 'kernel command line (quote the semicolons in a boot loader)',
  config_acs: 'kernel command line, keeping the other bits',
};

function wayLines({ method, argument, commands, effect, groups }: ClearWay): string[] {
  const typed = commands.length > 0 ? commands : [argument];
  return [
    `    ${METHOD[method]}:`,
    ...typed.map((line) => `      ${line}`),
    ...groupLines(groups).map((line) => `      ${line}`),
    ...effect.losses.map((loss) => `      ${lossLine(loss)}`),
    ...effect.remarks.map(({ explanation }) => `      note: ${explanation}`),
  ];
}

function moveLines(change: AdvisedChange & { readonly kind: 'move-device' }): string[] {
  const { device, to, ports, route } = change;
  const place =
    to === 'host-bridge'
      ? 'another port below the same host bridge'
      : `a port of switch ${to.name} (${deviceName(to, 40)})`;
  const shown = ports.slice(0, MOST_PORTS).map(({ port, free, clear }) => {
    const besides = clear.length === 0 ? '' : `, with ${clear.map(targetText).join(', ')} cleared`;
    return `${port.name} (${free ? 'free' : 'in use'}${besides})`;
  });
  const more = ports.length > MOST_PORTS ? ` and ${ports.length - MOST_PORTS} more` : '';
  return [
    `  Move ${device.name} to ${place}: ${answerWords(route.mapType)}`,
    `    ${shown.join(', ')}${more}`,
  ];
}
