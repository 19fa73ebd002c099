// Recorded trace lines: the map, unmap and intel_iommu lines of a recorded ftrace file, with their numbers.
// Source followed: vectors/kernel/README.md, family inv.
// Simplified: API lines, tasks and times are left out.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface MapLine {
  readonly kind: 'map' | 'unmap';
  readonly iova: number;
  readonly size: number;
  /** Only of a map. */
  readonly paddr: number;
}

export interface IntelLine {
  readonly kind: 'intel';
  /** From the event's name on. */
  readonly text: string;
}

export type RecordedLine = MapLine | IntelLine;

const MAP = /: (map|unmap): IOMMU: iova=0x([0-9a-f]+) - 0x[0-9a-f]+ (?:paddr=0x([0-9a-f]+) )?size=(\d+)/;
const INTEL = /: ((?:cache_tag_flush_range|qi_submit).*)$/;

function parse(line: string): RecordedLine[] {
  const intel = INTEL.exec(line);
  if (intel !== null) return [{ kind: 'intel', text: (intel[1] as string).trimEnd() }];
  const map = MAP.exec(line);
  if (map === null) return [];
  const [, kind, iova, paddr, size] = map;
  return [
    {
      kind: kind as 'map' | 'unmap',
      iova: Number.parseInt(iova as string, 16),
      paddr: Number.parseInt(paddr ?? '0', 16),
      size: Number(size),
    },
  ];
}

/** The text of a file, gzipped or not. */
export function readText(file: URL): string {
  const bytes = readFileSync(file);
  return (file.pathname.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** The lines of a trace file that {@link RecordedLine} knows. */
export const readTrace = (file: URL): RecordedLine[] => readText(file).split('\n').flatMap(parse);
