// The examples of a README: each block of TypeScript that is followed by a block of text, which is what it must print.
// Simplified: blocks are fenced by three backticks at the start of a line; nothing but blank lines stands between the two.

/** One example. */
export interface ReadmeExample {
  readonly code: string;
  readonly output: string;
}

const pair = /^```ts\n([\s\S]*?)^```\n\s*^```text\n([\s\S]*?)^```$/gm;

/** The examples of a README in their order. */
export function readmeExamples(markdown: string): ReadmeExample[] {
  return [...markdown.matchAll(pair)].map(([, code = '', output = '']) => ({ code, output }));
}
