// A variant of a comparison in words: where the other device is, and whether an IOMMU translates.
// Source followed: none.
// Simplified: none.

import type { PeerVariant } from './compare-peers.ts';

const PLACE_TEXT = { switch: 'below the same switch', 'host-bridge': 'below another root port' };

/** `who`: the other device, as the part calls it. */
export const variantText = (who: 'device' | 'peer', { peer, iommu }: PeerVariant): string =>
  `${who} ${PLACE_TEXT[peer]}, IOMMU ${iommu ? 'on' : 'off'}`;
