// The exporter's operations: the order in which attach and map refuse, what a mapping is, and what every failure leaves.
import { dmaBufGet, dmaBufPin, dmaBufPut, dmaResvLock, dmaResvUnlock } from '@sgfree/dma-buf';
import { type DmaBufOps, dmaBufAttach, dmaBufDynamicAttach, dmaBufExport } from '@sgfree/dma-buf/stage-6';
import { addOffset, type ModelTask } from '@sgfree/hw-model';
import { Errno, failure, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { TestImporter } from '../../test/test-importer.ts';
import { featureBytes, VfioMachine, type VfioMachineOptions } from '../../test/vfio-machine.ts';
import { vfioPciConfigWrite } from '../config/config-write.ts';
import { vfioPciCoreCloseDevice } from '../device/open-close.ts';
import { vfioPciDmaBufIommufdMap } from './iommufd-map.ts';
import type { VfioSgTable } from './sgt-mapping.ts';

const CLEAN = [0, 0, 0, 0, 0, 0, 0];
const memoryOff = Uint8Array.of(0, 0);
const revocable = { allowPeer2peer: true, *invalidateMappings(): ModelTask<void> {} };

function getBuffer(machine: VfioMachine, fd: number) {
  const got = dmaBufGet<VfioSgTable>(machine.platform, fd);
  if (!got.ok) throw new Error('no buffer');
  return got.value;
}

describe('attach', () => {
  const rows = [
    { key: 'no-peer', p2p: false, revoked: false, revocable: true, errno: Errno.EOPNOTSUPP },
    { key: 'no-peer-revoked', p2p: false, revoked: true, revocable: true, errno: Errno.EOPNOTSUPP },
    { key: 'revoked', p2p: true, revoked: true, revocable: true, errno: Errno.ENODEV },
    { key: 'revoked-not-revocable', p2p: true, revoked: true, revocable: false, errno: Errno.ENODEV },
    { key: 'not-revocable', p2p: true, revoked: false, revocable: false, errno: Errno.EOPNOTSUPP },
    { key: 'good', p2p: true, revoked: false, revocable: true, errno: 0 },
  ] as const;
  it.each(rows)('$key', ({ p2p, revoked, revocable: can, errno }) => {
    const machine = new VfioMachine();
    const dmabuf = getBuffer(machine, machine.ioctl(featureBytes()));
    if (revoked) machine.run(vfioPciConfigWrite(machine.vdev, 4, memoryOff));
    const ops = can ? { ...revocable, allowPeer2peer: p2p } : { allowPeer2peer: p2p };
    const attach = machine.run(dmaBufDynamicAttach(dmabuf, machine.near, ops, null));
    expect(attach.ok ? 0 : attach.errno).toBe(errno);
    expect(dmabuf.attachments.length).toBe(errno === 0 ? 1 : 0);
  });

  it('static importers take no peer memory', () => {
    const machine = new VfioMachine();
    const dmabuf = getBuffer(machine, machine.ioctl(featureBytes()));
    expect(machine.run(dmaBufAttach(dmabuf, machine.near))).toEqual(failure(Errno.EOPNOTSUPP));
  });

  it('an exporter that only notifies takes importers that cannot be revoked', () => {
    const machine = new VfioMachine({ revoke: 'notify' });
    const dmabuf = getBuffer(machine, machine.ioctl(featureBytes()));
    const attach = machine.run(dmaBufDynamicAttach(dmabuf, machine.near, { allowPeer2peer: true }, null));
    expect(attach.ok).toBe(true);
  });

  it('a buffer made while the memory is off is born revoked', () => {
    const machine = new VfioMachine();
    machine.run(vfioPciConfigWrite(machine.vdev, 4, memoryOff));
    const fd = machine.ioctl(featureBytes());
    expect(fd).toBe(0);
    const importer = new TestImporter(machine);
    expect(machine.run(importer.open(fd))).toBe(-Errno.ENODEV);
    machine.run(vfioPciConfigWrite(machine.vdev, 4, Uint8Array.of(2, 0)));
    expect(machine.run(importer.open(fd))).toBe(0);
  });
});

describe('map', () => {
  const paths: [string, VfioMachineOptions & { where: 'near' | 'far' }, number][] = [
    ['switch', { where: 'near' }, 0],
    ['switch with IOMMU', { where: 'near', iommu: true }, 0],
    ['host bridge', { where: 'far' }, 0],
    ['host bridge with IOMMU', { where: 'far', iommu: true }, 0],
    ['host bridge not listed', { where: 'far', listed: false }, -Errno.EINVAL],
  ];
  it.each(paths)(
    '%s: bytes arrive in the BAR, or the path is refused here and not before',
    (_, options, error) => {
      const machine = new VfioMachine(options);
      const fd = machine.ioctl(featureBytes({ ranges: [[0x3000n, 0x2000n]] }));
      const importer = new TestImporter(machine, options.where);
      expect(machine.run(importer.open(fd))).toBe(0);
      expect(machine.run(importer.write(Uint8Array.of(1, 2, 3, 4)))).toBe(error);
      const arrived = [...machine.bar.pageBytes(3).subarray(0, 4)];
      expect(arrived).toEqual(error === 0 ? [1, 2, 3, 4] : [0, 0, 0, 0]);
      expect(machine.vdev.dmabufs[0]?.kref).toBe(error === 0 ? 2 : 1);
      machine.run(importer.close());
      machine.run(machine.platform.files.close(fd));
      expect(machine.leftovers).toEqual(CLEAN);
      expect(machine.rules()).toEqual([]);
    },
  );

  it('is a table without pages whose CPU view is empty', () => {
    const machine = new VfioMachine();
    const ranges = [
      [0x4000n, 0x2000n],
      [0n, 0x1000n],
    ] as const;
    const dmabuf = getBuffer(machine, machine.ioctl(featureBytes({ ranges })));
    machine.run(
      (function* (): ModelTask<void> {
        const attach = yield* dmaBufDynamicAttach(dmabuf, machine.near, revocable, null);
        if (!attach.ok) throw new Error('no attachment');
        yield* dmaResvLock(dmabuf.resv);
        expect(yield* dmaBufPin(attach.value)).toBe(0);
        const ops = dmabuf.ops as DmaBufOps<VfioSgTable>;
        const raw = yield* ops.mapDmaBuf(attach.value, 'to-device');
        if (!raw.ok || raw.value === null) throw new Error('no table');
        expect([raw.value.segmentCount, raw.value.mappedCount]).toEqual([0, 2]);
        expect([...raw.value.list.dmaLength.subarray(0, 2)]).toEqual([0x2000, 0x1000]);
        yield* ops.unmapDmaBuf(attach.value, raw.value, 'to-device');
        dmaResvUnlock(dmabuf.resv);
      })(),
    );
    expect(machine.sgArrays.liveArrays).toBe(0);
  });

  it('keeps the entry array and fails for several ranges only under the quirks of those names', () => {
    const leaky = new VfioMachine({ linuxQuirks: { physVecLeaks: true } });
    const importer = new TestImporter(leaky);
    leaky.run(importer.open(leaky.ioctl(featureBytes())));
    leaky.run(importer.map());
    leaky.run(importer.close());
    expect(leaky.sgArrays.liveArrays).toBe(1);
    const ranges = [
      [0n, 0x1000n],
      [0x2000n, 0x1000n],
    ] as const;
    for (const physVecOffsetZero of [true, false]) {
      const machine = new VfioMachine({ iommu: true, linuxQuirks: { physVecOffsetZero } });
      const far = new TestImporter(machine, 'far');
      machine.run(far.open(machine.ioctl(featureBytes({ ranges }))));
      expect(machine.run(far.map())).toBe(physVecOffsetZero ? -Errno.EADDRINUSE : 0);
    }
  });

  it('leaves nothing behind when any allocation on the way fails', () => {
    const errnos = new Set<number>();
    for (const where of ['near', 'far'] as const) {
      let passed = false;
      for (let failing = 1; !passed; failing += 1) {
        const machine = new VfioMachine({ iommu: where === 'far' });
        const fd = machine.ioctl(featureBytes());
        let count = 0;
        const allowed = (): boolean => {
          count += 1;
          return count !== failing;
        };
        machine.platform.allocate = allowed;
        const real = machine.sgArrays.allocArray.bind(machine.sgArrays);
        machine.sgArrays.allocArray = (entries) => allowed() && real(entries);
        const importer = new TestImporter(machine, where);
        const error = machine.run(importer.open(fd)) || machine.run(importer.map());
        passed = error === 0;
        errnos.add(error);
        machine.run(importer.close());
        expect(machine.vdev.dmabufs[0]?.kref).toBe(1);
        machine.run(machine.platform.files.close(fd));
        expect(machine.leftovers).toEqual(CLEAN);
      }
    }
    expect([...errnos]).toEqual([-Errno.ENOMEM, 0]);
  });
});

describe('release', () => {
  it('waits for the memory lock, leaves the device and gives the registration back', () => {
    const machine = new VfioMachine();
    const fd = machine.ioctl(featureBytes());
    expect(machine.leftovers).toEqual([1, 1, 1, 0, 0, 0, 0]);
    const { memoryLock } = machine.vdev;
    expect(memoryLock.tryWriteLock()).toBe(true);
    machine.scheduler.spawn('close', machine.platform.files.close(fd));
    expect(machine.scheduler.run().blocked).toEqual([{ task: 'close', at: 'memory_lock:write-lock' }]);
    memoryLock.writeUnlock();
    expect(machine.scheduler.run().status).toBe('idle');
    expect(machine.leftovers).toEqual(CLEAN);
  });

  it('after the last close finds no device any more', () => {
    const machine = new VfioMachine();
    const fd = machine.ioctl(featureBytes());
    const dmabuf = getBuffer(machine, fd);
    machine.run(vfioPciCoreCloseDevice(machine.vdev));
    expect(machine.leftovers).toEqual([1, 1, 0, 0, 0, 0, 0]);
    const attach = machine.run(dmaBufDynamicAttach(dmabuf, machine.near, revocable, null));
    expect(attach).toEqual(failure(Errno.ENODEV));
    machine.run(dmaBufPut(dmabuf));
    machine.run(machine.platform.files.close(fd));
    expect(machine.leftovers).toEqual(CLEAN);
  });
});

describe('vfio_pci_dma_buf_iommufd_map', () => {
  const one = [[0x3000n, 0x2000n]] as const;
  const rows = [
    { key: 'one-range', ranges: one, off: false, foreign: false, errno: 0 },
    { key: 'two-ranges', ranges: [...one, ...one], off: false, foreign: false, errno: Errno.EOPNOTSUPP },
    { key: 'revoked', ranges: one, off: true, foreign: false, errno: Errno.ENODEV },
    { key: 'revoked-two-ranges', ranges: [...one, ...one], off: true, foreign: false, errno: Errno.ENODEV },
    { key: 'foreign', ranges: one, off: false, foreign: true, errno: Errno.EOPNOTSUPP },
  ] as const;
  it.each(rows)('$key', ({ ranges, off, foreign, errno }) => {
    const machine = new VfioMachine();
    const ours = getBuffer(machine, machine.ioctl(featureBytes({ ranges })));
    const ops = { ...ours.ops };
    delete ops.attach;
    const made = dmaBufExport(machine.platform, { expName: 'other', ops, size: 4096, priv: {} });
    const dmabuf = foreign && made.ok ? made.value : ours;
    const attach = machine.run(dmaBufDynamicAttach(dmabuf, machine.near, revocable, null));
    if (!attach.ok) throw new Error('no attachment');
    if (off) machine.run(vfioPciConfigWrite(machine.vdev, 4, memoryOff));
    const locked = function* (): ModelTask<unknown> {
      yield* dmaResvLock(dmabuf.resv);
      const phys = vfioPciDmaBufIommufdMap(attach.value);
      dmaResvUnlock(dmabuf.resv);
      return phys;
    };
    const start = machine.fabric.barPhys(machine.vdev.pdev.fn, 0);
    expect(machine.run(locked())).toEqual(
      errno === 0 ? success({ paddr: addOffset(start, 0x3000), len: 0x2000 }) : failure(errno),
    );
    expect(machine.vdev.dmabufs[0]?.kref).toBe(1);
    expect(machine.rules()).toEqual([]);
    vfioPciDmaBufIommufdMap(attach.value);
    expect(machine.rules()).toEqual(['vfio-iommufd-map-lock']);
  });
});
