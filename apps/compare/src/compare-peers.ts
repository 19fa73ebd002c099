// The second half of `sgfree compare`: the same I/O with its data in a peer's BAR, below the switch and across the host
// bridge, with an IOMMU and without.
// Source followed: the project's main job at stages 2 to 5.
// Simplified: a few I/Os of the first list: four variants at every stage would cost a multiple of the run in RAM.

import {
  comparePeerVerdict,
  ioBytes,
  isRefused,
  type PeerPlace,
  peerTreeSite,
  type StageReport,
  type Verdict,
} from '@sgfree/roadmap';
import type { PeerPlantedFault } from './compare-command.ts';
import type { Progress } from './progress.ts';
import type { RequestList } from './request-list/request-list.ts';
import type { StageChoice } from './stage-choice.ts';

/** Most I/Os that are run, most bytes of all of them, and most pieces of one: so much fits every BAR here. */
const MOST_IOS = 32;
const MOST_BYTES: number = 4 * 2 ** 20;
const MOST_PIECES = 8192;

/** One way the same pair can be connected. */
export interface PeerVariant {
  readonly key: string;
  readonly peer: PeerPlace;
  readonly iommu: boolean;
}

/** A variant, the report of every stage, and what they say. */
export interface PeerComparison {
  readonly variant: PeerVariant;
  readonly reports: readonly StageReport[];
  readonly verdict: Verdict;
}

/** Everything that was run with data in a peer's BAR. */
export interface PeerComparisons {
  /** The list the I/Os are from, and how many of it were run; with none of them there are no comparisons. */
  readonly source: string;
  readonly ios: number;
  readonly iosInList: number;
  readonly bytes: number;
  readonly comparisons: readonly PeerComparison[];
}

/** How to run. */
export interface PeerRunOptions {
  readonly seed: number;
  readonly plant?: PeerPlantedFault;
  readonly stages: StageChoice;
}

/** In the order of the output. */
export const PEER_VARIANTS: readonly PeerVariant[] = [
  { key: 'switch-iommu', peer: 'switch', iommu: true },
  { key: 'switch-direct', peer: 'switch', iommu: false },
  { key: 'host-bridge-iommu', peer: 'host-bridge', iommu: true },
  { key: 'host-bridge-direct', peer: 'host-bridge', iommu: false },
];

/** Runs the first I/Os of `list` in every variant at every stage. */
export function comparePeers(
  list: RequestList,
  { seed, plant, stages }: PeerRunOptions,
  progress: Progress,
): PeerComparisons {
  const { ios, bytes } = firstIos(list);
  const planted = plant === undefined ? {} : { plant };
  const onStorage = plant === undefined || plant === 'phys-vec-leaks' ? {} : { plant };
  const variants = ios.length === 0 ? [] : PEER_VARIANTS;
  const comparisons = variants.map((variant): PeerComparison => {
    const { peer, iommu, key } = variant;
    const common = ({ stage }: { readonly stage: number }) => ({
      ios,
      seed,
      iommu,
      onIo: (done: number) => progress.step(`peer ${key}: stage ${stage}`, done, ios.length),
    });
    const site = peerTreeSite({ peer });
    const reports = [
      ...stages.storage.map((stage) => stage.runPeer({ ...common(stage), ...onStorage, site })),
      ...stages.exporting.map((stage) => stage.runExported({ ...common(stage), ...planted, peer })),
    ];
    return { variant, reports, verdict: comparePeerVerdict(...reports) };
  });
  return { source: list.source, ios: ios.length, iosInList: list.ios.length, bytes, comparisons };
}

/** The first I/Os of a list that are run in a peer's BAR: those small enough that the block layer takes page by page. */
export function firstIos({ ios }: RequestList): {
  readonly ios: RequestList['ios'][number][];
  readonly bytes: number;
} {
  const taken: RequestList['ios'][number][] = [];
  let bytes = 0;
  for (const io of ios) {
    const more = ioBytes(io);
    if (more > MOST_BYTES || io.iovecs.flat().length > MOST_PIECES || isRefused(io, 'base-pages')) continue;
    if (taken.length === MOST_IOS || bytes + more > MOST_BYTES) break;
    taken.push(io);
    bytes += more;
  }
  return { ios: taken, bytes };
}
