// Reveal: facts that a dump hides, how to get them, and what each answer would make possible.
// Source followed: what lspci needs to show extended capabilities (root, and all 4096 bytes of configuration space).
// Simplified: answers are tried one fact at a time, with the others still hidden.

import { ACS } from '@sgfree/hw-model';
import type { AcsControl, DumpedFunction } from '@sgfree/topology';
import { calcMapTypeAndDist, type MissingFact, type P2pdmaMapType } from '../calc-map-type.ts';
import { dumpRouteView } from '../dump-route-view.ts';
import { HostRules } from '../host-rules.ts';
import { knownKernels } from '../kernel-version.ts';
import type { HiddenFact, RevealChange } from './advice.ts';
import { firstZen } from './other-host-rules.ts';
import type { PairCase } from './pair-case.ts';

const HOW: Readonly<Record<MissingFact<DumpedFunction>['kind'], string>> = {
  'acs-control': 'run `lspci -vvv` or `lspci -xxxx` as root: without root, extended capabilities are hidden',
  'upstream-bridge': 'dump the whole machine, bridges included, as root: `lspci -vvv -nn` without -s or -d',
  'host-bridge':
    'dump the whole machine with numbers, the first function of every root bus included: `lspci -vvv -nn`',
  cpu: 'see vendor_id and cpu family in /proc/cpuinfo',
  'kernel-version': 'see `uname -r`; the host-bridge list is known of the versions named here',
};

type Outcomes = HiddenFact['outcomes'];

/** The facts that the verdict waits for. @internal */
export function reveal(pair: PairCase): RevealChange[] {
  const { missing } = pair.today;
  if (missing.length === 0) return [];
  const facts = missing.map((fact) => ({ fact, outcomes: outcomesOf(pair, fact), how: HOW[fact.kind] }));
  return [{ kind: 'reveal', facts }];
}

function outcomesOf(pair: PairCase, fact: MissingFact<DumpedFunction>): Outcomes {
  const { kernel, cpu } = pair.state.rules;
  switch (fact.kind) {
    case 'acs-control':
      return [
        { answer: 'redirects nothing', possible: withControl(pair, fact.of, 0) },
        { answer: 'redirects', possible: withControl(pair, fact.of, ACS.requestRedirect) },
      ];
    case 'cpu':
      return [
        { answer: 'AMD family 17h or newer', possible: underRules(pair, new HostRules(kernel, firstZen)) },
        {
          answer: 'another CPU',
          possible: underRules(pair, new HostRules(kernel, { vendor: '', family: 0 })),
        },
      ];
    case 'kernel-version':
      return knownKernels.map((known) => ({
        answer: known,
        possible: underRules(pair, new HostRules(known, cpu)),
      }));
    case 'upstream-bridge':
    case 'host-bridge':
      return [];
  }
}

const underRules = ({ view, provider, client }: PairCase, rules: HostRules): readonly P2pdmaMapType[] =>
  calcMapTypeAndDist(view, provider, client, rules).possible;

function withControl(pair: PairCase, fn: DumpedFunction, value: number): readonly P2pdmaMapType[] {
  const { state, provider, client } = pair;
  const controls = new Map<DumpedFunction, AcsControl>(state.controls ?? []);
  controls.set(fn, { value, unknownBits: 0 });
  const view = dumpRouteView(state.dump, controls);
  return calcMapTypeAndDist(view, provider, client, state.rules).possible;
}
