// Tables as importers see them: a copy without pages on a kernel that debugs, else the exporter's own; and what failures leave.
import { Device, DmaDebug, DmaPlatform } from '@sgfree/dma-core';
import { SgHeap, SgTable, sgAllocTable, sgFreeTable } from '@sgfree/dma-sg';
import { addOffset, type ModelTask, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import { type DmaBufAttachment, dmaBufAttach } from '../buffer/dma-buf-attachment.ts';
import { dmaBufExport } from '../buffer/dma-buf-export.ts';
import { DmaBufPlatform, type DmaBufPlatformOptions } from '../dma-buf-platform.ts';
import { dmaResvHeld } from '../resv/dma-resv.ts';
import { dmaBufMapAttachmentUnlocked, dmaBufUnmapAttachmentUnlocked } from './dma-buf-map-attachment.ts';

const DIR = 'bidirectional';
const FIRST = physAddr(0x10000);

class Rig {
  readonly platform: DmaBufPlatform;
  readonly heap: SgHeap = new SgHeap();
  /** Maps minus unmaps, and pins minus unpins. */
  maps = 0;
  pins = 0;
  /** The table that came back last. */
  returned: SgTable | null = null;
  /** Every callback found the lock held. */
  held = true;
  lengths: readonly number[] = [0x1000, 0x2000];
  readonly attach: DmaBufAttachment<SgTable>;
  readonly dmabuf: DmaBuf<SgTable>;

  constructor(options: DmaBufPlatformOptions = {}, debug = false) {
    this.platform = new DmaBufPlatform(options);
    this.platform.log.enabled = true;
    const pinned = (by: number): ModelTask<number> => this.#pin(by);
    const made = dmaBufExport<SgTable>(this.platform, {
      ...{ expName: 'tables', size: 0x3000, priv: {} },
      ops: {
        pin: () => pinned(1),
        *unpin() {
          yield* pinned(-1);
        },
        mapDmaBuf: () => this.#map(),
        unmapDmaBuf: (_, table) => this.#unmap(table),
        *release() {
          yield { at: 'release' };
        },
      },
    });
    if (!made.ok) throw new Error('export failed');
    this.dmabuf = made.value;
    const dma = new DmaPlatform({ memory: new PhysicalMemory(), debug: debug ? new DmaDebug() : null });
    const attach = this.run(dmaBufAttach(this.dmabuf, new Device({ name: 'importer', platform: dma })));
    if (!attach.ok) throw new Error('attach failed');
    this.attach = attach.value;
  }

  run<T>(task: ModelTask<T>): T {
    return this.platform.scheduler.runTask('test', task);
  }

  map(): Outcome<SgTable> {
    return this.run(dmaBufMapAttachmentUnlocked(this.attach, DIR));
  }

  unmap(table: SgTable): void {
    this.run(dmaBufUnmapAttachmentUnlocked(this.attach, table, DIR));
  }

  /** What is left of all mappings. */
  get left(): unknown[] {
    return [this.maps, this.pins, this.heap.liveArrays, this.dmabuf.resv.mutex.locked];
  }

  rules(): unknown[] {
    return this.platform.log.events.map((event) => event['rule']);
  }

  *#pin(by: number): ModelTask<number> {
    yield { at: 'pin' };
    this.#look();
    this.pins += by;
    return 0;
  }

  *#map(): ModelTask<Outcome<SgTable>> {
    yield { at: 'map' };
    this.#look();
    const table = new SgTable(null, this.heap);
    const error = sgAllocTable(table, this.lengths.length);
    if (error !== 0) return failure(Errno.ENOMEM);
    for (const [sg, bytes] of this.lengths.entries()) {
      table.list.dmaAddress[sg] = addOffset(FIRST, sg * 0x10000);
      table.list.dmaLength[sg] = bytes;
    }
    table.segmentCount = 0;
    this.maps += 1;
    return success(table);
  }

  *#unmap(table: SgTable): ModelTask<void> {
    yield { at: 'unmap' };
    this.#look();
    this.returned = table;
    this.maps -= 1;
    table.segmentCount = table.mappedCount;
    sgFreeTable(table);
  }

  #look(): void {
    this.held &&= dmaResvHeld(this.dmabuf.resv);
  }
}

function tableOf(outcome: Outcome<SgTable>): SgTable {
  if (!outcome.ok) throw new Error(`errno ${outcome.errno}`);
  return outcome.value;
}

const shown = ({ list, mappedCount }: SgTable): [number, number][] =>
  Array.from({ length: mappedCount }, (_, sg) => [list.dmaAddress[sg] ?? -1, list.dmaLength[sg] ?? -1]);
const expected = [
  [0x10000, 0x1000],
  [0x20000, 0x2000],
];

describe('a table', () => {
  it('is a copy without pages on a kernel that debugs: rewriting it does not reach the exporter', () => {
    const rig = new Rig();
    const table = tableOf(rig.map());
    expect(shown(table)).toEqual(expected);
    expect([...table.list.pageFrame.subarray(0, 2)]).toEqual([-1, -1]);
    expect([...table.list.length.subarray(0, 2)]).toEqual([0, 0]);
    expect(rig.heap.liveArrays).toBe(2);
    table.list.dmaAddress[0] = 1;
    table.list.dmaLength[1] = 2;
    rig.unmap(table);
    expect([rig.returned?.list.dmaAddress[0] === 1, rig.returned === table]).toEqual([false, false]);
    expect([...rig.left, rig.held, rig.rules()]).toEqual([0, 0, 0, false, true, []]);
  });

  it('is the exporter’s own otherwise', () => {
    const rig = new Rig({ debugTables: false });
    const table = tableOf(rig.map());
    expect([shown(table), table.segmentCount, rig.heap.liveArrays]).toEqual([expected, 0, 1]);
    rig.unmap(table);
    expect(rig.returned).toBe(table);
    expect(rig.left).toEqual([0, 0, 0, false]);
  });

  it('with a segment that is no whole page is let through and logged, if the platform looks', () => {
    for (const debug of [true, false]) {
      const rig = new Rig({}, debug);
      rig.lengths = [0x1000, 0x800];
      rig.unmap(tableOf(rig.map()));
      expect(rig.rules()).toEqual(debug ? ['dma-buf-unaligned-segment'] : []);
    }
  });
});

describe('without memory', () => {
  it('for the record of the copy the mapping is undone and nothing is said of its segments', () => {
    const rig = new Rig({}, true);
    rig.lengths = [0x1000, 0x800];
    rig.platform.allocate = () => false;
    expect(rig.map()).toEqual(failure(Errno.ENOMEM));
    expect([rig.left, rig.rules()]).toEqual([[0, 0, 0, false], []]);
  });

  it('nothing stays, whichever array fails', () => {
    for (let allowed = 0; ; allowed += 1) {
      const rig = new Rig();
      rig.heap.failAfter = allowed;
      const mapped = rig.map();
      if (mapped.ok) {
        expect(allowed).toBe(2);
        rig.unmap(mapped.value);
      } else expect(mapped.errno).toBe(Errno.ENOMEM);
      expect(rig.left).toEqual([0, 0, 0, false]);
      if (mapped.ok) break;
    }
  });
});
