// What a right run from stage 5 on must show besides: the operation without scatterlist hands none out, and the deprecated one
// beside it moves the same bytes and is counted.
// Source followed: the road: at stage 5 an operation without scatterlist exists and the scatterlist one is deprecated.
// Simplified: none.

import { dmaBufMappingRangeListType } from '@sgfree/dma-buf/stage-5';
import type { StageReport } from '../stage-report.ts';
import type { ExportedBarReport } from './exported-bar-report.ts';
import type { NegotiatedReport } from './negotiated-report.ts';

type NegotiationCheck = (
  negotiated: NegotiatedReport,
  exported: ExportedBarReport,
  report: StageReport,
) => boolean;

const CHECKS: readonly (readonly [string, NegotiationCheck])[] = [
  ['exporter and importer agreed on another kind of mapping', agreedOnAnother],
  [
    'a scatterlist entry crossed over the operation without scatterlist',
    ({ operation }, { tables, tableEntries, entryArrayBytes }) =>
      operation === 'range-list' && tables + tableEntries + entryArrayBytes !== 0,
  ],
  [
    'bytes moved without a range list',
    ({ operation, rangeListEntries }, _, { bytesRead, bytesWritten }) =>
      operation === 'range-list' && rangeListEntries === 0 && bytesRead + bytesWritten > 0,
  ],
  ['a range list was not given back', ({ rangeListBytesLeft }) => rangeListBytesLeft !== 0],
  [
    'the warnings do not count the imports over the deprecated operation',
    ({ agreed, deprecatedImports }) => deprecatedImports !== attachments(agreed, (name) => !isNew(name)),
  ],
  [
    'the deprecated operation was not used beside it',
    ({ operation }, _, { beside }) =>
      operation === 'range-list' && (beside?.exported?.negotiated ?? null) === null,
  ],
  [
    'the deprecated operation moved other bytes',
    ({ operation }, _, report) => operation === 'range-list' && movedOthers(report, report.beside),
  ],
];

const isNew = (name: string): boolean => name === dmaBufMappingRangeListType.name;

const attachments = (agreed: NegotiatedReport['agreed'], counts: (name: string) => boolean): number =>
  Object.entries(agreed).reduce((sum, [name, count]) => sum + (counts(name) ? count : 0), 0);

/** Where peer-to-peer has no way nothing needs to be agreed on. */
function agreedOnAnother(
  { operation, agreed }: NegotiatedReport,
  _: ExportedBarReport,
  { peer }: StageReport,
): boolean {
  const right = attachments(agreed, (name) => isNew(name) === (operation === 'range-list'));
  const wanted = peer?.mapType === 'not-supported' ? 0 : 1;
  return right < wanted || right !== attachments(agreed, () => true);
}

function movedOthers(report: StageReport, beside: StageReport | undefined): boolean {
  if (beside === undefined) return false;
  const [mine, other] = [report, beside].map(({ bytesRead, bytesWritten, bytesVerified, fabric, exported }) =>
    [
      ...[bytesRead, bytesWritten, bytesVerified, fabric.switchLocal.bytes, fabric.hostBridge.bytes],
      ...[exported?.workRequests, exported?.bytesScattered, exported?.bytesGathered],
    ].join(),
  );
  return mine !== other;
}

/** The checks, each with its name; a run without a negotiation passes all. @internal */
export const NEGOTIATION_CHECKS: readonly (readonly [string, (report: StageReport) => boolean])[] =
  CHECKS.map(([name, applies]) => [
    name,
    (report): boolean => {
      const { exported } = report;
      const negotiated = exported?.negotiated ?? null;
      return exported !== null && negotiated !== null && applies(negotiated, exported, report);
    },
  ]);
