// The peer-to-peer condition of mapping types that end in DMA addresses: an exporter may require that the importer's device
// reaches the exporting one, and an importer may take a peer's memory or not.
// Source followed: the RFC's SGT type (enum dma_sgt_requires_p2p and its match callback).
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import { Errno, warnViolation } from '@sgfree/mm';
import { type PciDev, pciP2pdmaDistance } from '@sgfree/p2p';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import type { DmaBufMappingMatch } from './mapping-match.ts';

/**
 * What one side says of peer-to-peer: the second word is an exporter's, the third an importer's.
 * @kernel enum dma_sgt_requires_p2p
 * @alpha
 */
export type DmaSgtRequiresP2p = 'no-p2p' | 'exporter-requires-p2p-distance' | 'importer-accepts-p2p';

/**
 * An offer of a kind of mapping that is made for one DMA device. Each side fills its own fields.
 * @alpha
 */
export interface DmaDeviceMatch extends DmaBufMappingMatch {
  readonly importingDmaDevice: Device | null;
  /** Opaque to importers. */
  readonly exportingP2pDevice: PciDev | null;
  readonly importerAcceptsP2p: DmaSgtRequiresP2p;
  readonly exporterRequiresP2p: DmaSgtRequiresP2p;
}

/** The importer's fields of an offer. @internal */
export const importingFields = (dev: Device, acceptsP2p: boolean): Omit<DmaDeviceMatch, 'type'> => ({
  expOps: null,
  importingDmaDevice: dev,
  exportingP2pDevice: null,
  importerAcceptsP2p: acceptsP2p ? 'importer-accepts-p2p' : 'no-p2p',
  exporterRequiresP2p: 'no-p2p',
});

/** The device that an importer's offer is made for; null for an offer of another kind. @internal */
export function importingDeviceOf(offer: DmaBufMappingMatch): Device | null {
  const { importingDmaDevice = null }: Partial<DmaDeviceMatch> = offer;
  return importingDmaDevice;
}

/** The exporter's fields of an offer; `peer` null = any importer will do. @internal */
export const exportingFields = (expOps: object, peer: PciDev | null): Omit<DmaDeviceMatch, 'type'> => ({
  expOps,
  importingDmaDevice: null,
  exportingP2pDevice: peer,
  importerAcceptsP2p: 'no-p2p',
  exporterRequiresP2p: peer === null ? 'no-p2p' : 'exporter-requires-p2p-distance',
});

/**
 * 0, or -EOPNOTSUPP when the exporter requires peer-to-peer and the importer does not take it or has no way there. An
 * exporter that requires it and names no device is a violation `dma-buf-p2p-no-exporter`.
 * @internal
 */
export function matchP2p(dmabuf: DmaBuf<unknown>, exp: DmaDeviceMatch, imp: DmaDeviceMatch): number {
  if (exp.exporterRequiresP2p !== 'exporter-requires-p2p-distance') return 0;
  const [peer, dev] = [exp.exportingP2pDevice, imp.importingDmaDevice];
  if (peer === null) {
    warnViolation(dmabuf.platform.log, 'dma-buf-p2p-no-exporter', { buffer: dmabuf.expName });
    return -Errno.EOPNOTSUPP;
  }
  if (dev === null || imp.importerAcceptsP2p !== 'importer-accepts-p2p') return -Errno.EOPNOTSUPP;
  return pciP2pdmaDistance(peer, dev, true) < 0 ? -Errno.EOPNOTSUPP : 0;
}

/** What both sides agreed on: the importer's device, the exporter's operations, both words. @internal */
export const agreedOn = (exp: DmaDeviceMatch, imp: DmaDeviceMatch): DmaDeviceMatch => ({
  type: exp.type,
  expOps: exp.expOps,
  importingDmaDevice: imp.importingDmaDevice,
  exportingP2pDevice: null,
  importerAcceptsP2p: imp.importerAcceptsP2p,
  exporterRequiresP2p: exp.exporterRequiresP2p,
});

/** One line about such an attachment. @internal */
export const dumpDeviceMatch = (matched: DmaDeviceMatch): string =>
  `${matched.importingDmaDevice?.name ?? 'no device'}, ${matched.exporterRequiresP2p}, ${matched.importerAcceptsP2p}`;
