// Damage to texts: lines lost, doubled, swapped; tokens swapped; bits flipped; the middle or the end cut out; another dump
// spliced in. Each step is data, so that a failure can be told, repeated and shrunk.
// Simplified: a step names places by numbers that are taken modulo what is there.

import fc from 'fast-check';

const kinds = [
  'drop',
  'double',
  'swap-lines',
  'swap-tokens',
  'flip',
  'cut-middle',
  'cut-end',
  'splice',
  'join',
  'blank',
] as const;

/** One step of damage. */
export interface Mutation {
  readonly kind: (typeof kinds)[number];
  readonly at: number;
  readonly other: number;
  readonly length: number;
}

/** Steps of damage. */
export const mutationSteps: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...kinds),
    at: fc.nat(2 ** 24),
    other: fc.nat(2 ** 24),
    length: fc.nat(40),
  }),
  { minLength: 1, maxLength: 6 },
);

/** The lines after all steps; `others` are dumps to splice in. */
export function mutatedLines(
  lines: readonly string[],
  steps: readonly Mutation[],
  others: readonly (readonly string[])[],
): string[] {
  let now = [...lines];
  for (const step of steps) now = mutated(now, step, others);
  return now;
}

function mutated(lines: string[], step: Mutation, others: readonly (readonly string[])[]): string[] {
  if (lines.length === 0) return lines;
  const { kind, length } = step;
  const [at, other] = [step.at % lines.length, step.other % lines.length];
  const line = lines[at] ?? '';
  switch (kind) {
    case 'drop':
      return lines.toSpliced(at, 1 + (length % 3));
    case 'cut-middle':
      return lines.toSpliced(at, length);
    case 'cut-end':
      return [...lines.slice(0, at), line.slice(0, step.other % (line.length + 1))];
    case 'double':
      return lines.toSpliced(other, 0, ...lines.slice(at, at + length));
    case 'swap-lines':
      return lines.with(at, lines[other] ?? '').with(other, line);
    case 'swap-tokens':
      return lines.with(at, swappedTokens(line, lines[other] ?? '', step));
    case 'flip':
      return lines.with(at, flipped(line, step));
    case 'splice':
      return [...lines.slice(0, at), ...(others[step.other % others.length] ?? []).slice(step.length * 20)];
    case 'join':
      return lines.toSpliced(at, 2, line + (lines[at + 1] ?? ''));
    case 'blank':
      return lines.with(at, length % 2 === 0 ? '' : ' '.repeat(length) + line.trim());
  }
}

/** A word of another line instead of one of this line. */
function swappedTokens(line: string, from: string, { at, other }: Mutation): string {
  const words = line.split(/([\s=:,-]+)/);
  const others = from.split(/([\s=:,-]+)/);
  const place = at % words.length;
  return words.with(place, others[other % others.length] ?? '').join('');
}

function flipped(line: string, { other, length }: Mutation): string {
  if (line === '') return String.fromCharCode(length);
  const place = other % line.length;
  const code = line.charCodeAt(place) ^ (1 << (length % 7));
  return line.slice(0, place) + String.fromCharCode(code) + line.slice(place + 1);
}
