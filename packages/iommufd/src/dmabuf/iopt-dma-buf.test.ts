// Buffers of other drivers behind an I/O address space: the dma-buf cases of the kernel's iommufd selftest, and more.
import { dmaBufDetach } from '@sgfree/dma-buf';
import { dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import { frameOf } from '@sgfree/hw-model';
import { IOMMU_CACHE } from '@sgfree/iommu';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { BUFFERS, CoreMachine, numberOf } from '../../test/core-machine.ts';
import {
  type IommufdIoas,
  IoptAccess,
  iommufdAccessAttach,
  iommufdAccessPinPages,
  iommufdAccessRw,
  u64,
} from '../index.ts';

const P = 4096;
const FRAME = frameOf(BUFFERS);

class Rig {
  readonly machine = new CoreMachine();
  readonly ioas: IommufdIoas = this.machine.ioas();
  readonly hwpts: number[] = [];
  readonly base: number;

  constructor(devices: number) {
    for (let device = 0; device < devices; device += 1) this.attach();
    this.base = devices === 0 ? 0 : 0x1000000;
  }

  attach(): void {
    const attached = this.machine.attach(this.ioas);
    if (!attached.ok) throw new Error('not attached');
    this.hwpts.push(attached.value.hwptId);
  }

  /** The frame that each page table shows at an IOVA. */
  frames(iova: number): number[] {
    return this.hwpts.map((id) => this.machine.hwpt(id).domain?.frameAt(u64(iova)) ?? -2);
  }
}

describe.each([0, 1])('with %d devices', (devices) => {
  it('checks the range against the size', () => {
    const { machine, ioas } = new Rig(devices);
    const { fd } = machine.buffer(4 * P);
    const map = (start: number, length: number): number => numberOf(machine.mapFile(ioas, fd, start, length));
    expect([map(0, 0), map(4 * P, 4 * P), map(0, 4 * P + 1)]).toEqual([-22, -22, -22]);
    expect(map(0, 4 * P)).toBe(devices === 0 ? 0x4000 : 0x1000000);
    expect(machine.dmaBufs.buffers.size).toBe(1);
  });

  it('what was taken back stays dead, its IOVAs stay taken', () => {
    const rig = new Rig(devices);
    const { machine, ioas, base } = rig;
    const buffer = machine.buffer(4 * P);
    const iova = devices === 0 ? 0x4000 : base;
    expect(numberOf(machine.mapFile(ioas, buffer.fd, 0, 4 * P))).toBe(iova);
    expect(rig.frames(iova)).toEqual(rig.hwpts.map(() => FRAME));
    machine.revoke(buffer, true);
    expect(rig.frames(iova)).toEqual(rig.hwpts.map(() => -1));
    if (devices === 1) rig.attach();
    expect(rig.frames(iova).every((frame) => frame === -1)).toBe(true);
    expect(numberOf(machine.mapFile(ioas, buffer.fd, 0, 4 * P))).toBe(-Errno.ENODEV);
    machine.revoke(buffer, false);
    expect(rig.frames(iova).every((frame) => frame === -1)).toBe(true);
    const second = numberOf(machine.mapFile(ioas, buffer.fd, 0, 4 * P));
    expect(second).toBe(devices === 0 ? 0x8000 : 0x1004000);
    expect(rig.frames(second).every((frame) => frame === FRAME)).toBe(true);
    expect(numberOf(machine.mapFile(ioas, buffer.fd, 0, 4 * P, u64(iova)))).toBe(-Errno.EEXIST);
    expect(numberOf(machine.unmap(ioas, iova, 4 * P))).toBe(4 * P);
    expect(numberOf(machine.unmap(ioas, second, 4 * P))).toBe(4 * P);
    expect(buffer.dmabuf.attachments).toEqual([]);
    expect(machine.close()).toEqual([0, 0, 0]);
    expect(machine.rules()).toEqual([]);
  });
});

describe('buffers', () => {
  it('several ranges are refused and nothing is left over', () => {
    const { machine, ioas } = new Rig(1);
    const buffer = machine.buffer(4 * P, 2);
    expect(numberOf(machine.mapFile(ioas, buffer.fd, 0, P))).toBe(-Errno.EOPNOTSUPP);
    expect([buffer.dmabuf.attachments.length, buffer.dmabuf.refs]).toEqual([0, 1]);
  });

  it('a copy shares the fate of the original', () => {
    const rig = new Rig(1);
    const { machine, ioas, base } = rig;
    const buffer = machine.buffer(4 * P);
    const other = machine.ioas();
    const attached = machine.attach(other);
    machine.mapFile(ioas, buffer.fd, P, 2 * P);
    expect(numberOf(machine.copy(ioas, u64(base + P), u64(P), other, null))).toBe(base);
    const table = machine.hwpt(attached.ok ? attached.value.hwptId : 0).domain;
    expect(table?.frameAt(u64(base))).toBe(FRAME + 2);
    machine.revoke(buffer, true);
    expect([table?.frameAt(u64(base)), rig.frames(base)[0]]).toEqual([-1, -1]);
    expect(numberOf(machine.copy(ioas, u64(base), u64(2 * P), other, null))).toBe(base + P);
    expect(machine.close()).toEqual([0, 0, 0]);
    expect([buffer.dmabuf.refs, buffer.dmabuf.attachments.length]).toEqual([1, 0]);
    expect(machine.rules()).toEqual([]);
  });

  it('an in-kernel user cannot pin or read it', () => {
    const { machine, ioas, base } = new Rig(1);
    machine.mapFile(ioas, machine.buffer(4 * P).fd, 0, 4 * P);
    const ops = { needsPinPages: true, *unmap() {} };
    const access = new IoptAccess(machine.platform, ops);
    expect(machine.run(iommufdAccessAttach(access, ioas.iopt))).toBe(0);
    const pinned = machine.run(iommufdAccessPinPages(access, u64(base), u64(P), false));
    expect(pinned).toEqual({ ok: false, errno: Errno.EINVAL });
    expect(machine.run(iommufdAccessRw(access, u64(base), new Uint8Array(4), false))).toBe(-Errno.EINVAL);
  });

  it('a buffer taken back before a device comes is not shown to it', () => {
    const rig = new Rig(0);
    const { machine, ioas } = rig;
    const buffer = machine.buffer(4 * P);
    expect(numberOf(machine.mapFile(ioas, buffer.fd, 0, 4 * P, u64(0x1000000)))).toBe(0x1000000);
    machine.revoke(buffer, true);
    rig.attach();
    expect(rig.frames(0x1000000)).toEqual([-1]);
    expect(numberOf(machine.unmap(ioas, 0x1000000, 4 * P))).toBe(4 * P);
  });

  it('is mapped as device memory, counted nowhere, and shown from the middle of a page', () => {
    const rig = new Rig(1);
    const { machine, ioas, base } = rig;
    const { fd } = machine.buffer(4 * P);
    const seen: number[] = [];
    const domain = machine.hwpt(rig.hwpts[0] ?? 0).domain;
    const map = domain?.map.bind(domain);
    if (domain === null || domain === undefined || map === undefined) throw new Error('no domain');
    domain.map = (iova, frame, byte, bytes, prot) => {
      seen.push(frame - FRAME, byte, bytes, prot & (IOMMU_CACHE | 16));
      return map(iova, frame, byte, bytes, prot);
    };
    expect(numberOf(machine.mapFile(ioas, fd, 2 * P + 2048, P))).toBe(base + 2048);
    expect(seen).toEqual([2, 2048, P, 16]);
    expect([domain.frameAt(u64(base + 2048)), domain.byteAt(u64(base + 2048))]).toEqual([FRAME + 2, 2048]);
    expect(machine.process.mm.pinnedVm).toBe(0);
  });

  it('is refused without a device to attach and leaves other importers alone', () => {
    const { machine, ioas } = new Rig(0);
    const buffer = machine.buffer(P);
    const dev = machine.platform.device;
    const ops = { allowPeer2peer: true };
    const other = machine.run(dmaBufDynamicAttach(buffer.dmabuf, dev, ops, null));
    expect(numberOf(machine.mapFile(ioas, buffer.fd, 0, P, u64(0)))).toBe(0);
    expect(buffer.dmabuf.attachments).toHaveLength(2);
    machine.unmap(ioas, 0, P);
    expect(buffer.dmabuf.attachments).toEqual(other.ok ? [other.value] : []);
    if (other.ok) machine.run(dmaBufDetach(buffer.dmabuf, other.value));
  });
});
