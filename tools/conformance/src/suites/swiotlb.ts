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
import {
  count,
  cpuCount,
  exactly,
  flag,
  hexNumber,
  kindWord,
  read,
  within,
  word,
} from '../recorded-value.ts';
import { BrokenHeader, type JsonRecord, type Mismatch, type Replayer, type Suite } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { recordedBouncePool } from './recorded-bounce-pool.ts';
import { busAddress } from './recorded-device.ts';

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
    const minAlignMask = read(record, 'min_align_mask', word);
    const boundary = read(record, 'boundary', hexNumber);
    dmaSetMinAlignMask(this.#dev, minAlignMask);
    dmaSetSegBoundary(this.#dev, boundary);
  }

  #map(record: JsonRecord, output: RecordedOutput): void {
    const id = read(record, 'id', count);
    const size = read(record, 'size', count);
    const orig = physAddr(read(record, 'orig', hexNumber));
    const alignMask = read(record, 'alloc_align_mask', word);
    const address = swiotlbTblMapSingle(this.#dev, orig, size, alignMask, direction, attrs);
    const mapped = address !== DMA_MAPPING_ERROR;
    output.check('ret', record['ret'], mapped ? hex(address) : null);
    const offset = mapped ? byteDistance(this.#pool.start, address) : undefined;
    output.check('off', record['off'], offset);
    output.check('slot', record['slot'], offset === undefined ? undefined : offset >>> SLOT_SHIFT);
    if (mapped) this.#live.set(id, { address, size });
  }

  #unmap(record: JsonRecord, output: RecordedOutput): void {
    const id = read(record, 'id', count);
    const size = read(record, 'size', count);
    const live = this.#live.get(id);
    if (live === undefined) throw new RangeError(`no live mapping has id ${id}`);
    this.#live.delete(id);
    output.check('addr', record['addr'], hex(live.address));
    this.#release(live.address, size);
  }

  #release(address: PhysAddr, size: number): void {
    swiotlbTblUnmapSingle(this.#dev, address, size, direction, attrs);
  }
}

/** A device with nothing but the pool; throws {@link BrokenHeader} when the header contradicts itself or the model. */
function openPool(header: JsonRecord): SwiotlbReplayer {
  read(header, 'page_size', exactly(PAGE));
  read(header, 'io_tlb_shift', exactly(SLOT_SHIFT));
  read(header, 'io_tlb_segsize', exactly(SLOTS_PER_SEGMENT));
  const pool = recordedBouncePool(header, 'start');
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), ANYWHERE);
  const active = read(header, 'active', flag);
  const cpus = read(header, 'ncpus', cpuCount);
  const platform = new DmaPlatform({
    memory,
    cpus,
    swiotlb: { active, pool },
  });
  platform.currentCpu = read(header, 'cpu', within(0, cpus - 1));
  const dev = pciDevice({ name: read(header, 'dev', busAddress), platform });
  const slots = read(header, 'swiotlb_nslabs', count);
  read(header, 'nslabs', exactly(slots));
  read(header, 'nareas', exactly(pool.areas.length));
  read(header, 'area_nslabs', exactly(slots / pool.areas.length));
  read(header, 'max_mapping_size', count);
  if (read(header, 'end', hexNumber) !== read(header, 'start', hexNumber) + pool.bytes) {
    throw new BrokenHeader('end does not follow from the pool');
  }
  return new SwiotlbReplayer(dev, pool);
}

/** The suite of bounce pool records. */
export const swiotlbSuite: Suite = {
  name: 'swiotlb',
  accepts: (header) => header['suite'] === 'swiotlb',
  open: openPool,
  kindOf: (record) => kindWord(record, 'op'),
  outputs: { params: [], map: ['ret', 'off', 'slot'], unmap: ['addr'] },
};
