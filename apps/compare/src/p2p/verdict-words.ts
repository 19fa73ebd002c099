// VerdictWords: a verdict as a code in a matrix cell, as words, and as a sentence about what decided.
// Source followed: drivers/pci/p2pdma.c; enum pci_p2pdma_map_type.
// Simplified: none.

import { hostBridgeRowOf, type MissingFact } from '@sgfree/p2p';
import { type DumpedFunction, hostBridgeOf } from '@sgfree/topology';
import { idsText } from './device-words.ts';
import type { Answer, Judge, P2pCase, PairVerdict } from './p2p-case.ts';

/** `Z`: through the host bridge on AMD Zen, not supported on any other CPU. */
export type VerdictCode = 'B' | 'H' | 'Z' | 'N' | '?';

/** All codes, best first. */
export const VERDICT_CODES: readonly VerdictCode[] = ['B', 'H', 'Z', 'N', '?'];

const CODE: Readonly<Record<Answer, VerdictCode>> = {
  'bus-addr': 'B',
  'thru-host-bridge': 'H',
  'not-supported': 'N',
  unknown: '?',
};

const WORDS: Readonly<Record<VerdictCode, string>> = {
  B: 'bus address',
  H: 'through host bridge',
  Z: 'through host bridge on AMD Zen, else not supported',
  N: 'not supported',
  '?': 'unknown',
};

/** The code of a verdict. */
export function verdictCode({ route, byCpu }: PairVerdict): VerdictCode {
  const decidedByCpu = byCpu?.zen === 'thru-host-bridge' && byCpu.other === 'not-supported';
  return decidedByCpu ? 'Z' : CODE[route.mapType];
}

/** What a code means. */
export const codeWords = (code: VerdictCode): string => WORDS[code];

/** What an answer means. */
export const answerWords = (answer: Answer): string => WORDS[CODE[answer]];

/** The distance, `?` where it is not known. */
export const distanceText = ({ route }: PairVerdict): string =>
  route.distance === 'unknown' ? '?' : String(route.distance);

/** The first function of the root bus above `fn`, by which the kernel knows the host bridge: `pci0000:00 (8086:2030)`. */
export function hostBridgeWords({ dump }: P2pCase, judge: Judge, fn: DumpedFunction): string {
  const host = hostBridgeOf(dump, fn);
  const root = judge.view.rootDevice(fn);
  const name = host === 'unknown' ? 'a host bridge that is not shown' : host.name;
  if (root === 'unknown') return `${name} (first function not shown)`;
  return root === null ? `${name} (no function on its root bus)` : `${name} (${idsText(root)})`;
}

/** Both host bridges, or the one they share. */
export function bothHosts(asked: P2pCase, judge: Judge, { provider, client }: PairVerdict): string {
  const [one, other] = [provider, client].map((fn) => hostBridgeWords(asked, judge, fn));
  return judge.view.sameHost(provider, client) === true ? `${one}` : `${other} and ${one}`;
}

/** Which rule decided, as a sentence. */
export function ruleWords(asked: P2pCase, judge: Judge, pair: PairVerdict): string {
  if (verdictCode(pair) === 'Z') {
    return `the CPU decides: on AMD Zen through host bridge by the CPU rule; on any other not supported, since ${refusalWords(asked, judge, pair)}`;
  }
  switch (pair.route.rule) {
    case 'common-port':
      return 'switch-local: no redirecting ACS bit (RR, CR, EC) on the way, so the common port turns requests around';
    case 'cpu':
      return 'CPU rule: on an AMD CPU of family 17h (Zen) or newer every path through host bridges is allowed';
    case 'host-bridge-listed':
      return `allow list: Linux ${asked.kernel.version} lists ${bothHosts(asked, judge, pair)}`;
    case 'host-bridge-not-listed':
      return `allow list: ${refusalWords(asked, judge, pair)}, and the CPU is not AMD Zen`;
    case 'unknown':
      return unknownWords(asked, pair);
  }
}

/** Why the allow list refuses: a host bridge that is not on it, or two where it wants one. */
function refusalWords(asked: P2pCase, judge: Judge, pair: PairVerdict): string {
  const { view, rules } = judge;
  const kernel = `Linux ${asked.kernel.version}`;
  const unlisted = [pair.client, pair.provider].filter((fn) => {
    const root = view.rootDevice(fn);
    return root !== 'unknown' && rules.list !== 'unknown' && hostBridgeRowOf(root, rules.list) === null;
  });
  const names = new Set(unlisted.map((fn) => hostBridgeWords(asked, judge, fn)));
  if (names.size > 0) return `${kernel} does not list ${[...names].join(' and ')}`;
  return `${kernel} does not allow two different host bridges of this kind: ${bothHosts(asked, judge, pair)}`;
}

function unknownWords(asked: P2pCase, pair: PairVerdict): string {
  const { route, byCpu } = pair;
  const possible = `possible: ${route.possible.map(answerWords).join(', ')}`;
  const facts = `not known: ${missingWords(asked, pair)}`;
  if (byCpu === null) return `${possible}; ${facts}`;
  return `on AMD Zen: ${answerWords(byCpu.zen)}; on any other CPU: ${answerWords(byCpu.other)}; ${facts}`;
}

/** What would have to be known, one phrase for each fact. */
export const missingWords = (asked: P2pCase, pair: PairVerdict): string =>
  missingFacts(asked, pair).join(', ');

/** The facts a verdict waits for, each once. */
export function missingFacts(asked: P2pCase, { route }: PairVerdict): string[] {
  return [...new Set(route.missing.map((fact) => missingFact(asked, fact)))];
}

function hostFact({ dump }: P2pCase, fn: DumpedFunction): string {
  const host = hostBridgeOf(dump, fn);
  return host === 'unknown'
    ? `which host bridge is above ${fn.name}`
    : `the first function below ${host.name}`;
}

function missingFact(asked: P2pCase, fact: MissingFact<DumpedFunction>): string {
  switch (fact.kind) {
    case 'cpu':
      return 'the CPU (--cpu)';
    case 'kernel-version':
      return `the host-bridge list of Linux ${asked.kernel.version}`;
    case 'host-bridge':
      return hostFact(asked, fact.of);
    case 'acs-control':
      return `the ACS control of ${fact.of.name}`;
    case 'upstream-bridge':
      return `the bridge above ${fact.of.name}`;
  }
}
