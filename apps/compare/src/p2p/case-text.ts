// CaseText: what every answer of `sgfree p2p` starts with (machine and rules) and ends with (what the dump does not show).
// Source followed: the project's command-line conventions.
// Simplified: remarks of one kind are one line with the first place and a count.

import type { MachineDump, TopologyRemark } from '@sgfree/topology';
import { printable } from '../request-list/shown-value.ts';
import { grouped } from '../text-table.ts';
import type { P2pCase } from './p2p-case.ts';

const AMD = 0x1022;
const INTEL = 0x8086;

/** Machine and rules, two or three lines. */
export function caseText(asked: P2pCase): string {
  const { dump, source } = asked;
  const bridges = dump.hostBridges.length;
  const machine = `${printable(source, 200)}: ${grouped(dump.functions.length)} functions below ${bridges} host ${bridges === 1 ? 'bridge' : 'bridges'} (${dump.formats.join(', ')})`;
  return [machine, `${kernelWords(asked)}; ${cpuWords(asked)}; ${iommuWords(asked)}.`].join('\n');
}

function kernelWords({ kernel }: P2pCase): string {
  if (kernel.known !== null) return `Rules of Linux ${kernel.version}`;
  return `Linux ${kernel.version}: its host-bridge list is unknown for this version (ACS and IOMMU groups as in ${kernel.acs})`;
}

function cpuWords({ dump, cpu: { cpu, from } }: P2pCase): string {
  if (cpu === 'unknown') return `CPU not known (both answers are shown; --cpu decides${suggestion(dump)})`;
  const family = cpu.family === 0 ? '' : ` family ${cpu.family.toString(16)}h`;
  return `CPU ${printable(cpu.vendor)}${family} (${from === 'dump' ? 'from the dump' : '--cpu'})`;
}

/** The vendor of the host bridges suggests a CPU; only a suggestion, since virtual machines show any chipset. */
function suggestion({ hostBridges }: MachineDump): string {
  const vendors = new Set(hostBridges.map(({ functions }) => functions[0]?.vendorId));
  if (vendors.size !== 1) return '';
  if (vendors.has(AMD)) return ", AMD's host bridges suggest zen";
  return vendors.has(INTEL) ? ", Intel's host bridges suggest intel" : '';
}

function iommuWords({ iommu }: P2pCase): string {
  if (iommu === 'unknown') return 'IOMMU not known';
  return iommu === 'on' ? 'IOMMU on' : iommu === 'pt' ? 'IOMMU on, identity domains' : 'IOMMU off';
}

/** What the reader noticed, one line a kind; empty when nothing. */
export function remarksText(remarks: readonly TopologyRemark[]): string[] {
  const byCode: Map<string, TopologyRemark[]> = new Map();
  for (const remark of remarks) byCode.set(remark.code, [...(byCode.get(remark.code) ?? []), remark]);
  return [...byCode.values()].map((same) => {
    const { file, line, device, what, consequence } = same[0] as TopologyRemark;
    const place = [file, line > 0 ? `line ${line}` : '', device].filter((part) => part !== '').join(', ');
    const more = same.length > 1 ? `; and ${grouped(same.length - 1)} more like it` : '';
    return printable(`note: ${what}${place === '' ? '' : ` (${place}${more})`}: ${consequence}`, 400);
  });
}
