// Importers when allocations around dma-bufs fail: the first, the second, and so on until everything passes; after each nothing stays.

import { dmaResvLock, dmaResvUnlock } from '@sgfree/dma-buf';
import { destroyBo, moveBo } from '@sgfree/gpu-driver';
import { AbuseWatch } from '@sgfree/gpu-driver/stage-3';
import { EventLog, type ModelTask } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { violatedRules } from '../exported-bar/rule-log.ts';
import { ExchangeScene } from './exchange-scene.ts';
import { gpuExchangeSettings } from './gpu-exchange-input.ts';
import { rangeListWay } from './range-list-way.ts';
import { exportObject, newObject, SharedObject } from './shared-object.ts';

const GOOD = { deaf: false, unfenced: false, hasty: false } as const;
const BYTES = 65536;

function sceneWith(iommu: boolean) {
  const log = new EventLog();
  log.enabled = true;
  const settings = gpuExchangeSettings({
    way: 'range-list',
    place: 'host-bridge',
    iommu,
    seed: 1,
    objects: 1,
  });
  const scene = new ExchangeScene(settings, rangeListWay(new AbuseWatch(log)), log);
  scene.bringUp();
  const bo = newObject(scene, { name: 'object', bytes: BYTES, placements: ['vram', 'tt'] }, true);
  const object = new SharedObject(scene, 0, bo, exportObject(scene, bo), GOOD);
  return { scene, bo, object };
}

/** What is in use. */
function inUse({ scene }: ReturnType<typeof sceneWith>): readonly number[] {
  const { kernel, census, near } = scene;
  const { files, buffers } = kernel.dmaBufs;
  return [
    kernel.translation.liveIovaRanges,
    kernel.translation.liveTableEntries,
    census.memory.now,
    files.count,
    buffers.size,
    near.device.nic.keys.size,
    kernel.card.runtimeRefs,
  ];
}

/** Imports, works, moves and works again; whether everything passed. */
function* work({ scene, bo, object }: ReturnType<typeof sceneWith>): ModelTask<boolean> {
  const { data } = scene;
  const results: number[] = [yield* object.joinPeer()];
  const read = { operation: 'read', position: data.position(0, 0, 'read'), offset: 0, bytes: BYTES } as const;
  results.push(yield* object.disk.transfer(read));
  if (results[0] === 0) results.push((yield* object.link.transfer('rdma-read')) ? 0 : -1);
  yield* dmaResvLock(bo.resv);
  results.push(yield* moveBo(bo, 'tt'));
  dmaResvUnlock(bo.resv);
  results.push(yield* object.disk.transfer(read));
  return results.every((result) => result === 0);
}

describe.each([true, false])('with an IOMMU: %s', (iommu) => {
  it('importers keep nothing after any failed allocation', () => {
    let passed = false;
    let tries = 0;
    for (; !passed; tries += 1) {
      const all = sceneWith(iommu);
      const { scene, object, bo } = all;
      const before = inUse(all);
      let left = tries;
      const allocate = (): boolean => {
        left -= 1;
        return left >= 0;
      };
      scene.kernel.dmaBufs.allocate = allocate;
      scene.near.device.allocate = allocate;
      const joined = scene.run(object.joinDisk());
      if (joined === 0) passed = scene.run(work(all));
      const always = (): boolean => true;
      scene.kernel.dmaBufs.allocate = always;
      scene.near.device.allocate = always;
      expect(scene.run(object.leave(joined === 0))).toBe(0);
      scene.run(destroyBo(bo));
      // The buffer goes too.
      expect(inUse(all)).toEqual(before.map((count, index) => (index === 3 || index === 4 ? 0 : count)));
      expect(scene.book.late + scene.book.stray + scene.book.early).toBe(0);
      const rules = violatedRules(scene.log.events);
      expect(rules).toEqual([]);
    }
    expect(tries).toBeGreaterThan(8);
  });
});
