// The feature ioctl: each check in its place, what is not checked, and that nothing of a failed export stays.
import { dmaBufGet, dmaBufPut } from '@sgfree/dma-buf';
import { byteDistance, physAddr } from '@sgfree/hw-model';
import { Errno, failure } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  type FeatureFields,
  featureBytes,
  VfioMachine,
  type VfioMachineOptions,
} from '../../test/vfio-machine.ts';
import { vfioPciCoreCloseDevice } from '../device/open-close.ts';
import { VFIO_FEATURE_FLAG } from './device-feature.ts';
import { vfioPciCoreFeatureDmaBuf } from './feature-dma-buf.ts';
import { vfioPciCoreFillPhysVec } from './get-dmabuf-phys.ts';

const { get, set, probe } = VFIO_FEATURE_FLAG;
const FEATURE = 11;
const BAR = 0x800000n;
const TOP = 1n << 64n;
const noHook: VfioMachineOptions = { getDmabufPhys: null };
const ioBar: VfioMachineOptions = { claimedBars: [0, 1, 2] };

interface Row {
  readonly key: string;
  readonly fields: FeatureFields;
  readonly machine?: VfioMachineOptions;
  readonly prepare?: (machine: VfioMachine) => void;
  /** 0 = success. */
  readonly errno: number;
}

