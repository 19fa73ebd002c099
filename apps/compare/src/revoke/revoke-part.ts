// The parts of `sgfree compare` about memory that is lent to RDMA importers and taken back while peers work on it: stage 6, and a
// shorter one about the same over the operation of stage 5.
// Source followed: the project's main job at stages 5 and 6.
// Simplified: a fixed set of casts; the recorded I/O plays no part, since the traffic ends where the revoke comes.

import {
  overallVerdict,
  REVOKE_TRIGGERS,
  type RevokeImporterKind,
  type RevokeOperation,
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
  readonly stage: 5 | 6;
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

/** Each trigger, each kind of importer once: the exporter's side of a revoke does not know what crossed. */
const SHORT_CASTS: typeof CASTS = [
  ['reset', ['dynamic']],
  ['flr', ['pinned-revocable']],
  ['memory-off', ['dynamic', 'pinned-revocable']],
  ['close', ['dynamic']],
  ['reset', ['pinned']],
  ['close', ['keeps-mapping']],
];

/** How regions get at the memory, and who they are. Stage 5 runs everything over the deprecated operation, too. */
const PARTS: Readonly<
  Record<RevokePart['stage'], { readonly ops: readonly RevokeOperation[]; readonly casts: typeof CASTS }>
> = {
  5: { ops: ['range-list', 'deprecated'], casts: SHORT_CASTS },
  6: { ops: ['table'], casts: CASTS },
};

/** Runs every revoke of a stage in every variant. */
export function revokePart(
  { seed, stage = 6 }: { readonly seed: number; readonly stage?: RevokePart['stage'] },
  progress: Progress,
): RevokePart {
  const { ops, casts } = PARTS[stage];
  const blocks = PEER_VARIANTS.map((variant, block): RevokeBlock => {
    const { peer: place, iommu, key } = variant;
    const rows = casts.flatMap(([trigger, importers], index) => {
      progress.step(`revoke ${key}: stage ${stage}`, index, casts.length);
      // Every cast has an order of events of its own, whatever the operation.
      const input = { trigger, importers, place, iommu, seed: seed + block * casts.length + index };
      return ops.map((op): RevokeRow => {
        const report = runRevoke({ ...input, op, hangSteps: HANG_STEPS });
        return { report, verdict: revokeVerdict(report) };
      });
    });
    return { variant, rows };
  });
  return { stage, blocks, verdict: verdictOf(stage, blocks) };
}

function verdictOf(stage: RevokePart['stage'], blocks: readonly RevokeBlock[]): Verdict {
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
    line: `OK: stage ${stage}: ${imported.length} revokes under traffic${crossedText(stage, rows)}; last access at most ${most} clock steps after the start, the exporter's wait over after at most ${slowest}, no byte later${othersText(hangs, rows.length - imported.length)}`,
  };
}

/** Revokes that did not end by an importer that stopped. */
function othersText(hangs: number, refusals: number): string {
  const hung = `; ${hangs} of them hang the owner on an importer that keeps its mapping, which is named`;
  const refused = `; ${refusals} times an importer that cannot be revoked was refused`;
  return `${hangs === 0 ? '' : hung}${refusals === 0 ? '' : refused}`;
}

/** What crossed at the stage where no table need. */
function crossedText(stage: RevokePart['stage'], rows: readonly RevokeRow[]): string {
  if (stage === 6) return '';
  const total = (op: RevokeOperation, count: (crossed: RevokeReport['crossed']) => number): number =>
    rows.reduce((sum, { report }) => sum + (report.input.op === op ? count(report.crossed) : 0), 0);
  const lists = total('range-list', ({ rangeLists }) => rangeLists);
  const entries = total('range-list', ({ tableEntries }) => tableEntries);
  const tables = total('deprecated', (crossed) => crossed.tables);
  const warnings = total('deprecated', ({ deprecatedImports }) => deprecatedImports);
  return ` over ${lists} range lists, ${entries} scatterlist entries, and beside it over ${tables} tables, ${warnings} warnings`;
}

/** The part as it stands in the JSON document. */
export function revokePartDocument({ stage, blocks, verdict }: RevokePart): object {
  return {
    stage,
    variants: blocks.map(({ variant, rows }) => ({
      ...variant,
      revokes: rows.map(({ report, verdict: own }) => ({ ...report, verdict: own })),
    })),
    verdict,
  };
}
