// ChangeJson: advice and what-ifs as parts of the JSON document.
// Source followed: the project's command-line conventions: registers as hex strings, devices by address, null = unknown.
// Simplified: groups are lists of addresses; only those that merge or fall apart are listed.

import { hex } from '@sgfree/hw-model';
import type { AcsLoss, AcsTarget, Advice, AdvisedChange, GroupsComparison, WhatIfRemark } from '@sgfree/p2p';
import type { AcsControl, DerivedGroup, DumpedFunction } from '@sgfree/topology';
import type { Judge, P2pCase, PairVerdict } from './p2p-case.ts';
import { known, pairEntry, routeEntry } from './p2p-json.ts';
import type { WhatIfState } from './what-if-state.ts';
import { isChanged } from './what-if-text.ts';

/** A change, the pairs whose verdict it changes, and the groups. */
export function whatIfEntry(
  asked: P2pCase,
  { texts, result, judge, groups }: WhatIfState,
  pairs: readonly PairVerdict[],
  before: Judge,
): unknown {
  const after = pairs.map(({ provider, client }) => judge.pair(provider, client));
  const changed = after.filter((pair, position) => isChanged(pairs[position] as PairVerdict, pair));
  return {
    changes: texts,
    registers: result.changes.map(({ fn, before: old, after: now, entry }) => ({
      address: fn.name,
      entry,
      before: registerEntry(old),
      after: registerEntry(now),
    })),
    losses: result.losses.map(lossEntry),
    mistakes: result.mistakes,
    remarks: result.remarks.map(remarkEntry),
    changedPairs: changed.map((pair) => ({
      before: pairEntry(before.pair(pair.provider, pair.client)),
      after: pairEntry(pair),
    })),
    route: after.length === 1 ? routeEntry(asked, judge, after[0] as PairVerdict) : null,
    groups: groupsEntry(groups),
  };
}

const registerEntry = ({ value, unknownBits }: AcsControl): unknown => ({
  value: hex(value),
  unknownBits: hex(unknownBits),
});

const lossEntry = ({ fn, lost, maybeLost }: AcsLoss): unknown => ({
  address: fn.name,
  lost: hex(lost),
  maybeLost: hex(maybeLost),
});

const remarkEntry = ({ code, of, explanation }: WhatIfRemark): unknown => ({
  code,
  of: namesOf(of),
  explanation,
});

const namesOf = (functions: readonly DumpedFunction[]): string[] => functions.map(({ name }) => name);

/** Groups before and after, where they differ. */
function groupsEntry({ merged, split, losesIsolation, undecided, same }: GroupsComparison): unknown {
  return {
    same: known(same),
    merged: merged.map(({ from, after }) => ({ from: from.map(groupEntry), after: groupEntry(after) })),
    split: split.map(({ before, into }) => ({ before: groupEntry(before), into: into.map(groupEntry) })),
    losesIsolation: namesOf(losesIsolation),
    undecided: namesOf(undecided),
  };
}

const groupEntry = ({ number, members, mayAlsoHold }: DerivedGroup): unknown => ({
  number: known(number),
  members: namesOf(members),
  mayAlsoHold: namesOf(mayAlsoHold),
});

/** What would change the verdict on a pair. */
export const adviceEntry = ({ busAddress, changes, remarks }: Advice): unknown => ({
  busAddress,
  changes: changes.map(changeEntry),
  remarks: remarks.map(remarkEntry),
});

function changeEntry(change: AdvisedChange): unknown {
  if (change.kind === 'reveal') {
    return {
      kind: change.kind,
      facts: change.facts.map(({ fact, outcomes, how }) => ({
        fact: fact.kind,
        of: 'of' in fact ? fact.of.name : null,
        how,
        outcomes,
      })),
    };
  }
  return { kind: change.kind, verdict: change.route.mapType, ...changeDetails(change) };
}

function changeDetails(change: Exclude<AdvisedChange, { kind: 'reveal' }>): Record<string, unknown> {
  switch (change.kind) {
    case 'clear-redirect':
      return {
        targets: change.targets.map(targetEntry),
        ways: change.ways.map(({ method, argument, commands, effect, groups }) => ({
          method,
          argument,
          commands,
          losses: effect.losses.map(lossEntry),
          remarks: effect.remarks.map(remarkEntry),
          groups: groupsEntry(groups),
        })),
      };
    case 'kernel-version':
      return { kernels: change.kernels };
    case 'cpu':
      return { cpu: change.cpu };
    case 'move-device':
      return {
        device: change.device.name,
        to: change.to === 'host-bridge' ? null : change.to.name,
        ports: change.ports.map(({ port, free, clear }) => ({
          address: port.name,
          free,
          clear: clear.map(targetEntry),
        })),
      };
  }
}

const targetEntry = ({ fn, bits, certain }: AcsTarget): unknown => ({
  address: fn.name,
  bits: hex(bits),
  certain,
});