const ROWS: readonly Row[] = [
  { key: '0.unreadable-header', fields: { readable: 7 }, errno: Errno.EFAULT },
  { key: '0.argsz-7', fields: { argsz: 7 }, errno: Errno.EINVAL },
  { key: '0.unknown-flag', fields: { flags: get + FEATURE + 0x80000 }, errno: Errno.EINVAL },
  { key: '0.unknown-flag-top', fields: { flags: get + FEATURE + 0x80000000 }, errno: Errno.EINVAL },
  { key: '0.get-and-set', fields: { flags: get + set + FEATURE }, errno: Errno.EINVAL },
  {
    key: '0.get-and-set-before-1',
    fields: { flags: get + set + FEATURE },
    machine: noHook,
    errno: Errno.EINVAL,
  },
  { key: '0.unknown-feature', fields: { flags: get + 12 }, errno: Errno.ENOTTY },
  { key: '1.no-hook', fields: {}, machine: noHook, errno: Errno.EOPNOTSUPP },
  {
    key: '1.no-hook-probe',
    fields: { flags: probe + get + FEATURE },
    machine: noHook,
    errno: Errno.EOPNOTSUPP,
  },
  { key: '1.no-hook-before-2', fields: { flags: set + FEATURE }, machine: noHook, errno: Errno.EOPNOTSUPP },
  { key: '2.set', fields: { flags: set + FEATURE }, errno: Errno.EINVAL },
  { key: '2.set-probe', fields: { flags: set + probe + FEATURE }, errno: Errno.EINVAL },
  { key: '2.get-set-probe', fields: { flags: get + set + probe + FEATURE }, errno: Errno.EINVAL },
  { key: '4.neither', fields: { flags: FEATURE }, errno: Errno.EINVAL },
  { key: '4.argsz-23', fields: { argsz: 23 }, errno: Errno.EINVAL },
  { key: '4.argsz-before-5', fields: { argsz: 23, readable: 8 }, errno: Errno.EINVAL },
  { key: '5.unreadable-payload', fields: { readable: 23 }, errno: Errno.EFAULT },
  { key: '6.no-ranges', fields: { nrRanges: 0 }, errno: Errno.EINVAL },
  { key: '6.flags', fields: { zero: 1 }, errno: Errno.EINVAL },
  { key: '6.flags-before-7', fields: { zero: 1, region: 6 }, errno: Errno.EINVAL },
  { key: '7.rom', fields: { region: 6 }, errno: Errno.ENODEV },
  { key: '7.large-region', fields: { region: 0xffffffff }, errno: Errno.ENODEV },
  { key: '7.no-bar', fields: { region: 1 }, errno: Errno.ENODEV },
  { key: '7.region-before-8', fields: { region: 1, readable: 24 }, errno: Errno.ENODEV },
  { key: '8.unreadable-ranges', fields: { readable: 39 }, errno: Errno.EFAULT },
  { key: '8.too-many-ranges', fields: { nrRanges: 0x40001 }, errno: Errno.ENOMEM },
  { key: '8.most-ranges-unreadable', fields: { nrRanges: 0x40000 }, errno: Errno.EFAULT },
  { key: '9.empty', fields: { ranges: [[0n, 0n]] }, errno: Errno.EINVAL },
  { key: '9.offset-unaligned', fields: { ranges: [[1n, 0x1000n]] }, errno: Errno.EINVAL },
  { key: '9.length-unaligned', fields: { ranges: [[0n, 0x1001n]] }, errno: Errno.EINVAL },
  { key: '9.large-offset-unaligned', fields: { ranges: [[TOP - 1n, 0x1000n]] }, errno: Errno.EINVAL },
  {
    key: '9.sum-overflows',
    fields: {
      ranges: [
        [0n, TOP - 0x1000n],
        [0n, 0x1000n],
      ],
    },
    errno: Errno.EINVAL,
  },
  {
    key: '9.sum-bit-63',
    fields: {
      ranges: [
        [0n, TOP / 4n],
        [0n, TOP / 4n],
      ],
    },
    errno: Errno.EINVAL,
  },
  {
    key: '9.length-before-11',
    fields: { region: 1, ranges: [[0n, 0n]] },
    machine: ioBar,
    errno: Errno.EINVAL,
  },
  { key: '11.no-provider', fields: { region: 1 }, machine: ioBar, errno: Errno.EINVAL },
  { key: '11.not-mappable', fields: {}, prepare: (m) => notMappable(m), errno: Errno.EINVAL },
  {
    key: '11.before-12',
    fields: { ranges: [[TOP - 0x1000n, 0x1000n]] },
    prepare: (m) => notMappable(m),
    errno: Errno.EINVAL,
  },
  { key: '12.offset-overflows', fields: { ranges: [[TOP - 0x1000n, 0x1000n]] }, errno: Errno.EOVERFLOW },
  {
    key: '12.length-overflows',
    fields: { ranges: [[TOP / 2n + 0x1000n, TOP / 2n - 0x2000n]] },
    errno: Errno.EOVERFLOW,
  },
  { key: '13.beyond-bar', fields: { ranges: [[BAR - 0x1000n, 0x2000n]] }, errno: Errno.EINVAL },
  { key: '13.at-bar-end', fields: { ranges: [[BAR, 0x1000n]] }, errno: Errno.EINVAL },
  {
    key: '13.first-wrong-decides',
    fields: {
      ranges: [
        [BAR, 0x1000n],
        [TOP - 0x1000n, 0x1000n],
      ],
    },
    errno: Errno.EINVAL,
  },
  {
    key: '13.first-wrong-decides-12',
    fields: {
      ranges: [
        [TOP - 0x1000n, 0x1000n],
        [BAR, 0x1000n],
      ],
    },
    errno: Errno.EOVERFLOW,
  },
  { key: '14.being-removed', fields: {}, prepare: (m) => removed(m), errno: Errno.ENODEV },
  {
    key: '14.after-13',
    fields: { ranges: [[BAR, 0x1000n]] },
    prepare: (m) => removed(m),
    errno: Errno.EINVAL,
  },
  { key: '15.no-descriptor', fields: {}, machine: { fdLimit: 0 }, errno: Errno.EMFILE },
  { key: 'ok.whole-bar', fields: { ranges: [[0n, BAR]] }, errno: 0 },
  { key: 'ok.other-bar', fields: { region: 2 }, errno: 0 },
  {
    key: 'ok.argsz-covers-no-ranges',
    fields: {
      argsz: 24,
      ranges: [
        [0n, 0x1000n],
        [0n, 0x1000n],
      ],
    },
    errno: 0,
  },
  { key: 'ok.argsz-large', fields: { argsz: 0xffffffff }, errno: 0 },
  {
    key: 'ok.overlap-and-order',
    fields: {
      ranges: [
        [0x4000n, 0x2000n],
        [0n, 0x1000n],
        [0x4000n, 0x1000n],
      ],
    },
    errno: 0,
  },
  { key: 'ok.open-flags', fields: { openFlags: 0xffffffff }, errno: 0 },
];

function notMappable({ vdev }: VfioMachine): void {
  vdev.pdev.nonMappableBars = true;
}

