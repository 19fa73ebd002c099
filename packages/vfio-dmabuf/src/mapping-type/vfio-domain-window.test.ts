// A VFIO buffer shown in a domain that an importer names: a device behind it reaches the BAR by IOVA, the window counts as a
// mapping, and a revoke hides it before it returns.
import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufDomainMapping,
  dmaBufDetach,
  dmaBufDomainReady,
  dmaBufGet,
  dmaBufMapDomain,
  dmaBufMappingAttach,
  dmaBufPut,
  dmaBufUnmapDomain,
  dmaResvLock,
  dmaResvUnlock,
  domainImporterMatch,
} from '@sgfree/dma-buf';
import { dmaAddr, type ModelTask } from '@sgfree/hw-model';
import { IOMMU_READ, IOMMU_WRITE } from '@sgfree/iommu';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { featureBytes, VfioMachine } from '../../test/vfio-machine.ts';
import { vfioPciConfigWrite } from '../config/config-write.ts';
import { vfioPciIoctlReset } from '../device/device-reset.ts';
import { vfioPciCoreCloseDevice } from '../device/open-close.ts';
import { vfioMappingTypes } from './vfio-mapping-types.ts';

const IOVA_PAGE = 0x100;
const AT = 0x100000;
const twoRanges = [
  [0x3000n, 0x2000n],
  [0n, 0x1000n],
] as const;

/** An importer that shows the whole buffer and hides it when it is told. */
class WindowImporter {
  readonly machine: VfioMachine;
  readonly dmabuf: DmaBuf<unknown>;
  attach: DmaBufAttachment<unknown> | null = null;
  shown: DmaBufDomainMapping | null = null;

  constructor(machine: VfioMachine, fd: number) {
    this.machine = machine;
    const got = dmaBufGet<unknown>(machine.platform, fd);
    if (!got.ok) throw new Error('no buffer');
    this.dmabuf = got.value;
  }

  *open(): ModelTask<number> {
    const ops = { allowPeer2peer: true, invalidateMappings: () => this.hide() };
    const attached = yield* dmaBufMappingAttach(this.dmabuf, [domainImporterMatch], ops, null);
    if (attached.ok) this.attach = attached.value;
    return attached.ok ? 0 : -attached.errno;
  }

  *show(): ModelTask<Outcome<DmaBufDomainMapping>> {
    const { attach } = this;
    const { domain } = this.machine;
    if (attach === null || domain === null) throw new Error('not attached');
    const { size, resv } = this.dmabuf;
    yield* dmaResvLock(resv);
    const place = { domain, unitsPerPage: 1, iovaPage: IOVA_PAGE, iovaByte: 0, offset: 0, length: size };
    const prot = IOMMU_READ | IOMMU_WRITE;
    const shown = yield* dmaBufMapDomain(attach, { ...place, prot, smallPages: false });
    dmaResvUnlock(resv);
    if (shown.ok) this.shown = shown.value;
    return shown;
  }

  *ready(): ModelTask<number> {
    yield* dmaResvLock(this.dmabuf.resv);
    const errno = this.attach === null ? -1 : yield* dmaBufDomainReady(this.attach);
    dmaResvUnlock(this.dmabuf.resv);
    return errno;
  }

  *hide(): ModelTask<void> {
    const { attach, shown } = this;
    this.shown = null;
    if (attach !== null && shown !== null) yield* dmaBufUnmapDomain(attach, shown);
  }

  *close(): ModelTask<void> {
    if (this.attach !== null) yield* dmaBufDetach(this.dmabuf, this.attach);
    yield* dmaBufPut(this.dmabuf);
  }

  write(offset: number, value: number): string {
    return this.machine.run(this.machine.engines.far.write(dmaAddr(AT + offset), Uint8Array.of(value)));
  }
}

it.each(['reset', 'memory-off', 'close'] as const)(
  'bytes arrive until a revoke by %s, and none after',
  (trigger) => {
    const machine = new VfioMachine({ iommu: true, mapping: vfioMappingTypes() });
    const fd = machine.ioctl(featureBytes({ ranges: twoRanges }));
    const importer = new WindowImporter(machine, fd);
    expect(machine.run(importer.open())).toBe(0);
    expect([machine.run(importer.ready()), machine.vdev.dmabufs[0]?.kref]).toEqual([0, 1]);
    expect([machine.run(importer.show()).ok, machine.vdev.dmabufs[0]?.kref]).toEqual([true, 2]);
    for (const [offset, value] of [
      [0x10, 1],
      [0x1010, 2],
      [0x2010, 3],
    ] as const) {
      expect(importer.write(offset, value)).toBe('success');
    }
    expect([3, 4, 0].map((page) => machine.bar.pageBytes(page)[0x10])).toEqual([1, 2, 3]);
    machine.run<unknown>(
      {
        reset: () => vfioPciIoctlReset(machine.vdev),
        'memory-off': () => vfioPciConfigWrite(machine.vdev, 4, Uint8Array.of(0, 0)),
        close: () => vfioPciCoreCloseDevice(machine.vdev),
      }[trigger](),
    );
    expect([importer.shown, machine.domain?.table.liveLeafEntries]).toEqual([null, 0]);
    const before = machine.bar.writes.length;
    expect(importer.write(0x10, 9)).not.toBe('success');
    expect(machine.bar.writes).toHaveLength(before);
    const again = machine.run(importer.show());
    if (trigger === 'reset') machine.run(lockedHide(importer));
    else expect([again, machine.run(importer.ready())]).toEqual([failure(Errno.ENODEV), -Errno.ENODEV]);
    machine.run(importer.close());
    machine.run(machine.platform.files.close(fd));
    expect([machine.leftovers, machine.rules()]).toEqual([[0, 0, 0, 0, 0, 0, 0], []]);
  },
);

function* lockedHide(importer: WindowImporter): ModelTask<void> {
  yield* dmaResvLock(importer.dmabuf.resv);
  yield* importer.hide();
  dmaResvUnlock(importer.dmabuf.resv);
}

it('without its offer an importer with page tables finds nothing', () => {
  const machine = new VfioMachine({ iommu: true, mapping: vfioMappingTypes({ doors: ['phys-list'] }) });
  const importer = new WindowImporter(machine, machine.ioctl(featureBytes()));
  expect(machine.run(importer.open())).toBe(-Errno.EINVAL);
});
