// A kind of mapping that is made for one DMA device: tables and range lists differ in what they hand out, not in how they
// are agreed on.
// Source followed: the RFC's SGT type (match and finish_match).
// Simplified: none.

import type { DmaBufMappingType } from './mapping-match.ts';
import { agreedOn, type DmaDeviceMatch, dumpDeviceMatch, matchP2p } from './p2p-requirement.ts';

/** A kind named `name` with the peer-to-peer condition. @internal */
export const deviceMappingType = (name: string): DmaBufMappingType<DmaDeviceMatch> => ({
  name,
  match: matchP2p,
  finishMatch: ({ attach }, exp, imp) => {
    attach.mapType = agreedOn(exp, imp);
    // Exporters that were not converted still look at these two.
    attach.dev = imp.importingDmaDevice;
    attach.peer2peer = imp.importerAcceptsP2p === 'importer-accepts-p2p';
  },
  debugfsDump: dumpDeviceMatch,
});
