// The comparison on a real machine: every stage between two of its functions, with an IOMMU and without.
// Source followed: the project's main job at stage 2.
// Simplified: the first I/Os of the first list, as in the comparison on the model's own machine.

import {
  comparePeerVerdict,
  overallVerdict,
  PeerSiteError,
  type RunnableStage,
  type StageReport,
  type Verdict,
} from '@sgfree/roadmap';
import { firstIos } from '../compare-peers.ts';
import type { Progress } from '../progress.ts';
import { InputError } from '../request-list/input-error.ts';
import type { RequestList } from '../request-list/request-list.ts';
import type { MachinePair } from './machine-pair.ts';
import { type MachineSite, machineSite } from './machine-site.ts';

/** One setting of the IOMMU, the report of every stage, and what they say. */
export interface MachineVariant {
  readonly iommu: boolean;
  readonly reports: readonly StageReport[];
  readonly verdict: Verdict;
}

/** Everything that was run. */
export interface MachineComparison {
  readonly pair: MachinePair;
  readonly site: MachineSite;
  /** The list the I/Os are from, and how many of it were run. */
  readonly source: string;
  readonly ios: number;
  readonly iosInList: number;
  readonly bytes: number;
  readonly variants: readonly MachineVariant[];
  readonly verdict: Verdict;
}

/** How to run. */
export interface MachineRunOptions {
  readonly seed: number;
  /** Stages with a storage driver: no other has the place of a real machine's function to stand in. */
  readonly stages: readonly RunnableStage[];
  readonly plant?: 'forced-bus-address';
}

/** Runs the first I/Os of `list` at every stage. Throws `InputError` for a pair that cannot be run. */
export function runMachine(
  pair: MachinePair,
  list: RequestList,
  { stages, ...options }: MachineRunOptions,
  progress: Progress,
): MachineComparison {
  const site = machineSite(pair);
  const { ios, bytes } = firstIos(list);
  const variants = [true, false].map((iommu): MachineVariant => {
    const reports = stages.map((stage) => {
      const what = `${pair.initiator.name} to ${pair.target.name}, IOMMU ${iommu ? 'on' : 'off'}: stage ${stage.stage}`;
      const onIo = (done: number): void => progress.step(what, done, ios.length);
      return orRefused(pair, () => stage.runPeer({ ...options, ios, iommu, site: site.build, onIo }));
    });
    return { iommu, reports, verdict: comparePeerVerdict(...reports) };
  });
  const verdict = overallVerdict(variants.map((variant) => variant.verdict));
  return {
    pair,
    site,
    source: list.source,
    ios: ios.length,
    iosInList: list.ios.length,
    bytes,
    variants,
    verdict,
  };
}

/** What the kernel refuses to offer, or is too small for any of the I/O, is the fault of what was asked for. */
function orRefused({ source }: MachinePair, run: () => StageReport): StageReport {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof PeerSiteError)) throw error;
    throw new InputError(source, 0, error.message, 'a BAR of whole pages with room for the I/O');
  }
}
