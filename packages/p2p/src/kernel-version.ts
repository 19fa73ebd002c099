// KernelVersion: which kernels the host-bridge list is known of, and which known kernel a version string means.
// Source followed: the four trees the list was read from; a distribution's suffix (`-2`, `-rc1`) names no other list.
// A version between two known ones is not guessed at: backports have changed the list within a stable series.
// Simplified: three numbers decide.

/**
 * Kernels whose host-bridge list is known, oldest first.
 * @public
 */
export const knownKernels = ['6.1.192', '6.12.117', '7.2.13', '7.3.4'] as const;

/**
 * A kernel whose host-bridge list is known.
 * @public
 */
export type KnownKernel = (typeof knownKernels)[number];

/**
 * The known kernel that `version` names, e.g. `6.12.117-1~deb12u1`; null for any other.
 * @public
 */
export function knownKernel(version: string): KnownKernel | null {
  const numbers = /^\d+\.\d+\.\d+(?![.\d])/.exec(version)?.[0];
  return knownKernels.find((known) => known === numbers) ?? null;
}

/**
 * True when `version` is not older than the oldest and not newer than the newest known kernel: what is the same in all
 * known kernels holds for it.
 * @internal
 */
export function liesBetweenKnown(version: string): boolean {
  const [major, minor, patch] = (/^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? []).slice(1);
  if (major === undefined || minor === undefined) return false;
  const rank = rankOf(Number(major), Number(minor), Number(patch ?? 0));
  const ranks = knownKernels.map((known) => {
    const [first = 0, second = 0, third = 0] = known.split('.').map(Number);
    return rankOf(first, second, third);
  });
  return rank >= Math.min(...ranks) && rank <= Math.max(...ranks);
}

const rankOf = (major: number, minor: number, patch: number): number =>
  (major * 1000 + minor) * 10000 + patch;
