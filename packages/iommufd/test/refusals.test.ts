// Refusals for which somebody else has to be different: an exporter that does not pin, an IOMMU with other pages or another driver,
// a device with regions that only matter until its driver takes over.
// Source followed: iopt_map_dmabuf in pages.c; iopt_table_add_domain and iopt_table_enforce_dev_resv_regions in io_pagetable.c;
// ib_uverbs_dmabuf_pin in drivers/infiniband/core/uverbs_std_types_dmabuf.c.
import { dmaAddr } from '@sgfree/hw-model';
import type { ReservedRegion } from '@sgfree/iommu';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { type IommufdIoas, IoptDomain, ioptTableAddDomain, MockDevice, u64 } from '../src/index.ts';
import { CoreMachine, numberOf } from './core-machine.ts';
import { stubbornBuffer } from './stubborn-exporter.ts';

const P = 4096;
const VA = 2 ** 31;

describe('an exporter that does not pin', () => {
  it.each([
    ['an uverbs buffer is refused when it is pinned', Errno.EOPNOTSUPP],
    ['an exporter without room is refused with its own error', Errno.ENOMEM],
    ['an exporter that is busy is refused with its own error', Errno.EBUSY],
  ])('%s', (_, errno) => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    const { fd, seen } = stubbornBuffer(machine, errno);
    for (const devices of [0, 1]) {
      if (devices === 1) machine.attach(ioas);
      seen.length = 0;
      expect(numberOf(machine.mapFile(ioas, fd, 0, 4 * P))).toBe(-errno);
      expect(seen).toEqual(['attach', 'pin', 'detach']);
      expect(ioas.iopt.areas.ranges).toEqual([]);
    }
    machine.run(machine.dmaBufs.files.close(fd));
    expect([seen.at(-1), machine.dmaBufs.buffers.size]).toEqual(['release', 0]);
    expect(machine.dmaBufs.order.allFree).toBe(true);
    expect(machine.close()).toEqual([0, 0, 0]);
  });

  it('is asked before the interconnect, which knows a buffer that it pins', () => {
    const machine = new CoreMachine();
    const { fd, seen } = stubbornBuffer(machine, 0);
    const iova = numberOf(machine.mapFile(machine.ioas(), fd, 0, 4 * P));
    expect([iova, seen]).toEqual([0x4000, ['attach', 'pin']]);
  });
});

describe('an IOMMU whose smallest page is above 4 KiB', () => {
  /** The table of a mock device, taken for one of another unit. */
  function tableOf(machine: CoreMachine, granule: number): IoptDomain {
    const made = machine.run(machine.mock().allocPagingDomain(0, null));
    if (!made.ok) throw new Error('no table');
    return new IoptDomain(made.value.domain, { granule });
  }

  it.each([
    [2048, 0],
    [4096, 0],
    [8192, -Errno.EINVAL],
    [65536, -Errno.EINVAL],
  ])('pages of %i bytes: %i', (granule, errno) => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    expect(machine.run(ioptTableAddDomain(ioas.iopt, tableOf(machine, granule)))).toBe(errno);
    const added = errno === 0;
    expect([ioas.iopt.domains.length, ioas.iopt.iovaAlignment]).toEqual(added ? [1, granule] : [0, 1]);
    if (!added) expect(ioas.iopt.reserved.count).toBe(0);
  });

  it('is refused before areas are looked at that are not aligned either', () => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    expect(numberOf(machine.map(ioas, u64(VA), u64(3), u64(5)))).toBe(5);
    const add = (granule: number) => machine.run(ioptTableAddDomain(ioas.iopt, tableOf(machine, granule)));
    expect([add(8192), add(4096)]).toEqual([-Errno.EINVAL, -Errno.EADDRINUSE]);
  });

  it('cannot be attached, and leaves nothing behind', () => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    const device = machine.mock();
    const alloc = device.allocPagingDomain.bind(device);
    device.allocPagingDomain = function* (flags, data) {
      const made = yield* alloc(flags, data);
      return made.ok ? { ok: true, value: new IoptDomain(made.value.domain, { granule: 8192 }) } : made;
    };
    expect(machine.attach(ioas, device)).toEqual({ ok: false, errno: Errno.EINVAL });
    expect([device.domain, ioas.iopt.domains.length]).toEqual([null, 0]);
    expect(machine.close()).toEqual([0, 0, 0]);
  });
});

describe('a region of a device', () => {
  const START = 0x2000000;

  /** An address space that a device with one region of a kind is attached to, or the errno. */
  function attached(type: ReservedRegion['type'], occupied = false) {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    machine.mmap(4 * P, VA);
    if (occupied) machine.map(ioas, u64(VA), u64(P), u64(START));
    const reservedRegions: ReservedRegion[] = [{ start: dmaAddr(START), bytes: 4 * P, type, prot: 0 }];
    const { memory, tables: frames } = machine;
    const made = machine.attach(ioas, new MockDevice({ memory, frames, reservedRegions }));
    return { machine, ioas, errno: made.ok ? 0 : made.errno };
  }

  const mapThere = ({ machine, ioas }: { machine: CoreMachine; ioas: IommufdIoas }): number =>
    numberOf(machine.map(ioas, u64(VA), u64(P), u64(START + P)));

  it.each(['direct', 'reserved', 'msi', 'sw-msi'] as const)('of kind %s is reserved', (type) => {
    const bench = attached(type);
    expect([bench.errno, mapThere(bench)]).toEqual([0, -Errno.EINVAL]);
    expect(bench.ioas.iopt.reserved.count).toBe(3);
    expect(attached(type, true).errno).toBe(Errno.EADDRINUSE);
  });

  it('of kind direct-relaxable is not', () => {
    const bench = attached('direct-relaxable');
    expect([bench.errno, mapThere(bench)]).toEqual([0, START + P]);
    expect(bench.ioas.iopt.reserved.count).toBe(2);
    expect(attached('direct-relaxable', true).errno).toBe(0);
  });
});
