// The line every counting check ends with: `N passed, N failed`, with or without `, N skipped`.
// Vitest (through the plain-count reporter), the conformance runner and the tools of this folder print it.
// Simplified: the last such line of the output counts; a check that prints none has not counted anything.

/** What a check counted. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

const countLine = /^(\d+) passed, (\d+) failed(?:, \d+ skipped)?$/;

/** The counts of the last count line of `output`, if there is one. */
export function readCountLine(output: string): Counts | undefined {
  for (const line of output.split('\n').reverse()) {
    const match = countLine.exec(line.trim());
    if (match) return { passed: Number(match[1]), failed: Number(match[2]) };
  }
  return undefined;
}

/** The counts as the line that ends a run. */
export function printCountLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed`;
}
