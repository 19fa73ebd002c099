// A note of `docs/migration`: what a driver does at one stage and at the next, as code that runs.
// Its blocks are fenced with `ts machine`, `ts before` and `ts after`. Either of the last two, behind the first, is one module that
// exports `transfer`.
// Simplified: blocks are fenced by three backticks at the start of a line.

/** One note. */
export interface MigrationNote {
  readonly from: number;
  readonly to: number;
  readonly markdown: string;
  /** The blocks of the two sides; empty when one is missing. */
  readonly blocks: { readonly before: string; readonly after: string };
  /** The modules: each block behind the machine; empty when the block is missing. */
  readonly modules: { readonly before: string; readonly after: string };
  /** Headings of second order. */
  readonly headings: readonly string[];
}

/** Headings that every note has. */
export const NOTE_HEADINGS = [
  'What changes',
  'The machine',
  'Before',
  'After',
  'Traps',
  'For reviewers',
] as const;

/** Reads the note in `file`, which is called `<from>-to-<to>.md`. */
export function parseMigrationNote(file: string, markdown: string): MigrationNote {
  const step = /^(\d)-to-(\d)[.]md$/.exec(file);
  if (step === null) throw new RangeError(`${file} is no step`);
  const machine = blockOf(markdown, 'machine');
  const [before, after] = [blockOf(markdown, 'before'), blockOf(markdown, 'after')];
  return {
    from: Number(step[1]),
    to: Number(step[2]),
    markdown,
    blocks: { before, after },
    modules: { before: joined(machine, before), after: joined(machine, after) },
    headings: [...markdown.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading),
  };
}

const joined = (machine: string, block: string): string => (block === '' ? '' : `${machine}\n${block}`);

function blockOf(markdown: string, name: string): string {
  const blocks = [...markdown.matchAll(/^```ts (\w+)\n([\s\S]*?)^```$/gm)].filter(
    ([, found]) => found === name,
  );
  if (blocks.length > 1) throw new RangeError(`two blocks are called ${name}`);
  return blocks[0]?.[2] ?? '';
}
