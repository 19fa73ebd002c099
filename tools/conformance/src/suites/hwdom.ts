// Suite hwdom: unattached paging domains of real IOMMU drivers, VT-d and AMD, driven through the IOMMU core's calls.
// Field meanings: vectors/kernel/README.md, section hwdom. The header names no format: its page sizes and aperture tell it.
// Only AMD tables offer 8 KiB pages; only a sign-extended space ends in the middle of a table width (first stage).
// Such a domain has no device: the driver of a VT-d unit has nothing to flush for it, and a trace shows maps and unmaps.
// Simplified: none.

import { dmaAddr, EventLog, hex, type PhysAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import {
  IOMMU_READ,
  IOMMU_WRITE,
  iommuDomainFree,
  iommuIovaToPhys,
  iommuMap,
  iommuUnmap,
  PageTable,
  PagingDomain,
} from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import {
  count,
  exactly,
  hexNumber,
  kindWord,
  MalformedValue,
  read,
  tupleOf,
  wideAddress,
} from '../recorded-value.ts';
import type { ComparedAmount, FileContext, JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { isVtd, type RecordedTableShape, recordedTableShape } from './recorded-table-shape.ts';
import { recordedVtdUnit } from './recorded-vtd-unit.ts';
import { type TraceComparison, traceComparison } from './trace-comparison.ts';

const UNMANAGED = 1;
const PAGE = 4096;
/** What a header says of its domain. */
const DOMAIN_FIELDS = ['type', 'pgsize_bitmap', 'aperture'];
const READ_WRITE = IOMMU_READ | IOMMU_WRITE;
/** No recorded run uses this window up. */
const tableRam = { base: physAddr(2 ** 36), bytes: 2 ** 36 };

/** The table that a domain with this header has. */
function shapeOf(header: JsonRecord): RecordedTableShape {
  const [, last] = read(header, 'aperture', tupleOf(wideAddress, wideAddress));
  return recordedTableShape(read(header, 'pgsize_bitmap', hexNumber), last.frame);
}

/** A domain as its driver makes it. AMD's does nothing for one without devices, so a table is all there is to it. */
function openDomain(
  header: JsonRecord,
  context: FileContext | undefined,
  surroundings: { readonly memory: PhysicalMemory; readonly frames: FrameAllocator; readonly log: EventLog },
): PagingDomain {
  const shape = shapeOf(header);
  if (isVtd(shape)) {
    return recordedVtdUnit(shape, context, surroundings).allocPagingDomain(null, 'unmanaged');
  }
  const ops = { iotlbSync(): void {}, flushIotlbAll(): void {}, iotlbSyncMap: null };
  const { memory, frames, log } = surroundings;
  return new PagingDomain({ table: new PageTable({ ...shape, memory, frames }), ops, log });
}

class HwdomReplayer implements Replayer {
  readonly #domain: PagingDomain;
  readonly #frames: FrameAllocator;
  /** Frames that are not the domain's: device tables and the queue of the unit. */
  readonly #otherFrames: number;
  readonly #trace: TraceComparison | null;

  constructor(header: JsonRecord, context: FileContext | undefined) {
    const memory = new PhysicalMemory();
    memory.addRam(tableRam.base, tableRam.bytes);
    this.#frames = new FrameAllocator(memory, tableRam);
    const log = new EventLog();
    this.#domain = openDomain(header, context, { memory, frames: this.#frames, log });
    // A fresh domain has its top table only.
    this.#otherFrames = this.#frames.liveFrames - 1;
    this.#trace = traceComparison(header, context, log);
    log.enabled = this.#trace !== null;
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    const domain = this.#domain;
    read(record, 'i', count);
    const iova = dmaAddr(read(record, 'iova', hexNumber));
    if (record['op'] === 'map') {
      const phys: PhysAddr = physAddr(read(record, 'phys', hexNumber));
      const ret = iommuMap(domain, iova, phys, read(record, 'size', hexNumber), READ_WRITE);
      output.check('ret', record['ret'], ret);
    } else if (record['op'] === 'unmap') {
      output.check('ret', record['ret'], hex(iommuUnmap(domain, iova, read(record, 'size', hexNumber))));
    } else {
      output.check('phys', record['phys'], hex(iommuIovaToPhys(domain, iova)));
    }
    this.#trace?.compare(output);
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    iommuDomainFree(this.#domain);
    this.#trace?.finish(output);
    output.check('table pages left', 0, this.#frames.liveFrames - this.#otherFrames);
    return output.mismatches;
  }

  alsoCompared(): readonly ComparedAmount[] {
    return this.#trace?.amounts ?? [];
  }
}

/** Without an IOMMU no domain is made, so there is nothing to record. */
const withoutDomain: Replayer = {
  replay(record) {
    throw new MalformedValue('op', record['op'], 'no record, because the header tells of no domain');
  },
};

/** The suite of driver-made paging domains. */
export const hwdomSuite: Suite = {
  name: 'hwdom',
  accepts: (header) => header['suite'] === 'hwdom',
  open(header, context) {
    read(header, 'page_size', exactly(PAGE));
    if (DOMAIN_FIELDS.every((field) => (header[field] ?? null) === null)) return withoutDomain;
    read(header, 'type', exactly(UNMANAGED));
    return new HwdomReplayer(header, context);
  },
  kindOf: (record) => kindWord(record, 'op'),
  outputs: { map: ['ret'], unmap: ['ret'], iova_to_phys: ['phys'] },
};
