// Payloads of the `iommu` and `intel_iommu` events: what stands behind the event's name.
// Source followed: include/trace/events/iommu.h and drivers/iommu/intel/trace.h, print formats of 7.3.4.
// A range of `map` and `unmap` prints with its end exclusive, that of a flush with its last byte; `unmap` ends where
// it was asked to.
// Simplified: no prq_report and no detach, which the model never has.

import { ofShape, type PayloadPrinter } from './payload-printer.ts';
import {
  addToSplit,
  decimalOf,
  hexOf,
  hexOfSplit,
  hexOfWords,
  paddedHexOf,
  type SplitAddress,
  splitOf,
} from './printed-number.ts';

/** First IOVA: one number, or frame and offset when it has more than 52 bits. */
interface OfIova {
  readonly iova?: number;
  readonly iovaFrame?: number;
  readonly iovaOffset?: number;
  readonly size: number;
}

interface DeviceOfGroup {
  readonly group: number;
  readonly device: string;
}

interface PageFault {
  readonly driver: string;
  readonly device: string;
  readonly iova: number;
  readonly flags: number;
}

interface QiSubmit {
  readonly type: string;
  readonly unit: string;
  /** Low and high 32 bits of qw0, qw1, qw2, qw3. */
  readonly words: readonly number[];
}

interface CacheTagOf {
  readonly unit: string;
  readonly device: string;
  readonly pasid: number;
  readonly type: string;
  readonly domainId: number;
}

interface CacheTagUse extends CacheTagOf {
  readonly users: number;
}

interface CacheTagFlush extends CacheTagOf {
  readonly startFrame: number;
  readonly startOffset: number;
  readonly endFrame: number;
  readonly endOffset: number;
  readonly blockFrame: number;
  readonly order: number;
}

const padded = (address: SplitAddress): string => `0x${hexOfSplit(address).padStart(16, '0')}`;

function iovaRange(event: OfIova): string {
  const first =
    event.iova === undefined
      ? { frame: event.iovaFrame ?? 0, offset: event.iovaOffset ?? 0 }
      : splitOf(event.iova);
  return `IOMMU: iova=${padded(first)} - ${padded(addToSplit(first, event.size))}`;
}

const groupLine = ({ group, device }: DeviceOfGroup): string => `IOMMU: groupID=${group} device=${device}`;

const deviceLine = ({ device }: { readonly device: string }): string => `IOMMU: device=${device}`;

const qiSubmit = ({ type, unit, words }: QiSubmit): string =>
  `${type} ${unit}: ${[0, 2, 4, 6].map((at) => `0x${hexOfWords(words, at)}`).join(' ')}`;

function cacheTagFlush(event: CacheTagFlush): string {
  const start = hexOfSplit({ frame: event.startFrame, offset: event.startOffset });
  const last = hexOfSplit({ frame: event.endFrame, offset: event.endOffset });
  const block = hexOfSplit({ frame: event.blockFrame, offset: 0 });
  const tag = `${event.unit} ${event.device}[${event.pasid}] type ${event.type} did ${event.domainId}`;
  return `${tag} [0x${start}-0x${last}] addr 0x${block} mask 0x${event.order.toString(16)}`;
}

const cacheTagUse = ({ unit, device, type, domainId, pasid, users }: CacheTagUse): string =>
  `${unit}/${device} type ${type} did ${domainId} pasid ${pasid} ref ${users}`;

/** The printers by event kind. @internal */
export const iommuPayloads: Readonly<Record<string, PayloadPrinter>> = {
  'iommu:map': ofShape<OfIova & { readonly paddr: number }>(
    (event) => `${iovaRange(event)} paddr=0x${paddedHexOf(event.paddr)} size=${decimalOf(event.size)}`,
  ),
  'iommu:unmap': ofShape<OfIova & { readonly unmappedSize: number }>(
    (event) =>
      `${iovaRange(event)} size=${decimalOf(event.size)} unmapped_size=${decimalOf(event.unmappedSize)}`,
  ),
  'iommu:add_device_to_group': ofShape(groupLine),
  'iommu:remove_device_from_group': ofShape(groupLine),
  'iommu:attach_device_to_domain': ofShape(deviceLine),
  'iommu:io_page_fault': ofShape<PageFault>(
    ({ driver, device, iova, flags }) =>
      `IOMMU:${driver} ${device} iova=0x${paddedHexOf(iova)} flags=0x${hexOf(flags).padStart(4, '0')}`,
  ),
  'intel_iommu:qi_submit': ofShape(qiSubmit),
  'intel_iommu:cache_tag_flush_range': ofShape(cacheTagFlush),
  'intel_iommu:cache_tag_flush_range_np': ofShape(cacheTagFlush),
  'intel_iommu:cache_tag_assign': ofShape(cacheTagUse),
  'intel_iommu:cache_tag_unassign': ofShape(cacheTagUse),
};
