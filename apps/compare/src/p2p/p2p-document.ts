// P2pDocument: the JSON document of `sgfree p2p`, put together from its parts.
// Source followed: the README of this package; every document has the same members, null where there is nothing.
// Simplified: after a change only the pairs that it changes are listed again.

import type { DumpedFunction } from '@sgfree/topology';
import { adviceEntry, whatIfEntry } from './change-json.ts';
import { summarised } from './matrix-summary.ts';
import type { P2pAnswer } from './p2p-answer.ts';
import type { PairVerdict } from './p2p-case.ts';
import { caseEntry, deviceEntry, jsonText, matrixEntry, pairEntry, routeEntry } from './p2p-json.ts';
import { advised } from './pair-report.ts';

/** The document, ready to print. */
export function p2pDocument(answer: P2pAnswer): string {
  const { asked, question } = answer;
  const { pair, one } = question;
  const body =
    pair !== null
      ? pairBody(answer, pair.provider, pair.client)
      : one !== null
        ? rowBody(answer, one)
        : matrixBody(answer);
  const leftOut = question.leftOut.map(({ name }) => name);
  return jsonText({ ...caseEntry(asked), leftOut, ...body });
}

function pairBody(
  answer: P2pAnswer,
  provider: DumpedFunction,
  client: DumpedFunction,
): Record<string, unknown> {
  const { asked, judge, whatIf } = answer;
  const pair = judge.pair(provider, client);
  const devices = provider === client ? [client] : [client, provider];
  return {
    devices: devices.map((fn) => deviceEntry(asked, judge, fn, labelOf(answer, fn))),
    pairs: [pairEntry(pair)],
    summary: null,
    route: routeEntry(asked, judge, pair),
    advice: adviceEntry(advised(answer, pair)),
    whatIf: whatIf === null ? null : whatIfEntry(asked, whatIf, [pair], judge),
  };
}

function rowBody(answer: P2pAnswer, device: DumpedFunction): Record<string, unknown> {
  const { asked, question, judge, whatIf } = answer;
  const others = question.devices.map(({ fn }) => fn).filter((fn) => fn !== device);
  const pairs = others.map((fn) => judge.pair(device, fn));
  return {
    devices: [device, ...others].map((fn) => deviceEntry(asked, judge, fn, labelOf(answer, fn))),
    pairs: pairs.map(pairEntry),
    summary: null,
    route: null,
    advice: null,
    whatIf: whatIf === null ? null : whatIfEntry(asked, whatIf, pairs, judge),
  };
}

function matrixBody(answer: P2pAnswer): Record<string, unknown> {
  const { asked, question, judge, whatIf } = answer;
  const summary = summarised(answer, judge);
  const pairs: readonly PairVerdict[] = summary.pairs;
  return {
    ...matrixEntry(asked, judge, question.devices, summary),
    route: null,
    advice: null,
    whatIf: whatIf === null ? null : whatIfEntry(asked, whatIf, pairs, judge),
  };
}

const labelOf = ({ question }: P2pAnswer, fn: DumpedFunction): string | undefined =>
  question.devices.find((device) => device.fn === fn)?.label;
