// The second half of a comparison for people: data in a peer's BAR, one block a variant, one column a stage.
// Source followed: the stage reports; nothing is computed here but differences.
// Simplified: the first few failures of a stage are shown, the rest are counted.

import { PEER_BAR_BYTES, type PeerReport, type StageReport, type Verdict } from '@sgfree/roadmap';
import type { PeerComparison, PeerComparisons, PeerVariant } from './compare-peers.ts';
import { failureLines } from './comparison-text.ts';
import { sizeText } from './memory-size.ts';
import { numberRows } from './report-table.ts';
import { type Cell, grouped, textTable } from './text-table.ts';
import type { World } from './world.ts';

/** The rows of a table about data in a peer's BAR. */
export const PEER_ROWS: readonly (readonly [string, (report: StageReport) => number])[] = [
  ['requests of the block layer', (report) => report.requests],
  ['bytes compared', (report) => report.bytesVerified],
  ['bytes wrong', (report) => report.bytesWrong],
  ['bus requests inside the switch', (report) => report.fabric.switchLocal.requests],
  ['bus requests through the host bridge', (report) => report.fabric.hostBridge.requests],
  ['bus requests to memory (rings, lists)', (report) => report.fabric.memory.requests],
  ['bus requests refused', (report) => report.fabric.refused.requests],
  ['DMA ranges handed out', (report) => report.dmaRangesOut],
  ['IOVA allocations', (report) => report.requestWork.iovaAllocations],
  ['page-table entries written', (report) => report.requestWork.entriesWritten],
  ['invalidation commands', (report) => report.requestWork.invalidationCommands],
  ['tracking memory, bytes', (report) => report.tracking.totalBytes],
  ['struct page memory for the BAR, bytes', (report) => report.peer?.structPageBytes ?? 0],
  ['struct page looked at', (report) => report.requestWork.structPagesTouched],
];

const PLACE_TEXT = { switch: 'peer below the same switch', 'host-bridge': 'peer below another root port' };

/** What the kernel decides, in words. */
export const MAP_TYPE_TEXT: Readonly<Record<PeerReport['mapType'], string>> = {
  'bus-addr': 'bus address',
  'thru-host-bridge': 'through host bridge',
  'not-supported': 'not supported',
};

/** Everything about the peer runs; ends with a newline. `coloured` paints a verdict. */
export function peerText(
  world: World,
  { source, ios, iosInList, bytes, comparisons }: PeerComparisons,
  coloured: (verdict: Verdict) => string,
): string {
  if (ios === 0) return `data in a peer's BAR: not run: no I/O of ${source} is small enough\n`;
  const bar = sizeText(PEER_BAR_BYTES);
  const lines = [
    "data in a peer's BAR",
    `requests: ${source}: ${grouped(ios)} of ${grouped(iosInList)} I/Os, ${grouped(bytes)} bytes; each page of memory is a page of the BAR`,
    `machine:  1 GiB of RAM; a switch with the disk and one peer below it, another peer below another root port; BARs of ${bar}`,
    '          no ACS redirection (as pci=disable_acs_redir= leaves it), a host bridge that Linux 7.3.4 lists',
    '',
    peerTable(world, comparisons),
    '',
    ...comparisons.flatMap(({ reports }) => failureLines(reports)),
    ...comparisons.map(({ variant, verdict }) => `${variantText(variant)}: ${coloured(verdict)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** The table of all variants; the columns are the stages of the first. */
export function peerTable(world: World, comparisons: readonly PeerComparison[]): string {
  const stages = comparisons[0]?.reports ?? [];
  const head = ['', ...stages.map(({ stage, title }) => `stage ${stage}: ${title}`), 'change'];
  const rows: Cell[][] = comparisons.flatMap(({ variant, reports }) => [
    [''],
    [blockTitle(variant, reports)],
    ...numberRows(reports, PEER_ROWS),
  ]);
  return textTable(
    world,
    head,
    rows.map((row) => [...row, ...Array.from({ length: head.length - row.length }, () => '')]),
  );
}

const variantText = ({ peer, iommu }: PeerVariant): string =>
  `${PLACE_TEXT[peer]}, IOMMU ${iommu ? 'on' : 'off'}`;

function blockTitle(variant: PeerVariant, [report]: readonly StageReport[]): string {
  const peer = report?.peer ?? null;
  if (peer === null) return variantText(variant);
  return `${variantText(variant)}: ${MAP_TYPE_TEXT[peer.mapType]}, distance ${peer.distance}`;
}
