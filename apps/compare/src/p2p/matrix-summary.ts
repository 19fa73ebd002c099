// MatrixSummary: all pairs of the selected devices, counted by verdict, by what decided, and by what is not known.
// Source followed: drivers/pci/p2pdma.c as modelled in the package p2p; a port decides a pair when it redirects on its way.
// Simplified: a pair is counted once for both directions, since the verdict is the same.

import { ACS_REDIRECT_MASK } from '@sgfree/p2p';
import type { DumpedFunction } from '@sgfree/topology';
import { idsText } from './device-words.ts';
import type { P2pAnswer } from './p2p-answer.ts';
import type { Judge, PairVerdict } from './p2p-case.ts';
import { missingFacts, VERDICT_CODES, type VerdictCode, verdictCode } from './verdict-words.ts';

/** A function whose redirecting bits decide. */
export interface DecidingFunction {
  readonly fn: DumpedFunction;
  /** Bits 6:0 of its control register. */
  readonly control: number;
  /** Pairs on whose way it lies. */
  readonly pairs: number;
}

/** A rule of the kernel, or that only the CPU is missing: the allow list is known to refuse. */
export type DecidingRule = PairVerdict['route']['rule'] | 'cpu-or-not-listed';

/** Pairs that a rule decided, and the ids of the host bridges that the allow list was asked about. */
export interface RuleCount {
  pairs: number;
  readonly hosts: Set<string>;
}

/** The pairs of a matrix, counted. */
export interface MatrixSummary {
  readonly pairs: readonly PairVerdict[];
  readonly counts: ReadonlyMap<VerdictCode, number>;
  /** Pairs by what decided. */
  readonly rules: ReadonlyMap<DecidingRule, RuleCount>;
  /** Every function that redirects, those that decide most first. */
  readonly redirecting: readonly DecidingFunction[];
  /** Functions with ACS bits set of which none redirects. */
  readonly harmless: number;
  /** What is not known, and how many pairs rest on it. */
  readonly open: ReadonlyMap<string, number>;
}

/** Judges and counts all pairs of the devices asked for. */
export function summarised(
  { asked, question: { devices }, progress }: P2pAnswer,
  judge: Judge,
): MatrixSummary {
  const pairs = judge.allPairs(
    devices.map(({ fn }) => fn),
    (done) => progress.step('devices judged', done, devices.length),
  );
  const counts: Map<VerdictCode, number> = new Map(VERDICT_CODES.map((code) => [code, 0]));
  const rules: Map<DecidingRule, RuleCount> = new Map();
  const deciding: Map<DumpedFunction, number> = new Map();
  const open: Map<string, number> = new Map();
  for (const pair of pairs) {
    const code = verdictCode(pair);
    count(counts, code);
    countRule(rules, code === 'Z' ? 'cpu-or-not-listed' : pair.route.rule, pair, judge);
    for (const fn of pair.route.redirecting) count(deciding, fn);
    for (const fact of missingFacts(asked, pair)) count(open, fact);
  }
  return { pairs, counts, rules, open, ...registers(asked.dump.functions, judge, deciding) };
}

function countRule(
  rules: Map<DecidingRule, RuleCount>,
  rule: DecidingRule,
  { provider, client }: PairVerdict,
  { view }: Judge,
): void {
  const so: RuleCount = rules.get(rule) ?? { pairs: 0, hosts: new Set() };
  rules.set(rule, so);
  so.pairs += 1;
  if (rule === 'common-port' || rule === 'cpu') return;
  for (const fn of [provider, client]) {
    const root = view.rootDevice(fn);
    if (typeof root === 'object' && root !== null) so.hosts.add(idsText(root));
  }
}

function registers(
  functions: readonly DumpedFunction[],
  { view }: Judge,
  deciding: ReadonlyMap<DumpedFunction, number>,
): Pick<MatrixSummary, 'redirecting' | 'harmless'> {
  const redirecting: DecidingFunction[] = [];
  let harmless = 0;
  for (const fn of functions) {
    const control = view.acsControl(fn);
    if (typeof control !== 'number' || control === 0) continue;
    if ((control & ACS_REDIRECT_MASK) === 0) harmless += 1;
    else redirecting.push({ fn, control, pairs: deciding.get(fn) ?? 0 });
  }
  redirecting.sort((one, other) => other.pairs - one.pairs);
  return { redirecting, harmless };
}

const count = <K>(counts: Map<K, number>, key: K): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};
