// Tables for an importer that would rather have something else: what it lists last, and how it then reads them.
// Source followed: our own; the importer sees addresses and lengths only.
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import type { DmaBufMappingMatch } from '../mapping-type/mapping-match.ts';
import { sgtImporterMatch } from './sgt-mapping-type.ts';
import { type SgtRangeSource, sgtRangeSource } from './sgt-ranges.ts';

/**
 * A source of ranges that can be offered: see {@link sgtFallback}.
 * @alpha
 */
export interface SgtFallback extends SgtRangeSource {
  /** The importer's offer. */
  offer(dev: Device, acceptsP2p: boolean): DmaBufMappingMatch;
}

/**
 * Whoever wires an importer to exporters that still have nothing but tables gives it this.
 * @alpha
 */
export const sgtFallback: SgtFallback = { ...sgtRangeSource, offer: sgtImporterMatch };