function removed({ vdev }: VfioMachine): void {
  vdev.registration.refs = 0;
}

describe('the checks of the export', () => {
  it.each(ROWS)('$key', ({ fields, machine: options = {}, prepare, errno }) => {
    const machine = new VfioMachine(options);
    prepare?.(machine);
    const refs = machine.vdev.registration.refs;
    const result = machine.ioctl(featureBytes(fields));
    if (errno === 0) {
      expect(result).toBe(0);
      expect(machine.platform.buffers.size).toBe(1);
      expect(machine.vdev.registration.refs).toBe(refs + 1);
      expect(machine.run(machine.platform.files.close(result))).toBe(0);
    } else {
      expect(result).toBe(-errno);
    }
    expect([machine.vdev.registration.refs, machine.vdev.dmabufs.length]).toEqual([refs, 0]);
    expect([machine.platform.buffers.size, machine.platform.files.count]).toEqual([0, 0]);
    expect(machine.platform.order.allFree).toBe(true);
  });

  it('3.probe succeeds before any content is looked at, and makes nothing', () => {
    const machine = new VfioMachine();
    for (const flags of [probe + FEATURE, probe + get + FEATURE]) {
      expect(machine.ioctl(featureBytes({ flags, argsz: 8, readable: 8 }))).toBe(0);
    }
    expect(machine.leftovers).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('the buffer', () => {
  it('has the ranges in the order of the user, the sum of their lengths, and the flags of its file', () => {
    const machine = new VfioMachine();
    const ranges = [
      [0x4000n, 0x2000n],
      [0n, 0x1000n],
    ] as const;
    const fd = machine.ioctl(featureBytes({ ranges, openFlags: 0x80802 }));
    const dmabuf = dmaBufGet(machine.platform, fd);
    if (!dmabuf.ok) throw new Error('no buffer');
    const start = machine.fabric.barPhys(machine.vdev.pdev.fn, 0);
    expect(dmabuf.value.size).toBe(0x3000);
    expect([dmabuf.value.fileFlags, machine.platform.files.closesOnExec(fd)]).toEqual([0x802, true]);
    expect(
      machine.vdev.dmabufs[0]?.physVec.map(({ paddr, len }) => [byteDistance(start, paddr), len]),
    ).toEqual([
      [0x4000, 0x2000],
      [0, 0x1000],
    ]);
    machine.run(dmaBufPut(dmabuf.value));
    machine.run(machine.platform.files.close(fd));
    machine.run(vfioPciCoreCloseDevice(machine.vdev));
    expect(machine.leftovers).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  it('leaves nothing behind when any allocation of its export fails', () => {
    const errnos: number[] = [];
    for (let failing = 1; ; failing += 1) {
      const machine = new VfioMachine();
      let count = 0;
      machine.platform.allocate = () => {
        count += 1;
        return count !== failing;
      };
      const result = machine.ioctl(featureBytes());
      if (result >= 0) break;
      errnos.push(result);
      expect(machine.leftovers).toEqual([0, 0, 0, 0, 0, 0, 0]);
      expect(machine.vdev.dmabufs).toEqual([]);
    }
    expect(errnos).toEqual([-Errno.ENOMEM, -Errno.ENOMEM, -Errno.ENOMEM, -Errno.ENOMEM]);
  });

  it('can be asked for without bytes', () => {
    const machine = new VfioMachine();
    const request = { regionIndex: 0, openFlags: 0, flags: 0 };
    const ranges = [{ offset: 0, length: 4096 }];
    expect(machine.run(vfioPciCoreFeatureDmaBuf(machine.vdev, request, ranges))).toEqual({
      ok: true,
      value: 0,
    });
    expect(machine.run(vfioPciCoreFeatureDmaBuf(machine.vdev, request, []))).toEqual(failure(Errno.EINVAL));
    const hookless = new VfioMachine(noHook);
    expect(hookless.run(vfioPciCoreFeatureDmaBuf(hookless.vdev, request, ranges))).toEqual(
      failure(Errno.EOPNOTSUPP),
    );
  });

  it('has ranges that a variant driver checks, too', () => {
    expect(vfioPciCoreFillPhysVec([{ offset: 0, length: 0 }], physAddr(0x1000), 0x1000)).toEqual(
      failure(Errno.EINVAL),
    );
  });
});
