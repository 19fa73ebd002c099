// The mapping type of tables: what every buffer and every importer that knows nothing of mapping types speak. Agreeing on
// it needs no scatterlist; what a table is stays open here, and what handles one is behind the `sgt` entry.
// Source followed: the RFC's SGT type, "DMA Mapped Scatter Gather Table".
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import type { PciDev } from '@sgfree/p2p';
import { type DmaBuf, mapperOf } from '../buffer/dma-buf.ts';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { DmaBufOps } from '../buffer/dma-buf-ops.ts';
import { deviceMappingType } from './device-mapping-type.ts';
import { mapTypeOf } from './mapping-attachment.ts';
import type { DmaBufMappingType } from './mapping-match.ts';
import { type DmaDeviceMatch, exportingFields, importingFields } from './p2p-requirement.ts';

/**
 * The mapping type of tables of DMA segments.
 * @kernel dma_buf_mapping_sgt_type
 * @alpha
 */
export const dmaBufMappingSgtType: DmaBufMappingType<DmaDeviceMatch> = deviceMappingType(
  'DMA Mapped Scatter Gather Table',
);

/** What an exporter does for tables that are `Table`s. @internal */
export type TableExpOps<Table> = Pick<DmaBufOps<Table>, 'mapDmaBuf' | 'unmapDmaBuf'>;

/** An exporter's offer; `peer` = the device that the importer must reach. @internal */
export const tableExporterMatch = <T>(ops: TableExpOps<T>, peer: PciDev | null): DmaDeviceMatch => ({
  type: dmaBufMappingSgtType,
  ...exportingFields(ops, peer),
});

/** An importer's offer. @internal */
export const tableImporterMatch = (dev: Device, acceptsP2p: boolean): DmaDeviceMatch => ({
  type: dmaBufMappingSgtType,
  ...importingFields(dev, acceptsP2p),
});

/** The offer of an exporter that knows nothing of mapping types: tables, for any importer. @internal */
export const compatMatch = (dmabuf: DmaBuf<unknown>): DmaDeviceMatch =>
  tableExporterMatch<unknown>(
    {
      mapDmaBuf: (attach, dir) => mapperOf(dmabuf).mapDmaBuf(attach, dir),
      unmapDmaBuf: (attach, table, dir) => mapperOf(dmabuf).unmapDmaBuf(attach, table, dir),
    },
    null,
  );

/** The offer that an attachment agreed on, when it is one of tables. @internal */
export function tableMatchOf<T>(attach: DmaBufAttachment<T>): DmaDeviceMatch | null {
  const matched = mapTypeOf(attach);
  return matched?.type === dmaBufMappingSgtType ? (matched as DmaDeviceMatch) : null;
}

/** The operations behind it. @internal */
export const tableOpsOf = <T>(attach: DmaBufAttachment<T>): TableExpOps<T> | null =>
  (tableMatchOf(attach)?.expOps ?? null) as TableExpOps<T> | null;
