// LineAlignment: which recorded line a computed one belongs to once they no longer agree: the alignment with the fewest
// differences, found by the usual table of edit distances. Lines of one event may stand for each other.
// Simplified: the recorded side goes on behind the computed one, so that any number of its lines may be left over.

/** The event of a line. */
const eventOf = (line: string): string => line.slice(0, line.indexOf(':'));

/** A pair of lines that belong together; null = nothing on that side. */
export type AlignedLines = readonly [recorded: number | null, computed: number | null];

/**
 * Costs: two missing lines (a flush and its command), behind which lines agree again, are likelier than a changed one, and
 * that is likelier than one too many.
 */
const MISSING = 2;
const CHANGED = 5;
const EXTRA = 9;

/** Cost of letting two lines stand for each other. */
function exchange(recorded: string, computed: string): number {
  if (recorded === computed) return 0;
  return eventOf(recorded) === eventOf(computed) ? CHANGED : MISSING + EXTRA;
}

/** Costs by lines of both sides that are dealt with, row by row of computed lines. */
function costTable(recorded: readonly string[], computed: readonly string[]): number[][] {
  const table = [[...recorded, null].map((_, at) => at * MISSING)];
  for (const [at, line] of computed.entries()) {
    const above = table[at] as number[];
    const row = [(at + 1) * EXTRA];
    for (const [column, other] of recorded.entries()) {
      const paired = (above[column] as number) + exchange(other, line);
      row.push(Math.min(paired, (above[column + 1] as number) + EXTRA, (row[column] as number) + MISSING));
    }
    table.push(row);
  }
  return table;
}

/** The column where the computed lines end at the lowest cost; of equal ones the last of those nearest to a one-to-one pairing. */
function bestEnd(costs: readonly number[], computed: number): number {
  let best = 0;
  for (const [column, cost] of costs.entries()) {
    const difference = cost - (costs[best] as number);
    const isNearer = Math.abs(column - computed) <= Math.abs(best - computed);
    if (difference < 0 || (difference === 0 && isNearer)) best = column;
  }
  return best;
}

/** Aligns all computed lines with the first of the recorded ones; lines are given by their index. */
export function alignLines(recorded: readonly string[], computed: readonly string[]): AlignedLines[] {
  const table = costTable(recorded, computed);
  const pairs: AlignedLines[] = [];
  let at = computed.length;
  let column = bestEnd(table[at] as number[], at);
  while (at > 0 || column > 0) {
    const cost = (table[at] as number[])[column];
    const paired =
      at > 0 && column > 0
        ? ((table[at - 1] as number[])[column - 1] as number) +
          exchange(recorded[column - 1] as string, computed[at - 1] as string)
        : Number.POSITIVE_INFINITY;
    const isExtra = at > 0 && ((table[at - 1] as number[])[column] as number) + EXTRA === cost;
    if (paired === cost) {
      at -= 1;
      column -= 1;
      pairs.push([column, at]);
    } else if (isExtra) {
      at -= 1;
      pairs.push([null, at]);
    } else {
      column -= 1;
      pairs.push([column, null]);
    }
  }
  return pairs.reverse();
}
