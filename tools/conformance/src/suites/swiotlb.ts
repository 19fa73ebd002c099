// Suite swiotlb: the slot allocator of the bounce pool alone, with the device's alignment and boundary changing under way.
// Field meanings: vectors/kernel/README.md, section swiotlb. Every mapping is TO_DEVICE with SKIP_CPU_SYNC.
// Once the file is over and what is left is released, every slot must be free again.
// Simplified: memory is taken to be wherever a buffer lies, because its end shows in no record. The header's
// `max_mapping_size` is not judged: the alignment of that moment is not recorded.

import {
  type Device,
  DMA_MAPPING_ERROR,
  type DmaAttrs,
  type DmaDataDirection,
  DmaPlatform,
  dmaSetMinAlignMask,
  dmaSetSegBoundary,
  pciDevice,
  type SwiotlbPool,
  swiotlbTblMapSingle,
  swiotlbTblUnmapSingle,
} from '@sgfree/dma-core';
import { byteDistance, hex, type PhysAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { BrokenHeader, type JsonRecord, type Mismatch, type Replayer, type Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { recordedBouncePool } from './recorded-bounce-pool.ts';

type Operation = (record: JsonRecord, output: RecordedOutput) => void;

interface Bounced {
  readonly address: PhysAddr;
  readonly size: number;
}

const SLOT_SHIFT = 11;
const SLOTS_PER_SEGMENT = 128;
const PAGE = 4096;
const ANYWHERE = 2 ** 46;

const direction: DmaDataDirection = 'to-device';
const attrs: DmaAttrs = { skipCpuSync: true };

const numberOf = (record: JsonRecord, field: string): number => Number(record[field]);

class SwiotlbReplayer implements Replayer {
  readonly #dev: Device;
  readonly #pool: SwiotlbPool;
  readonly #live = new Map<number, Bounced>();
  readonly #operations: Readonly<Record<string, Operation>> = {
    params: (record) => this.#params(record),
    map: (record, output) => this.#map(record, output),
    unmap: (record, output) => this.#unmap(record, output),
  };

  constructor(dev: Device, pool: SwiotlbPool) {
    this.#dev = dev;
    this.#pool = pool;
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const output = new RecordedOutput();
    this.#operations[String(record['op'])]?.(record, output);
    return output.mismatches;
  }

  finish(): readonly Mismatch[] {
    const output = new RecordedOutput();
    for (const { address, size } of this.#live.values()) this.#release(address, size);
    output.check('slots left', 0, this.#pool.usedSlots);
    return output.mismatches;
  }

  #params(record: JsonRecord): void {
    dmaSetMinAlignMask(this.#dev, numberOf(record, 'min_align_mask'));
    dmaSetSegBoundary(this.#dev, numberOf(record, 'boundary'));
  }

  #map(record: JsonRecord, output: RecordedOutput): void {
    const size = numberOf(record, 'size');
    const orig = physAddr(numberOf(record, 'orig'));
    const alignMask = numberOf(record, 'alloc_align_mask');
    const address = swiotlbTblMapSingle(this.#dev, orig, size, alignMask, direction, attrs);
    if (address === DMA_MAPPING_ERROR) {
      output.check('ret', record['ret'], null);
      return;
    }
    const offset = byteDistance(this.#pool.start, address);
    output.check('ret', record['ret'], hex(address));
    output.check('off', record['off'], offset);
    output.check('slot', record['slot'], offset >>> SLOT_SHIFT);
    this.#live.set(numberOf(record, 'id'), { address, size });
  }

  #unmap(record: JsonRecord, output: RecordedOutput): void {
    const id = numberOf(record, 'id');
    const live = this.#live.get(id);
    if (live === undefined) throw new RangeError(`no live mapping has id ${id}`);
    this.#live.delete(id);
    output.check('addr', record['addr'], hex(live.address));
    this.#release(live.address, numberOf(record, 'size'));
  }

  #release(address: PhysAddr, size: number): void {
    swiotlbTblUnmapSingle(this.#dev, address, size, direction, attrs);
  }
}

/** A device with nothing but the pool; throws {@link BrokenHeader} when the header contradicts itself or the model. */
function openPool(header: JsonRecord): SwiotlbReplayer {
  if (header['page_size'] !== PAGE) throw new BrokenHeader('the page size is not 4096');
  if (header['io_tlb_shift'] !== SLOT_SHIFT || header['io_tlb_segsize'] !== SLOTS_PER_SEGMENT)
    throw new BrokenHeader('slots are not 2 KiB in segments of 128');
  const pool = recordedBouncePool(header, 'start');
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), ANYWHERE);
  const active = header['active'] === 1;
  const platform = new DmaPlatform({
    memory,
    cpus: numberOf(header, 'ncpus'),
    swiotlb: { active, pool },
  });
  platform.currentCpu = numberOf(header, 'cpu');
  const dev = pciDevice({ name: String(header['dev']), platform });
  const expected: Readonly<Record<string, number>> = {
    nslabs: numberOf(header, 'swiotlb_nslabs'),
    nareas: pool.areas.length,
    area_nslabs: numberOf(header, 'swiotlb_nslabs') / pool.areas.length,
    end: Number(header['start']) + pool.bytes,
  };
  for (const [field, value] of Object.entries(expected)) {
    if (Number(header[field]) !== value) throw new BrokenHeader(`${field} does not follow from the pool`);
  }
  return new SwiotlbReplayer(dev, pool);
}

/** The suite of bounce pool records. */
export const swiotlbSuite: Suite = {
  name: 'swiotlb',
  accepts: (header) => header['suite'] === 'swiotlb',
  open: openPool,
  kindOf: (record) => String(record['op']),
  outputs: { params: [], map: ['ret', 'off', 'slot'], unmap: ['addr'] },
};
