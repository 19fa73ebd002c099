// KernelChoice: the kernel whose rules are asked for, from what a person types.
// Source followed: the four kernels the host-bridge list was read from; `6.12` means the known kernel of that series,
// and any other release has no known list: it is not guessed at.
// Simplified: programming of ACS and grouping are taken from the newest known series that is not above the release.

import { acsKernelOf, type KnownKernel, knownKernel, knownKernels } from '@sgfree/p2p';
import type { AcsKernel } from '@sgfree/topology';

/** A kernel, and what is known of it. */
export interface KernelChoice {
  /** As given, or the known kernel that a short form means. */
  readonly version: string;
  /** Null: its host-bridge list is not known. */
  readonly known: KnownKernel | null;
  /** Whose way to program ACS and to form IOMMU groups is taken. */
  readonly acs: AcsKernel;
}

/** The newest kernel whose list is known. */
export const NEWEST_KERNEL: KnownKernel = '7.3.4';

const seriesOf = (version: string): string => version.split('.').slice(0, 2).join('.');

/** The kernel that `text` names; undefined when it is no version. */
export function kernelChoice(text: string): KernelChoice | undefined {
  if (!/^\d{1,3}\.\d{1,3}(?!\d)(?:\.\d{1,5}(?!\d))?[\w.+~-]*$/.test(text)) return undefined;
  const ofSeries = knownKernels.find((known) => seriesOf(known) === text);
  const version = ofSeries ?? text;
  return { version, known: knownKernel(version), acs: acsKernelOf(version) };
}
