// Which kernel wrote a trace, told from the events and formats in it.
// Source followed: the table of formats; each event, and each part that a format has or lacks, allows some kernels.
// Simplified: what all kernels print proves nothing, and the three lines of kernels are all there is.

import { type KernelLine, type TraceFormat, traceFormats } from './trace-formats.ts';

/**
 * What the events of a trace say about the kernel: one of the three lines of kernels that differ (`6.12` are those from
 * 6.12 on without dma_map_phys, `7.x` those with it, 6.18 too), `6.12+` for one of these two, `mixed` when the events
 * contradict each other.
 * @public
 */
export interface KernelFinding {
  readonly version: '6.1' | '6.12' | '7.x' | '6.12+' | 'mixed' | 'unknown';
  /** The events, and parts of their text, that only some kernels print: e.g. `dma:dma_map_phys`. */
  readonly evidence: readonly string[];
}

interface Hint {
  readonly what: string;
  readonly kernels: readonly KernelLine[];
}

/** Counts kept for a format: its events, then those with and without its first part, and so for its second. */
export const COUNTS_PER_FORMAT = 5;

const LINES = 3;
const partName = (text: string, part: number): string =>
  ([...text.matchAll(/<([^>]*)>/g)][part]?.[1] ?? '').replace(/\{.*/, '').trim();

function hintsOf({ system, name, kernels, text, parts = [] }: TraceFormat, counts: Float64Array): Hint[] {
  const what = `${system}:${name}`;
  const hints: Hint[] = [];
  if ((counts[0] as number) > 0) hints.push({ what, kernels });
  for (const [part, kind] of parts.entries()) {
    const label = partName(text, part);
    if ((counts[1 + 2 * part] as number) > 0)
      hints.push({ what: `${what} with ${label}`, kernels: kind.with });
    if ((counts[2 + 2 * part] as number) > 0)
      hints.push({ what: `${what} without ${label}`, kernels: kind.without });
  }
  return hints;
}

/** What the counts of a tally say. */
export function kernelOf(counts: Float64Array): KernelFinding {
  const hints = traceFormats
    .flatMap((format, index) =>
      hintsOf(format, counts.subarray(index * COUNTS_PER_FORMAT, (index + 1) * COUNTS_PER_FORMAT)),
    )
    .filter(({ kernels }) => kernels.length < LINES);
  const left = (['6.1', '6.12', '7.x'] as const).filter((line) =>
    hints.every(({ kernels }) => kernels.includes(line)),
  );
  return { version: versionOf(left), evidence: hints.map(({ what }) => what) };
}

function versionOf(left: readonly KernelLine[]): KernelFinding['version'] {
  if (left.length === 0) return 'mixed';
  if (left.length === LINES) return 'unknown';
  return left.length === 2 ? '6.12+' : (left[0] as KernelLine);
}
