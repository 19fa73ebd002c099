// The comparison on a real machine for people: who plays what, the route, the table, what was assumed, the verdicts.
// Source followed: the stage reports and the route of the kernel; nothing is computed here.
// Simplified: the rule that decided is one phrase; `sgfree p2p --from --to` shows the way hop by hop.

import type { Verdict } from '@sgfree/roadmap';
import { MAP_TYPE_TEXT, PEER_ROWS } from '../compare-peer-text.ts';
import { failureLines } from '../comparison-text.ts';
import { counted } from '../counted.ts';
import { sizeText } from '../memory-size.ts';
import { deviceName } from '../p2p/device-words.ts';
import { numberRows } from '../report-table.ts';
import { type Cell, grouped, textTable } from '../text-table.ts';
import type { World } from '../world.ts';
import type { MachineComparison, MachineVariant } from './machine-run.ts';

const RULE: Readonly<Record<string, string>> = {
  'common-port': 'no redirecting ACS bit up to the common port',
  cpu: 'every path is allowed on an AMD CPU of family 17h or newer',
  'host-bridge-listed': "the host bridges are on the kernel's list",
  'host-bridge-not-listed': "the host bridges are not on the kernel's list",
};

/** All of it but the last verdict; ends with a newline. */
export function machineText(
  world: World,
  comparison: MachineComparison,
  coloured: (verdict: Verdict) => string,
): string {
  const { pair, site, source, ios, iosInList, bytes, variants } = comparison;
  const { initiator, target, route, options } = pair;
  const lines = [
    `initiator: ${initiator.name} plays an NVMe controller here, with its registers at BAR ${site.registersBar}; on the machine it is`,
    `           ${deviceName(initiator)}`,
    `target:    BAR ${site.bar} of ${target.name}, ${sizeText(site.barBytes)}: ${deviceName(target)}`,
    `machine:   ${pair.source}; ${cpuText(pair.cpu)}; Linux ${options.kernel.version}; ACS as dumped, whether the IOMMU is on or off`,
    `route:     ${MAP_TYPE_TEXT[route.mapType as keyof typeof MAP_TYPE_TEXT]}, distance ${route.distance}: ${RULE[route.rule] ?? route.rule}`,
    `requests:  ${source}: the first ${grouped(ios)} of ${counted(iosInList, 'I/O')}, ${counted(bytes, 'byte')}; each page of memory is a page of the BAR`,
    ...site.assumed.map((words) => `assumed:   ${words}`),
    '',
    machineTable(world, variants),
    '',
    ...variants.flatMap(({ reports }) => failureLines(reports)),
    ...variants.map(({ iommu, verdict }) => `IOMMU ${iommu ? 'on' : 'off'}: ${coloured(verdict)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function cpuText({ cpu, from }: MachineComparison['pair']['cpu']): string {
  if (cpu === 'unknown') return 'CPU not known, and of no matter here';
  return `CPU ${cpu.vendor} family ${cpu.family}${from === 'dump' ? ' (from the dump)' : ''}`;
}

function machineTable(world: World, variants: readonly MachineVariant[]): string {
  const stages = variants[0]?.reports ?? [];
  const head = ['', ...stages.map(({ stage, title }) => `stage ${stage}: ${title}`), 'change'];
  const rows: Cell[][] = variants.flatMap(({ iommu, reports }) => [
    [''],
    [`IOMMU ${iommu ? 'on' : 'off'}`],
    ...numberRows(reports, PEER_ROWS),
  ]);
  return textTable(
    world,
    head,
    rows.map((row) => [...row, ...Array.from({ length: head.length - row.length }, () => '')]),
  );
}
