// A buffer over a peer's BAR whose exporter offers kinds of mapping, on a machine with a device beside the peer and one behind the
// host bridge; what is attached, mapped and allocated can be counted, and each allocation made to fail.
// Simplified: one buffer.

import type { DmaDataDirection } from '@sgfree/dma-core';
import { addOffset, Clock, type ModelTask, type PhysAddr, Scheduler } from '@sgfree/hw-model';
import { failure, type Outcome, success } from '@sgfree/mm';
import { pciResourceStart } from '@sgfree/p2p';
import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufMappingMatch,
  DmaBufPlatform,
  type DmaRangeList,
  dmaBufFreeRangeList,
  dmaBufMatchMapping,
  dmaBufPhysVecToRangeList,
  dmaResvLock,
  dmaResvUnlock,
  type PhysVec,
  type RangeListExpOps,
} from '../src/index.ts';
import { type DmaBufMappingSgtExpOps, dmaBufFreeSgt, dmaBufPhysVecToSgt } from '../src/sgt.ts';
import { type DmaBufMappingExportInfo, dmaBufMappingExport } from '../src/stage-6.ts';
import { PeerMachine, type PeerMachineOptions } from './peer-machine.ts';

/** The value of an outcome that must be good. */
export function goodValue<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new RangeError(`errno ${outcome.errno}`);
  return outcome.value;
}

/** What failed: an errno, or 0. */
export const errnoOf = <T>(outcome: Outcome<T>): number => (outcome.ok ? 0 : outcome.errno);

/** The machine and its exporter. */
export class MappingRig {
  readonly machine: PeerMachine;
  readonly platform: DmaBufPlatform;
  readonly physVec: readonly PhysVec[];
  readonly size: number;
  /** Mappings that are out. */
  maps = 0;
  /** Allocations still allowed before one fails, -1 = never. */
  failAfter = -1;
  readonly tables: DmaBufMappingSgtExpOps;
  readonly ranges: RangeListExpOps;

  constructor(options: PeerMachineOptions, ranges: readonly (readonly [number, number])[] = [[0, 0x1000]]) {
    this.machine = new PeerMachine(options);
    const { log, pdev } = this.machine;
    const scheduler = new Scheduler({ clock: new Clock() });
    this.platform = new DmaBufPlatform({ scheduler, log, allocate: () => this.#allowed() });
    const start = pciResourceStart(pdev, 0) as PhysAddr;
    this.physVec = ranges.map(([offset, len]) => ({ paddr: addOffset(start, offset), len }));
    this.size = ranges.reduce((sum, [, len]) => sum + len, 0);
    this.ranges = this.#rangeOps();
    this.tables = this.#tableOps();
  }

  run<T>(task: ModelTask<T>): T {
    return this.platform.scheduler.runTask('test', task);
  }

  /** Exports with `offers`, in their order. */
  export(offers: readonly DmaBufMappingMatch[]): DmaBuf<unknown> {
    return goodValue(
      this.exportWith({
        *matchMapping(args) {
          yield { at: 'exporter:match' };
          return dmaBufMatchMapping(args, offers);
        },
        *release() {},
      }),
    );
  }

  exportWith(ops: DmaBufMappingExportInfo['ops']): Outcome<DmaBuf<unknown>> {
    return dmaBufMappingExport(this.platform, { expName: 'peer', size: this.size, priv: this, ops });
  }

  /** Runs `body` with the reservation lock of `dmabuf` held. */
  locked<T, M>({ resv }: DmaBuf<M>, body: () => ModelTask<T>): T {
    return this.run(
      (function* (): ModelTask<T> {
        yield* dmaResvLock(resv);
        const result = yield* body();
        dmaResvUnlock(resv);
        return result;
      })(),
    );
  }

  rules(): unknown[] {
    const { events } = this.machine.log;
    return events.filter(({ kind }) => kind === 'violation').map((event) => event['rule']);
  }

  #allowed(): boolean {
    if (this.failAfter === 0) return false;
    if (this.failAfter > 0) this.failAfter -= 1;
    return true;
  }

  #counted<T>(outcome: Outcome<T>): Outcome<T> {
    if (outcome.ok) this.maps += 1;
    return outcome;
  }

  #rangeOps(): RangeListExpOps {
    const map = (attach: DmaBufAttachment<DmaRangeList>, dir: DmaDataDirection) =>
      this.#counted(dmaBufPhysVecToRangeList(attach, this.machine.provider, this.physVec, this.size, dir));
    const unmap = (attach: DmaBufAttachment<DmaRangeList>, list: DmaRangeList, dir: DmaDataDirection) => {
      dmaBufFreeRangeList(attach, list, dir);
      this.maps -= 1;
    };
    return {
      *mapRanges(attach, dir) {
        yield { at: 'exporter:map' };
        return map(attach, dir);
      },
      *unmapRanges(attach, list, dir) {
        yield { at: 'exporter:unmap' };
        unmap(attach, list, dir);
      },
    };
  }

  #tableOps(): DmaBufMappingSgtExpOps {
    const { machine, physVec, size } = this;
    const counted = (by: number): void => {
      this.maps += by;
    };
    return {
      *mapDmaBuf(attach, dir) {
        yield { at: 'exporter:map' };
        const table = dmaBufPhysVecToSgt(attach, machine.provider, physVec, size, dir);
        if (!table.ok) return failure(table.errno);
        counted(1);
        return success(table.value);
      },
      *unmapDmaBuf(attach, table, dir) {
        yield { at: 'exporter:unmap' };
        dmaBufFreeSgt(attach, table, dir);
        counted(-1);
      },
    };
  }
}
