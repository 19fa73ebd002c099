// The comparisons as one JSON document, schema sgfree/compare/v1.
// Source followed: the project's command-line conventions: versioned schema, addresses as hex strings, no timestamps.
// Simplified: the reports go in as they are; their fields are documented at StageReport.

import { addOffset, hex } from '@sgfree/hw-model';
import { machineShape, type StageReport, type Verdict } from '@sgfree/roadmap';
import type { PeerComparisons } from './compare-peers.ts';
import { type GpuExchangePart, gpuExchangeDocument } from './gpu-exchange/gpu-exchange-part.ts';
import { type GuestSpacePart, guestSpaceDocument } from './guest-space/guest-space-part.ts';
import type { RequestList } from './request-list/request-list.ts';
import { type RevokePart, revokePartDocument } from './revoke/revoke-part.ts';
import type { RoadTable } from './road/road-table.ts';

/** Name and version of the document's schema. */
export const COMPARE_SCHEMA = 'sgfree/compare/v1';

/** One list, the report of every stage, and what they say. */
export interface Comparison {
  readonly list: RequestList;
  readonly reports: readonly StageReport[];
  readonly verdict: Verdict;
}

/** Everything that was run; null = nothing of the kind. */
export interface Shown {
  readonly comparisons: readonly Comparison[];
  readonly peers: PeerComparisons | null;
  readonly revoke: RevokePart | null;
  /** The same over the operation of stage 5. */
  readonly rangeListRevoke: RevokePart | null;
  /** A guest's address space. */
  readonly guestSpace: GuestSpacePart | null;
  /** A graphics card's memory. */
  readonly gpuExchange: GpuExchangePart | null;
  /** Every stage in one row of figures each. */
  readonly road: RoadTable | null;
}

/** The document, ready to print. */
export function compareDocument(
  { comparisons, peers, revoke, rangeListRevoke, guestSpace, gpuExchange, road }: Shown,
  run: { readonly memory: number; readonly seed: number },
  verdict: Verdict,
): string {
  const machine = machineShape(run.memory);
  const document = {
    schema: COMPARE_SCHEMA,
    machine: {
      memoryBytes: machine.memoryBytes,
      ram: machine.ram.map(({ base, bytes }) => ({
        start: hex(base),
        last: hex(addOffset(base, bytes - 1)),
      })),
      iommu: 'vt-d',
      mode: 'strict',
    },
    seed: run.seed,
    lists: comparisons.map(({ list, reports, verdict: own }) => ({
      requests: {
        source: list.source,
        ios: list.ios.length,
        skipped: list.skipped,
        bytes: list.bytes,
        pages: list.backing === 'huge-pages' ? '2M' : '4K',
        pagesReason: list.backingReason,
      },
      stages: reports,
      verdict: own,
    })),
    peers: peers === null ? null : peersDocument(peers),
    rangeListRevoke: rangeListRevoke === null ? null : revokePartDocument(rangeListRevoke),
    revoke: revoke === null ? null : revokePartDocument(revoke),
    guestSpace: guestSpace === null ? null : guestSpaceDocument(guestSpace),
    gpuExchange: gpuExchange === null ? null : gpuExchangeDocument(gpuExchange),
    road,
    verdict,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Data in a peer's BAR: what was run, and each variant. */
function peersDocument({ source, ios, iosInList, bytes, comparisons }: PeerComparisons): object {
  return {
    requests: { source, ios, iosInList, bytes },
    variants: comparisons.map(({ variant, reports, verdict }) => ({ ...variant, stages: reports, verdict })),
  };
}
