// AcsKernelOf: whose way to program ACS and to form groups a kernel version has.
// Source followed: the four series whose code is known; a version between two of them is taken for the older one.
// Simplified: two numbers decide; what is no version counts as the newest.

import type { AcsKernel } from '@sgfree/topology';

/**
 * The known series that `version` (`6.12.117-1`) belongs to, or the newest that is not above it.
 * @beta
 */
export function acsKernelOf(version: string): AcsKernel {
  const [major, minor] = (/^(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  if (major === undefined || minor === undefined) return '7.3';
  const rank = major * 1000 + minor;
  if (rank >= 7003) return '7.3';
  if (rank >= 7002) return '7.2';
  return rank >= 6012 ? '6.12' : '6.1';
}
