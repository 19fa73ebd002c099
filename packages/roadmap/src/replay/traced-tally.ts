// TracedTally: what the trace itself says of one device, before any run: kinds, sizes, findings, what was inferred.
// Source followed: the reconstruction's mappings and findings.
// Simplified: of leaks the first few are kept, of findings the first of each kind.

import type { ReconstructionRule, TracedMapping, TraceFinding, TraceFindingCode } from '@sgfree/trace';
import type { ReplayRefusal } from './replay-refusal.ts';
import type { FindingSummary, TracedLeak, TracedSide } from './replay-report.ts';
import { RunSizeHistogram } from './run-size-histogram.ts';

const MOST_LEAKS = 8;

/** Counts of one device, or of all. */
export class TracedTally {
  readonly #mappings = { phys: 0, sg: 0, coherent: 0, 'two-step': 0, 'iommu-api': 0 };
  readonly #refused = new Map<ReplayRefusal, number>();
  readonly #inferred = new Map<string, number>();
  readonly #sizes = new RunSizeHistogram();
  readonly #leaks: TracedLeak[] = [];
  readonly #findings = new Map<
    TraceFindingCode,
    { -readonly [K in keyof FindingSummary]: FindingSummary[K] }
  >();
  #bytes = 0;
  #untranslated = 0;
  #leakCount = 0;
  #leakBytes = 0;
  #bounced = 0;
  #bouncedBytes = 0;

  mapping({ kind, rules, dmaAddr, piecePhys, pieceBytes, bytes }: TracedMapping): void {
    this.#mappings[kind] += 1;
    if (dmaAddr === piecePhys[0]) this.#untranslated += 1;
    this.#bytes += bytes;
    this.#sizes.add(piecePhys, pieceBytes);
    for (let at = 0; at < rules.length; at += 1) count(this.#inferred, rules[at] as string);
  }

  refuse(reason: ReplayRefusal): void {
    count(this.#refused, reason);
  }

  bounce(bytes: number): void {
    this.#bounced += 1;
    this.#bouncedBytes += bytes;
  }

  finding(finding: TraceFinding): void {
    if (finding.code === 'live-at-end' && finding.mapping !== null) this.#leak(finding.mapping);
    const certain = finding.confidence === 'certain' ? 1 : 0;
    const { line: firstLine, text: firstText } = finding;
    this.#addFinding(finding.code, { count: 1, certain, firstLine, firstText });
  }

  /** Takes in what another tally counted; the same findings must not be in both. */
  addAll(other: TracedTally): void {
    for (const kind of Object.keys(other.#mappings) as TracedMapping['kind'][]) {
      this.#mappings[kind] += other.#mappings[kind];
    }
    for (const [reason, times] of other.#refused) count(this.#refused, reason, times);
    for (const [rule, times] of other.#inferred) count(this.#inferred, rule, times);
    for (const [code, finding] of other.#findings) this.#addFinding(code, finding);
    this.#sizes.addAll(other.#sizes);
    this.#leaks.push(...other.#leaks);
    this.#leaks.sort((one, next) => one.line - next.line).splice(MOST_LEAKS);
    this.#bytes += other.#bytes;
    this.#untranslated += other.#untranslated;
    this.#leakCount += other.#leakCount;
    this.#leakBytes += other.#leakBytes;
    this.#bounced += other.#bounced;
    this.#bouncedBytes += other.#bouncedBytes;
  }

  report(): TracedSide {
    return {
      mappings: { ...this.#mappings },
      bytes: this.#bytes,
      untranslated: this.#untranslated,
      refused: Object.fromEntries(this.#refused),
      inferred: Object.fromEntries(this.#inferred) as Partial<Record<ReconstructionRule, number>>,
      runSizes: this.#sizes.classes(),
      liveAtEnd: { count: this.#leakCount, bytes: this.#leakBytes, first: [...this.#leaks] },
      findings: Object.fromEntries(this.#findings),
      bounced: { count: this.#bounced, bytes: this.#bouncedBytes },
    };
  }

  #addFinding(code: TraceFindingCode, added: FindingSummary): void {
    const known = this.#findings.get(code);
    if (known === undefined) {
      this.#findings.set(code, { ...added });
      return;
    }
    known.count += added.count;
    known.certain += added.certain;
    if (added.firstLine >= known.firstLine) return;
    known.firstLine = added.firstLine;
    known.firstText = added.firstText;
  }

  #leak({ device, kind, mappedLine: line, mappedTask: task, dmaAddr, bytes }: TracedMapping): void {
    this.#leakCount += 1;
    this.#leakBytes += bytes;
    if (this.#leaks.length < MOST_LEAKS) this.#leaks.push({ device, kind, line, task, dmaAddr, bytes });
  }
}

function count<K>(counts: Map<K, number>, key: K, times = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + times);
}
