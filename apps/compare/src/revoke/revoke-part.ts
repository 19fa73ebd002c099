// The part of `sgfree compare` about stage 6: memory that is lent to RDMA importers is taken back while peers work on it.
// Source followed: the project's main job at stage 6.
// Simplified: a fixed set of casts; the recorded I/O plays no part, since the traffic ends where the revoke comes.

import {
  overallVerdict,
  REVOKE_TRIGGERS,
  type RevokeImporterKind,
  type RevokeReport,
  type RevokeTrigger,
  revokeVerdict,
  runRevoke,
  type Verdict,
} from '@sgfree/roadmap';
import { PEER_VARIANTS, type PeerVariant } from '../compare-peers.ts';
import type { Progress } from '../progress.ts';

/** Steps after which a waiting owner counts as hung: ten times what the slowest well-behaved run takes. */
const HANG_STEPS = 1000;

/** One revoke: the report, and what it says. */
export interface RevokeRow {
  readonly report: RevokeReport;
  readonly verdict: Verdict;
}

/** One way the pair can be connected, and every revoke there. */
export interface RevokeBlock {
  readonly variant: PeerVariant;
  readonly rows: readonly RevokeRow[];
}

/** Everything that was taken back. */
export interface RevokePart {
  readonly blocks: readonly RevokeBlock[];
  readonly verdict: Verdict;
}

/** Who imports, and how the owner takes its memory back, in the order of the output. */
const CASTS: readonly (readonly [RevokeTrigger, readonly RevokeImporterKind[]])[] = [
  ...REVOKE_TRIGGERS.flatMap((trigger) => [
    [trigger, ['dynamic']] as const,
    [trigger, ['pinned-revocable']] as const,
  ]),
  ['reset', ['dynamic', 'pinned-revocable']],
  ['reset', ['pinned']],
  ['close', ['keeps-mapping']],
];

/** Runs every revoke in every variant. */
export function revokePart({ seed }: { readonly seed: number }, progress: Progress): RevokePart {
  const blocks = PEER_VARIANTS.map((variant, block): RevokeBlock => {
    const rows = CASTS.map(([trigger, importers], index): RevokeRow => {
      const { peer: place, iommu, key } = variant;
      // Every run has an order of events of its own.
      const input = { trigger, importers, place, iommu, seed: seed + block * CASTS.length + index };
      const report = runRevoke({ ...input, hangSteps: HANG_STEPS });
      progress.step(`revoke ${key}: stage 6`, index + 1, CASTS.length);
      return { report, verdict: revokeVerdict(report) };
    });
    return { variant, rows };
  });
  return { blocks, verdict: verdictOf(blocks) };
}

function verdictOf(blocks: readonly RevokeBlock[]): Verdict {
  const rows = blocks.flatMap((block) => block.rows);
  const overall = overallVerdict(rows.map(({ verdict }) => verdict));
  if (!overall.ok) return overall;
  const imported = rows.filter(({ report }) => report.importers.some(({ refused }) => refused === 0));
  const stopped = imported.filter(({ report }) => report.hang === null).map(({ report }) => report.timings);
  const most = Math.max(...stopped.map(({ lastAccess }) => lastAccess));
  const slowest = Math.max(...stopped.map(({ waitReturned }) => waitReturned ?? 0));
  const hangs = imported.length - stopped.length;
  return {
    ok: true,
    line: `OK: stage 6: ${imported.length} revokes under traffic; last access at most ${most} clock steps after the start, the exporter's wait over after at most ${slowest}, no byte later; ${hangs} of them hang the owner on an importer that keeps its mapping, which is named; ${rows.length - imported.length} times an importer that cannot be revoked was refused`,
  };
}

/** The part as it stands in the JSON document. */
export function revokePartDocument({ blocks, verdict }: RevokePart): object {
  return {
    variants: blocks.map(({ variant, rows }) => ({
      ...variant,
      revokes: rows.map(({ report, verdict: own }) => ({ ...report, verdict: own })),
    })),
    verdict,
  };
}
