// ChartFigure: a chart with its table of the same numbers beside it.
// Source followed: the project's web conventions: role and label on each SVG, a table for whoever does not see it.
// Simplified: none.

import { escaped } from './escaped.ts';

/** What a figure is made of. */
export interface FigureParts {
  readonly title: string;
  /** One sentence below the title. */
  readonly says: string;
  readonly svg: string;
  readonly head: readonly string[];
  /** The first cell of a row names it, the others are aligned right. */
  readonly rows: readonly (readonly string[])[];
}

/** The figure. */
export function chartFigure({ title, says, svg, head, rows }: FigureParts): string {
  return `<figure><figcaption><h3>${escaped(title)}</h3>${escaped(says)}</figcaption>
<div>${svg}</div>
<div class="scroll" tabindex="0" role="region" aria-label="${escaped(title)}, as a table"><table><thead><tr>${line('th scope="col"', 'th', head)}</tr></thead>
<tbody>${rows.map(bodyRow).join('\n')}</tbody></table></div></figure>`;
}

const bodyRow = ([name = '', ...cells]: readonly string[]): string =>
  `<tr><th scope="row">${escaped(name)}</th>${cells.map((cell) => `<td class="number">${escaped(cell)}</td>`).join('')}</tr>`;

const line = (open: string, close: string, cells: readonly string[]): string =>
  cells
    .map((cell, at) => `<${open}${at === 0 ? '' : ' class="number"'}>${escaped(cell)}</${close}>`)
    .join('');
