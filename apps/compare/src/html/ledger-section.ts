// The API ledger as a part of the page: a table a package, folded.
// Source followed: docs/api/ledger.md.
// Simplified: none.

import { type LedgerPackage, ledgerPackages, ledgerText } from './api-ledger.ts';
import { escaped } from './escaped.ts';

/** What became of a symbol, in the words of the ledger. */
const STATES: readonly string[] = ['added', 'kept', 'changed', 'deprecated', 'removed', 'yes'];

/** The section, or a sentence where the ledger is not at hand. */
export function ledgerSection(): string {
  const text = ledgerText();
  if (text === null) return '<p>The ledger did not come with this copy of the command.</p>';
  return ledgerPackages(text).map(packageTable).join('\n');
}

function packageTable({ name, head, rows }: LedgerPackage): string {
  const gone = rows.filter((cells) => cells.some((cell) => cell === 'removed')).length;
  const aged = rows.filter((cells) => cells.some((cell) => cell === 'deprecated')).length;
  const counts = [
    `${rows.length} symbols`,
    ...(aged > 0 ? [`${aged} deprecated on the way`] : []),
    ...(gone > 0 ? [`<span class="gone">${gone} removed</span>`] : []),
  ];
  const lines = rows.map((cells) => `<tr>${cells.map((cell, at) => cellOf(cell, at)).join('')}</tr>`);
  return `<details class="ledger"><summary>${titleOf(name)} <span>${counts.join(' · ')}</span></summary>
<div class="scroll" tabindex="0" role="region" aria-label="API ledger of ${escaped(name)}"><table>
<thead><tr>${head.map((cell) => `<th scope="col">${coded(cell)}</th>`).join('')}</tr></thead>
<tbody>${lines.join('\n')}</tbody></table></div></details>`;
}

/** A section is a package, but for the last one, which is about all of them. */
const titleOf = (name: string): string =>
  name.includes(' ') ? escaped(name) : `<code>@sgfree/${escaped(name)}</code>`;

const cellOf = (cell: string, at: number): string =>
  at === 0
    ? `<th scope="row">${coded(cell)}</th>`
    : `<td${STATES.includes(cell) ? ` data-state="${cell}"` : ''}>${coded(cell)}</td>`;

/** Text whose code stands in back quotes. */
const coded = (text: string): string =>
  escaped(text).replace(/`([^`]*)`/g, (_all, code: string) => `<code>${code}</code>`);
