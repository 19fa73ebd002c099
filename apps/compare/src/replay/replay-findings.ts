// Leaks and misuse that a trace shows, in words: of one device, or of all.
// Source followed: the findings of the reconstruction.
// Simplified: the first finding of each kind, the first few leaks; --json has no more of them.

import { hex } from '@sgfree/hw-model';
import type { TracedLeak, TracedSide } from '@sgfree/roadmap';
import { counted } from '../counted.ts';
import { printable } from '../request-list/shown-value.ts';
import { grouped } from '../text-table.ts';

/**
 * One line for each kind of finding, then what was never unmapped, with the first few mappings when `listed`; nothing when
 * there is nothing.
 */
export function findingLines(side: TracedSide, listed: boolean): string[] {
  const { findings, bounced } = side;
  const lines = Object.entries(findings)
    .filter(([code]) => code !== 'live-at-end')
    .map(
      ([code, { count, certain, firstLine, firstText }]) =>
        `  ${code}: ${grouped(count)} (${grouped(certain)} certain), first in line ${grouped(firstLine)}: ${firstText}`,
    );
  lines.push(...leakLines(side, listed));
  if (bounced.count > 0) {
    const size = `${counted(bounced.count, 'buffer')}, ${counted(bounced.bytes, 'byte')}`;
    lines.push(`  bounced by the traced kernel: ${size}; here they are mapped where they lie`);
  }
  return lines;
}

function leakLines({ liveAtEnd: { count, bytes, first }, findings }: TracedSide, listed: boolean): string[] {
  if (count === 0) return [];
  const certain = findings['live-at-end']?.certain ?? 0;
  const more = count > first.length ? [`    and ${grouped(count - first.length)} more`] : [];
  return [
    `  never unmapped: ${counted(count, 'mapping')} (${grouped(certain)} certain), ${counted(bytes, 'byte')}, still mapped when the trace ends`,
    ...(listed ? [...first.map(leakLine), ...more] : []),
  ];
}

function leakLine({ line, kind, bytes, dmaAddr, device, task }: TracedLeak): string {
  const place = dmaAddr < 0 ? '' : ` at ${hex(dmaAddr)}`;
  const who = [device, task].filter((name) => name !== '').map((name) => `, ${printable(name, 64)}`);
  return `    line ${grouped(line)}: ${kind}, ${counted(bytes, 'byte')}${place}${who.join('')}`;
}
