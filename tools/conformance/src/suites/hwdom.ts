// Suite hwdom: unattached paging domains of real IOMMU drivers, VT-d and AMD, driven through the IOMMU core's calls.
// Field meanings: vectors/kernel/README.md, section hwdom. The header names no format: its page sizes and aperture tell it.
// Only AMD tables offer 8 KiB pages; only a sign-extended space ends in the middle of a table width (first stage).
// Simplified: such a domain has no device, so nothing is there to flush.

import { dmaAddr, type PhysAddr, physAddr } from '@sgfree/hw-model';
import {
  AmdV1Format,
  IOMMU_READ,
  IOMMU_WRITE,
  iommuIovaToPhys,
  iommuMap,
  iommuUnmap,
  type PageTableOptions,
  VtdSecondStageFormat,
  X8664Format,
} from '@sgfree/iommu';
import { count, exactly, hexNumber, kindWord, read, tupleOf, wideAddress } from '../recorded-value.ts';
import { BrokenHeader, type JsonRecord, type Mismatch, type Replayer, type Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { PageTableRig } from './pgtable-rig.ts';

const EIGHT_KIB = 0x2000;
const UNMANAGED = 1;
const PAGE = 4096;
const READ_WRITE = IOMMU_READ | IOMMU_WRITE;
const HALF_SPACES = [47, 56];

const hex = (value: number): string => `0x${value.toString(16)}`;

/** Base-2 logarithm of the size of the aperture. */
function apertureBits(header: JsonRecord): number {
  const [, last] = read(header, 'aperture', tupleOf(wideAddress, wideAddress));
  const bits = 12 + Math.log2(last.frame + 1);
  if (!Number.isInteger(bits)) throw new BrokenHeader('hwdom: the aperture is no power of two');
  return bits;
}

/** The table that a domain with this header has. */
export function hwdomTable(header: JsonRecord): Omit<PageTableOptions, 'memory' | 'frames'> {
  const pgsizeBitmap = read(header, 'pgsize_bitmap', hexNumber);
  const bits = apertureBits(header);
  if (Math.floor(pgsizeBitmap / EIGHT_KIB) % 2 === 1) {
    return { format: new AmdV1Format(), vaBits: bits, pgsizeBitmap };
  }
  if (HALF_SPACES.includes(bits)) {
    const format = new X8664Format({ signExtend: true, flushRange: true });
    return { format, vaBits: bits + 1, pgsizeBitmap };
  }
  return { format: new VtdSecondStageFormat({ flushRange: true }), vaBits: bits, pgsizeBitmap };
}

class HwdomReplayer implements Replayer {
  readonly #rig: PageTableRig;

  constructor(header: JsonRecord) {
    this.#rig = new PageTableRig(hwdomTable(header));
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    const { domain } = this.#rig;
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
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    output.check('table pages left', 0, this.#rig.framesLeftAfterDestroy());
    return output.mismatches;
  }
}

/** The suite of driver-made paging domains. */
export const hwdomSuite: Suite = {
  name: 'hwdom',
  accepts: (header) => header['suite'] === 'hwdom',
  open(header) {
    read(header, 'type', exactly(UNMANAGED));
    read(header, 'page_size', exactly(PAGE));
    return new HwdomReplayer(header);
  },
  kindOf: (record) => kindWord(record, 'op'),
  outputs: { map: ['ret'], unmap: ['ret'], iova_to_phys: ['phys'] },
};
