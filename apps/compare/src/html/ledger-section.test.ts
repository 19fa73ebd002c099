// The ledger as it is written in the repository, and what its summary lines count.
import { expect, it } from 'vitest';
import { ledgerPackages, ledgerText } from './api-ledger.ts';
import { ledgerSection } from './ledger-section.ts';

it('a bar inside a cell is no border', () => {
  const text =
    '# Ledger\n\n## mm\n\n| symbol | stage 0 |\n| --- | --- |\n| `a \\| b` | added |\n\n## dma-sg\n';
  expect(ledgerPackages(text)).toEqual([
    { name: 'mm', head: ['symbol', 'stage 0'], rows: [['`a | b`', 'added']] },
    { name: 'dma-sg', head: [], rows: [] },
  ]);
});

it('every package says how many of its symbols are deprecated on the way and removed', () => {
  const counted = (state: string, cells: readonly (readonly string[])[]): number =>
    cells.filter((row) => row.includes(state)).length;
  const text = ledgerText();
  if (text === null) throw new Error('no ledger');
  const section = ledgerSection();
  const found = [...section.matchAll(/<summary>.*<\/summary>/g)].map(([summary]) => [
    Number(/(\d+) symbols/.exec(summary)?.[1]),
    Number(/(\d+) deprecated on the way/.exec(summary)?.[1] ?? 0),
    Number(/<span class="gone">(\d+) removed/.exec(summary)?.[1] ?? 0),
  ]);
  const packages = ledgerPackages(text);
  expect(found).toEqual(
    packages.map(({ rows }) => [rows.length, counted('deprecated', rows), counted('removed', rows)]),
  );
  expect(found.some(([, aged = 0, gone = 0]) => aged > 0 && gone > 0)).toBe(true);
});
