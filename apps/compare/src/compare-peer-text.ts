// The second half of a comparison for people: data in a peer's BAR, one block a variant, one column a stage.
// Source followed: the stage reports; nothing is computed here but differences.
// Simplified: the first few failures of a stage are shown, the rest are counted.

import {
  type ExportedBarReport,
  type NegotiatedReport,
  PEER_BAR_BYTES,
  type PeerReport,
  type StageReport,
  type Verdict,
} from '@sgfree/roadmap';
import type { PeerComparison, PeerComparisons, PeerVariant } from './compare-peers.ts';
import { failureLines } from './comparison-text.ts';
import { counted } from './counted.ts';
import { sizeText } from './memory-size.ts';
import { numberRows } from './report-table.ts';
import { type Cell, grouped, textTable } from './text-table.ts';
import { variantText } from './variant-text.ts';
import type { World } from './world.ts';

type PeerRow = readonly [string, (report: StageReport) => number | null];

/** The rows of a table about data in a peer's BAR. */
export const PEER_ROWS: readonly PeerRow[] = [
  ['requests of the block layer', (report) => (report.exported === null ? report.requests : null)],
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

const ofExport =
  (figure: (exported: ExportedBarReport, report: StageReport) => number) =>
  (report: StageReport): number | null =>
    report.exported === null ? null : figure(report.exported, report);

const ofNegotiation =
  (figure: (negotiated: NegotiatedReport) => number) =>
  ({ exported }: StageReport): number | null => {
    const negotiated = exported?.negotiated ?? null;
    return negotiated === null ? null : figure(negotiated);
  };

/** Of the deprecated operation, which runs beside stage 5. */
const ofDeprecated =
  (figure: (exported: ExportedBarReport, report: StageReport) => number) =>
  ({ beside }: StageReport): number | null =>
    beside === undefined ? null : ofExport(figure)(beside);

/** The rows that only stages with an exported BAR have. */
const EXPORT_ROWS: readonly PeerRow[] = [
  ['RDMA work requests', ofExport(({ workRequests }) => workRequests)],
  ['RDMA completions other than success', ofExport(({ completions }) => notWell(completions))],
  ['to register the BAR: IOVA allocations', ofExport((_, { setup }) => setup.iovaAllocations)],
  ['to register the BAR: page-table entries written', ofExport((_, { setup }) => setup.entriesWritten)],
  ['to register the BAR: invalidation commands', ofExport((_, { setup }) => setup.invalidationCommands)],
  ["blocks in the adapter's table", ofExport(({ regionBlocks }) => regionBlocks)],
  ['  bytes of such a block', ofExport(({ regionBlockBytes }) => regionBlockBytes)],
  ['scatterlist entries handed out', ofExport(({ tableEntries }) => tableEntries)],
  ['  without a page', ofExport(({ entriesWithoutPage }) => entriesWithoutPage)],
  ["  in the CPU's view (orig_nents)", ofExport(({ cpuEntries }) => cpuEntries)],
  ['  changed in place by RDMA', ofExport(({ entriesChanged }) => entriesChanged)],
  ['scatterlist memory left behind, bytes', ofExport(({ entryArrayBytesLeft }) => entryArrayBytesLeft)],
  ['range lists handed out', ofNegotiation(({ rangeLists }) => rangeLists)],
  ['  entries', ofNegotiation(({ rangeListEntries }) => rangeListEntries)],
  ['  bytes to track them', ofNegotiation(({ rangeListBytes }) => rangeListBytes)],
  ['deprecated imports, each with a warning', ofNegotiation(({ deprecatedImports }) => deprecatedImports)],
  ['beside it: deprecated imports', ofDeprecated((exported) => exported.negotiated?.deprecatedImports ?? 0)],
  ['  scatterlist entries', ofDeprecated(({ tableEntries }) => tableEntries)],
  ['  tracking memory, bytes', ofDeprecated((_, { tracking }) => tracking.totalBytes)],
  ['  bytes compared', ofDeprecated((_, { bytesVerified }) => bytesVerified)],
];

const notWell = (completions: ExportedBarReport['completions']): number =>
  Object.entries(completions).reduce((sum, [status, count]) => sum + (status === 'SUCCESS' ? 0 : count), 0);

const EXPORT_TEXT =
  "          stages 3 to 5: the peer is a VFIO user's disk, the BAR its memory, exported as a dma-buf; an RDMA adapter is in the" +
  "\n          disk's place, and what was the disk is another computer on its wire: reads become RDMA WRITE, writes RDMA READ";

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
    `requests: ${source}: ${grouped(ios)} of ${counted(iosInList, 'I/O')}, ${grouped(bytes)} bytes; each page of memory is a page of the BAR`,
    `machine:  1 GiB of RAM; a switch with the disk and one peer below it, another peer below another root port; BARs of ${bar}`,
    '          no ACS redirection (as pci=disable_acs_redir= leaves it), a host bridge that Linux 7.3.4 lists',
    ...(exportedIn(comparisons) ? [EXPORT_TEXT] : []),
    ...(comparisons[0]?.reports ?? []).map(stageText),
    '',
    peerTable(world, comparisons),
    '',
    ...comparisons.flatMap(({ reports }) => failureLines(reports)),
    ...comparisons.map(({ variant, verdict }) => `${variantText('peer', variant)}: ${coloured(verdict)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function stageText({ stage, title, exported, beside }: StageReport): string {
  const line = `stage ${stage}:  ${title}`;
  const agreed = Object.keys(exported?.negotiated?.agreed ?? {});
  if (beside === undefined || agreed.length === 0) return line;
  const old = Object.keys(beside.exported?.negotiated?.agreed ?? {});
  return `${line} (agreed on: ${agreed.join(', ')}); beside it the deprecated operation (${old.join(', ')}), which warns`;
}

/** The table of all variants; the columns are the stages of the first. */
function peerTable(world: World, comparisons: readonly PeerComparison[]): string {
  const stages = comparisons[0]?.reports ?? [];
  const head = ['', ...stages.map(({ stage }) => `stage ${stage}`), ...(stages.length > 1 ? ['change'] : [])];
  const figures = exportedIn(comparisons) ? [...PEER_ROWS, ...EXPORT_ROWS] : PEER_ROWS;
  const rows: Cell[][] = comparisons.flatMap(({ variant, reports }) => [
    [''],
    [blockTitle(variant, reports)],
    ...numberRows(reports, figures),
  ]);
  return textTable(
    world,
    head,
    rows.map((row) => head.map((_, column) => row[column] ?? '')),
  );
}

const exportedIn = (comparisons: readonly PeerComparison[]): boolean =>
  comparisons.some(({ reports }) => reports.some(({ exported }) => exported !== null));

function blockTitle(variant: PeerVariant, [report]: readonly StageReport[]): string {
  const peer = report?.peer ?? null;
  if (peer === null) return variantText('peer', variant);
  return `${variantText('peer', variant)}: ${MAP_TYPE_TEXT[peer.mapType]}, distance ${peer.distance}`;
}
