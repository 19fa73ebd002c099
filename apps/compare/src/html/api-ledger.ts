// ApiLedger: the ledger of every package's symbols by stage, as the repository keeps it and the npm package carries it along.
// Source followed: docs/api/ledger.md, written by `npm run api:update`.
// Simplified: only the tables and headings that are written there are understood.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the ledger lies: in the repository, else where `prepack` has put it. */
const PLACES: readonly URL[] = [
  new URL('../../../../docs/api/ledger.md', import.meta.url),
  new URL('../../data/api-ledger.md', import.meta.url),
];

/** The symbols of a package. */
export interface LedgerPackage {
  readonly name: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The ledger's text; null where it did not come along. */
export function ledgerText(): string | null {
  const found = PLACES.map((place) => fileURLToPath(place)).find((path) => existsSync(path));
  return found === undefined ? null : readFileSync(found, 'utf8');
}

/** Its packages, in the order of the page. */
export function ledgerPackages(text: string): LedgerPackage[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [name = '', ...lines] = section.split('\n');
      const [head = [], , ...rows] = lines.filter((line) => line.startsWith('|')).map(cellsOf);
      return { name, head, rows };
    });
}

/** The cells of a line; a bar inside one is written `\|`. */
const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
