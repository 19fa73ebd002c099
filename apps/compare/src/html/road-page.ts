// RoadPage: the whole road as one page that needs nothing else: no script, no font, no picture from outside.
// Source followed: the project's web conventions.
// Simplified: the figures are those of one comparison; the page cannot run anything.

import { type RoadStep, theRoad } from '@sgfree/roadmap';
import type { FinishedComparison } from '../output/comparison-outputs.ts';
import { type RoadRow, roadNotes, roadRows } from '../road/road-rows.ts';
import { LAST_OF_STREAM, type RoadTable } from '../road/road-table.ts';
import { grouped } from '../text-table.ts';
import { escaped } from './escaped.ts';
import { ledgerSection } from './ledger-section.ts';
import { PAGE_STYLE } from './page-style.ts';
import { roadFigures } from './road-figures.ts';
import { windowFigure } from './window-figure.ts';

/** The page. */
export function roadPage(finished: FinishedComparison): string {
  const { road } = finished.shown;
  const parts = road === null ? [NOT_RUN] : [tiles(road), roadSection(road), chartsSection(road, finished)];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">
<title>sgfree: from scatterlist DMA to none, stage by stage</title><style>${PAGE_STYLE}</style></head>
<body>${head(finished)}
<main>${parts.join('\n')}
${stagesSection()}
<h2 id="ledger">API ledger</h2>
<p class="soft">Every exported symbol of every package: the stage at which it is added, deprecated and removed, and what replaces it.</p>
${ledgerSection()}</main>
${foot(finished)}</body></html>
`;
}

const NOT_RUN = '<p>The stages had no common stream of I/O: there is nothing to compare.</p>';

const head = ({
  verdict,
}: FinishedComparison): string => `<header><h1>The road to a scatterlist-free Linux</h1>
<p class="lead">Nine stages of the kernel's DMA layer on one model of the hardware, every byte compared.</p>
<p class="verdict${verdict.ok ? '' : ' failed'}" role="status">${escaped(verdict.line)}</p></header>`;

/** First and last stage of the stream, side by side. */
function tiles({ columns }: RoadTable): string {
  const [first, last] = [columns[0], columns[LAST_OF_STREAM]];
  const end = columns.at(-1);
  const change = (from: number | null | undefined, to: number | null | undefined): string =>
    `${text(from)} → ${text(to)}`;
  const shown = [
    [change(first?.scatterlistEntries, end?.scatterlistEntries), 'scatterlist entries, stage 0 to stage 8'],
    [
      change(first?.structPagesTouched, last?.structPagesTouched),
      'struct page touched for the same I/O, stage 0 to 5',
    ],
    [
      change(first?.trackingBytes, last?.trackingBytes),
      'bytes of tracking memory for the same I/O, stage 0 to 5, where the memory is registered once',
    ],
    [text(end?.left), 'things left behind at stage 8'],
  ] as const;
  return `<div class="tiles">${shown.map(([value, name]) => `<div class="tile"><b>${value}</b><span>${name}</span></div>`).join('')}</div>`;
}

const text = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : grouped(value);

function roadSection(road: RoadTable): string {
  const heads = road.columns.map(({ stage }) => `<th scope="col" class="number">stage ${stage}</th>`);
  return `<h2 id="road">The whole road</h2>
<div class="road scroll" tabindex="0" role="region" aria-label="The whole road, a column a stage"><table>
<thead><tr><td></td>${heads.join('')}</tr></thead>
<tbody>${roadRows(road).map(roadRow).join('\n')}</tbody></table></div>
<ul class="notes">${roadNotes(road)
    .map((note) => `<li>${escaped(note)}</li>`)
    .join('')}</ul>`;
}

function roadRow({ name, cells }: RoadRow, at: number): string {
  const row = at === 0 ? ' class="api"' : cells.at(-1) === '0' ? ' class="zero"' : '';
  const shown = cells.map((cell) => `<td class="number">${escaped(cell)}</td>`);
  return `<tr${row}><th scope="row">${escaped(name)}</th>${shown.join('')}</tr>`;
}

const chartsSection = (
  road: RoadTable,
  { shown }: FinishedComparison,
): string => `<h2 id="charts">Stage by stage</h2>
<ul class="key"><li><i></i>stages 0 to 5: the same stream of I/O</li><li><i class="own"></i>stages 6 to 8: traffic of their own</li><li>–: no such figure</li></ul>
${[...roadFigures(road), windowFigure(shown)].join('\n')}`;

function stagesSection(): string {
  const rows = theRoad.map(
    ({ stage, becomesTrue, linux, steps }) => `<li><b>${stage}</b><div>${escaped(becomesTrue)}
<span class="state">(${escaped(linux)})</span><ul>${steps.map(stepItem).join('')}</ul></div></li>`,
  );
  return `<h2 id="stages">What becomes true, and what Linux 7.3.4 has of it</h2><ol class="stages">${rows.join('\n')}</ol>`;
}

const stepItem = ({ what, state, because }: RoadStep): string =>
  `<li data-state="${state.replace(' ', '-')}"><i>${state}</i> ${escaped(what)}<br><small>${escaped(because)}</small></li>`;

const foot = ({ options: { seed } }: FinishedComparison): string =>
  `<footer>Made by <code>sgfree compare --html</code>, seed ${seed}. A clock step is a bus request, not time.</footer>`;
