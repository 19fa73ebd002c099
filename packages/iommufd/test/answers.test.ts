// What calls write back: which fields, how many bytes, and what remains when the answer cannot be written.
import { physOfFrame } from '@sgfree/hw-model';
import { copyFromUser, Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { decodeIommufdStruct, encodeIommufdStruct, iommufdFopsIoctl, iommufdStruct } from '../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT, P } from './abi-world.ts';

const MAX = 2n ** 64n - 1n;

/** Puts a structure into the page that must not be written; the errno of the call with its address. */
function callReadOnly(world: AbiWorld, name: string, bytes: Uint8Array): number {
  world.run(copyFromUser(world.mm, world.readOnly, new Uint8Array(1)));
  const frame = world.mm.ptes.get(world.readOnly / P)?.frame ?? 0;
  world.memory.write(physOfFrame(frame), bytes);
  return world.raw(iommufdStruct(name).request, world.readOnly);
}

describe('iova ranges', () => {
  const ask = (world: AbiWorld, ioas: number, room: number) => {
    world.poke(world.scratch, new Uint8Array(64).fill(0xee));
    const fields = { ioas_id: ioas, num_iovas: room, allowed_iovas: BigInt(world.scratch) };
    const { errno, bytes } = world.call('iommu_ioas_iova_ranges', fields);
    const view = new DataView(world.peek(world.scratch, 64).buffer);
    const words = Array.from({ length: 4 }, (_, at) => view.getBigUint64(at * 8, true));
    const { num_iovas: count, out_iova_alignment: alignment } = decodeIommufdStruct(
      'iommu_ioas_iova_ranges',
      bytes,
    );
    return { errno, count, alignment, words };
  };
  const untouched = 0xeeeeeeeeeeeeeeeen;

  it('gives the one range of an address space without devices', () => {
    const world = new AbiWorld().populate();
    const words = [0n, MAX, untouched, untouched];
    expect(ask(world, ID.plain, 4)).toEqual({ errno: 0, count: 1, alignment: 1n, words });
  });

  it('gives the aperture of a mock device', () => {
    const world = new AbiWorld().populate();
    const words = [0x1000000n, 0x7fffffffn, untouched, untouched];
    expect(ask(world, ID.mapped, 4)).toEqual({ errno: 0, count: 1, alignment: 2048n, words });
  });

  it('tells how many there are when there is no room', () => {
    const world = new AbiWorld().populate();
    const words = [untouched, untouched, untouched, untouched];
    expect(ask(world, ID.plain, 0)).toEqual({ errno: Errno.EMSGSIZE, count: 1, alignment: 1n, words });
  });
});

describe('an answer that cannot be written', () => {
  const creating = [
    ['iommu_ioas_alloc', {}],
    ['iommu_hwpt_alloc', { dev_id: ID.device, pt_id: ID.mapped, flags: 4, fault_id: ID.fault }],
    ['iommu_fault_alloc', {}],
  ] as const;
  it.each(creating)('undoes %s', (name, fields) => {
    const world = new AbiWorld().populate();
    const before = world.ctx.objects.objects.map(({ id, users }) => [id, users]);
    const files = world.dmaBufs.files.count;
    expect(callReadOnly(world, name, encodeIommufdStruct(name, fields))).toBe(Errno.EFAULT);
    expect(world.ctx.objects.objects.map(({ id, users }) => [id, users])).toEqual(before);
    expect(world.ctx.objects.size).toBe(before.length);
    expect(world.dmaBufs.files.count).toBe(files);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('leaves a mapping in place', () => {
    const world = new AbiWorld().populate();
    const map = {
      flags: 7,
      ioas_id: ID.plain,
      user_va: BigInt(world.buffer),
      length: 0x1000n,
      iova: 0x90000n,
    };
    expect(callReadOnly(world, 'iommu_ioas_map', encodeIommufdStruct('iommu_ioas_map', map))).toBe(
      Errno.EFAULT,
    );
    expect(world.call('iommu_ioas_map', map).errno).toBe(Errno.EEXIST);
    const unmap = { ioas_id: ID.plain, iova: 0x90000n, length: 0x1000n };
    const bytes = encodeIommufdStruct('iommu_ioas_unmap', unmap);
    expect(callReadOnly(world, 'iommu_ioas_unmap', bytes)).toBe(Errno.EFAULT);
    expect(world.call('iommu_ioas_unmap', unmap).errno).toBe(Errno.ENOENT);
  });

  it('does not matter to calls without one', () => {
    const world = new AbiWorld().populate();
    const silent = [
      ['iommu_destroy', { id: ID.parent }],
      ['iommu_vfio_ioas', { op: 1, ioas_id: ID.plain }],
      ['iommu_ioas_allow_iovas', { ioas_id: ID.plain }],
    ] as const;
    for (const [name, fields] of silent) {
      expect(callReadOnly(world, name, encodeIommufdStruct(name, fields))).toBe(0);
    }
    const get = encodeIommufdStruct('iommu_vfio_ioas', { op: 0 });
    expect(callReadOnly(world, 'iommu_vfio_ioas', get)).toBe(Errno.EFAULT);
  });

  it('makes an invalidation fail in another way', () => {
    const world = new AbiWorld().populate();
    const bytes = encodeIommufdStruct('iommu_hwpt_invalidate', { hwpt_id: ID.none, entry_num: 0 });
    expect(callReadOnly(world, 'iommu_hwpt_invalidate', bytes)).toBe(Errno.EFAULT);
    const refused = world.call('iommu_hwpt_invalidate', { __reserved: 1, entry_num: 3 });
    expect(refused.errno).toBe(Errno.EOPNOTSUPP);
    expect(decodeIommufdStruct('iommu_hwpt_invalidate', refused.bytes)['entry_num']).toBe(0);
  });
});

describe('the bytes of an answer', () => {
  it('are as many as user space has room for', () => {
    const world = new AbiWorld().populate();
    const bytes = encodeIommufdStruct('iommu_hwpt_alloc', { size: 24, dev_id: ID.device, pt_id: ID.mapped });
    bytes.fill(0xab, 24);
    expect(world.raw(iommufdStruct('iommu_hwpt_alloc').request, bytes)).toBe(0);
    expect(decodeIommufdStruct('iommu_hwpt_alloc', bytes)['out_hwpt_id']).toBe(8);
    expect([...bytes.subarray(24)].every((byte) => byte === 0xab)).toBe(true);
  });

  it('end with what the kernel knows', () => {
    const world = new AbiWorld().populate();
    const bytes = new Uint8Array(20);
    bytes[0] = 20;
    expect(world.raw(iommufdStruct('iommu_ioas_alloc').request, bytes)).toBe(0);
    expect([...bytes]).toEqual([20, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('stay as they were when a call is refused', () => {
    const world = new AbiWorld().populate();
    const fields = { ioas_id: ID.plain, iova: 0x12000n, length: 0x8000n };
    const { errno, bytes } = world.call('iommu_ioas_unmap', fields);
    expect(errno).toBe(Errno.ENOENT);
    expect(bytes).toEqual(encodeIommufdStruct('iommu_ioas_unmap', fields));
  });

  it('are the same at an address as in an array', () => {
    const world = new AbiWorld().populate();
    const { errno, bytes } = world.call('iommu_ioas_iova_ranges', { ioas_id: ID.mapped });
    const other = new AbiWorld().populate();
    other.poke(other.scratch + 100, encodeIommufdStruct('iommu_ioas_iova_ranges', { ioas_id: ID.mapped }));
    expect(other.raw(iommufdStruct('iommu_ioas_iova_ranges').request, other.scratch + 100)).toBe(errno);
    expect(other.peek(other.scratch + 100, bytes.length)).toEqual(bytes);
  });

  it('hold the IOVA, the bytes that were unmapped, and what hardware can do', () => {
    const world = new AbiWorld().populate();
    const map = { flags: 6, ioas_id: ID.mapped, user_va: BigInt(world.buffer + 0x800), length: 0x800n };
    const mapped = decodeIommufdStruct('iommu_ioas_map', world.call('iommu_ioas_map', map).bytes);
    expect(mapped['iova']).toBe(0x1000800n);
    const copy = {
      flags: 4,
      src_ioas_id: ID.mapped,
      dst_ioas_id: ID.plain,
      src_iova: 0x1000800n,
      length: 0x800n,
    };
    const copied = decodeIommufdStruct('iommu_ioas_copy', world.call('iommu_ioas_copy', copy).bytes);
    expect(copied['dst_iova']).toBe(0x1800n);
    const unmap = { ioas_id: ID.mapped, iova: 0n, length: MAX };
    const unmapped = decodeIommufdStruct('iommu_ioas_unmap', world.call('iommu_ioas_unmap', unmap).bytes);
    expect(unmapped['length']).toBe(0x4800n);
    const again = decodeIommufdStruct('iommu_ioas_unmap', world.call('iommu_ioas_unmap', unmap).bytes);
    expect(again['length']).toBe(0n);
    const hardware = { dev_id: ID.device, data_len: 16, data_uptr: BigInt(world.scratch) };
    const info = decodeIommufdStruct('iommu_hw_info', world.call('iommu_hw_info', hardware).bytes);
    expect([info['data_len'], info['data_type'], info['out_capabilities']]).toEqual([8, 0xfeedbeef, 1n]);
  });
});

it('gives every new object the lowest free number', () => {
  const world = new AbiWorld();
  const make = () =>
    decodeIommufdStruct('iommu_ioas_alloc', world.call('iommu_ioas_alloc').bytes)['out_ioas_id'];
  expect([make(), make(), make()]).toEqual([1, 2, 3]);
  expect(world.call('iommu_destroy', { id: 2 }).errno).toBe(0);
  expect(world.call('iommu_destroy', { id: 2 }).errno).toBe(Errno.ENOENT);
  expect(world.call('iommu_destroy', { id: 1 }).errno).toBe(0);
  expect([make(), make(), make()]).toEqual([1, 2, 4]);
});

it('closes the context with the last file that needs it', () => {
  const world = new AbiWorld();
  const made = world.call('iommu_fault_alloc');
  const { out_fault_fd: fd } = decodeIommufdStruct('iommu_fault_alloc', made.bytes);
  expect(world.ctx.refs).toBe(2);
  expect(world.dmaBufs.files.closesOnExec(Number(fd))).toBe(true);
  expect(world.call('iommu_destroy', { id: 1 }).errno).toBe(Errno.EBUSY);
  world.run(world.dmaBufs.files.close(Number(fd)));
  expect(world.ctx.refs).toBe(1);
  expect(world.call('iommu_destroy', { id: 1 }).errno).toBe(0);
});

it('has no number left when every descriptor is taken', () => {
  const world = new AbiWorld();
  while (world.dmaBufs.files.reserve().ok);
  expect(world.call('iommu_fault_alloc').errno).toBe(Errno.EMFILE);
  expect(world.ctx.objects.size).toBe(0);
});

it('runs inside a task like anything else', () => {
  const world = new AbiWorld();
  const bytes = encodeIommufdStruct('iommu_ioas_alloc');
  const task = world.scheduler.spawn('caller', iommufdFopsIoctl(world.ctx, 0x3b81, bytes));
  world.scheduler.run();
  expect(task.result).toBe(0);
});
