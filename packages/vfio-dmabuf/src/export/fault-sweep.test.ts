// Fault sweep: export, attach and map with the first, second, third … allocation failing, by every route: nothing stays
// mapped or referenced, and the device can be closed.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { TestImporter } from '../../test/test-importer.ts';
import { featureBytes, VfioMachine, type VfioMachineOptions } from '../../test/vfio-machine.ts';
import { vfioPciConfigWrite } from '../config/config-write.ts';
import { vfioPciCoreCloseDevice } from '../device/open-close.ts';

const CLEAN = [0, 0, 0, 0, 0, 0, 0];
const ranges = [
  [0x3000n, 0x1000n],
  [0x400000n, 0x300000n],
] as const;

type Starved = 'kernel' | 'tables' | 'page tables';

/** Lets the `failing`-th allocation fail; says afterwards whether it came to that. */
function starve(machine: VfioMachine, what: Starved, failing: number): () => boolean {
  if (what === 'kernel') {
    let count = 0;
    machine.platform.allocate = () => {
      count += 1;
      return count !== failing;
    };
    return () => count >= failing;
  }
  const source = what === 'tables' ? machine.sgArrays : machine.tableFrames;
  source.failAfter = failing - 1;
  return () => {
    const happened = source.failAfter === 0;
    source.failAfter = -1;
    return happened;
  };
}

/** Export, attach, a write through the mapping, a revoke, and everything back; the errno it failed with, or 0. */
function life(machine: VfioMachine, where: 'near' | 'far'): number {
  const fd = machine.ioctl(featureBytes({ ranges }));
  if (fd < 0) return fd;
  const importer = new TestImporter(machine, where);
  let error = machine.run(importer.open(fd));
  if (error === 0) error = machine.run(importer.map());
  expect(machine.vdev.dmabufs[0]?.kref).toBe(error === 0 ? 2 : 1);
  machine.run(vfioPciConfigWrite(machine.vdev, 4, Uint8Array.of(0, 0)));
  expect([importer.mapped, machine.vdev.dmabufs[0]?.kref]).toEqual([false, 1]);
  machine.run(importer.close());
  machine.run(machine.platform.files.close(fd));
  return error;
}

const paths: readonly [string, VfioMachineOptions, 'near' | 'far', Starved, number][] = [
  ['inside the switch', {}, 'near', 'kernel', 7],
  ['through the host bridge', {}, 'far', 'kernel', 8],
  ['through the host bridge with IOMMU', { iommu: true }, 'far', 'kernel', 8],
  ['inside the switch', {}, 'near', 'tables', 2],
  ['through the host bridge with IOMMU', { iommu: true }, 'far', 'tables', 2],
  ['through the host bridge with IOMMU', { iommu: true }, 'far', 'page tables', 4],
];

describe('whichever allocation fails', () => {
  it.each(paths)('%s nothing stays (%j, %s, %s)', (_, options, where, what, allocations) => {
    let failures = 0;
    for (let failing = 1; ; failing += 1) {
      const machine = new VfioMachine(options);
      const happened = starve(machine, what, failing);
      const error = life(machine, where);
      const failed = happened();
      expect(error).toBe(failed && error !== 0 ? -Errno.ENOMEM : 0);
      machine.run(vfioPciCoreCloseDevice(machine.vdev));
      expect(machine.leftovers).toEqual(CLEAN);
      expect([machine.rules(), machine.platform.order.allFree]).toEqual([[], true]);
      if (error === 0) break;
      failures += 1;
    }
    expect(failures).toBe(allocations);
  });
});
