// What a device's hardware says of itself, through the byte face: which type is asked, how many bytes come, what is zeroed.
// Source followed: get_hw_info of selftests/iommu/iommufd.c; iommufd_get_hw_info in device.c of iommufd.
import { AmdIommuUnit, dirtyTrackingAmdFeatures, recordedVtdCapabilities, VtdUnit } from '@sgfree/hw-model';
import { AmdIommu, IntelIommu } from '@sgfree/iommu';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  AmdBoundDevice,
  decodeIommufdStruct,
  type IommufdBoundDevice,
  iommufdDeviceBind,
  MockDevice,
  VtdBoundDevice,
} from '../src/index.ts';
import { AbiWorld, ID, NOTHING_LEFT } from './abi-world.ts';
import { MOCK_INFO_BYTES, MOCK_INFO_TYPE } from './mock-hardware.ts';

const UNTOUCHED = 0xee;
const PAGE = 4096;
const ROOM = 64;

interface Told {
  readonly errno: number;
  /** The buffer and eight bytes behind it. */
  readonly buffer: readonly number[];
  readonly fields: Readonly<Record<string, number | bigint>>;
}

/** Asks with a buffer of `room` bytes. */
function ask(world: AbiWorld, room: number, wish: Readonly<Record<string, number>> = {}): Told {
  world.poke(world.scratch, new Uint8Array(room + 8).fill(UNTOUCHED));
  const { data_uptr: at = world.scratch, ...others } = wish;
  const call = { dev_id: ID.device, data_len: room, data_uptr: BigInt(at), ...others };
  const { errno, bytes } = world.call('iommu_hw_info', call);
  const buffer = [...world.peek(world.scratch, room + 8)];
  return { errno, buffer, fields: decodeIommufdStruct('iommu_hw_info', bytes) };
}

/** As much of the answer as there is room for, zeros in the rest of the room, and nothing behind it. */
const filled = (room: number): number[] => [
  ...Array.from({ length: room }, (_, at) => MOCK_INFO_BYTES[at] ?? 0),
  ...new Array<number>(8).fill(UNTOUCHED),
];

describe.each([0, MOCK_INFO_TYPE])('asked for type %i', (type) => {
  const wish = { flags: 1, data_type: type };

  it.each([0, 1, 4, 7, 8, 9, 16, ROOM, PAGE - 8])('fills a buffer of %i bytes', (room) => {
    const world = new AbiWorld().populate();
    const { errno, buffer, fields } = ask(world, room, wish);
    expect([errno, buffer]).toEqual([0, filled(room)]);
    expect(fields['data_len']).toBe(MOCK_INFO_BYTES.length);
    expect(fields['data_type']).toBe(MOCK_INFO_TYPE);
    expect([fields['out_capabilities'], fields['out_max_pasid_log2']]).toEqual([1n, 0]);
    expect(world.close()).toEqual(NOTHING_LEFT);
  });

  it('answers a buffer without room that is nowhere', () => {
    const world = new AbiWorld().populate();
    expect(ask(world, 0, { ...wish, data_uptr: 0 }).errno).toBe(0);
  });

  it.each([
    ['is not there', 0x1000],
    ['must not be written', 0x700002000000],
  ])('writes nothing back where the buffer %s', (_, at) => {
    const world = new AbiWorld().populate();
    const { errno, fields } = ask(world, 16, { ...wish, data_uptr: at });
    expect([errno, fields['data_len'], fields['out_capabilities']]).toEqual([Errno.EFAULT, 16, 0n]);
  });

  it('writes the data before it finds that the rest of the room is not there', () => {
    const world = new AbiWorld().populate();
    const end = world.scratch + PAGE - 8;
    world.poke(end, new Uint8Array(8).fill(UNTOUCHED));
    expect(ask(world, 16, { ...wish, data_uptr: end }).errno).toBe(Errno.EFAULT);
    expect([...world.peek(end, 8)]).toEqual(MOCK_INFO_BYTES);
  });

  it('zeroes a buffer of several pages to its end', () => {
    const world = new AbiWorld().populate();
    world.poke(world.buffer, new Uint8Array(3 * PAGE + 100).fill(UNTOUCHED));
    const room = 2 * PAGE + 77;
    const { errno } = ask(world, 0, { ...wish, data_len: room, data_uptr: world.buffer + 11 });
    const seen = [...world.peek(world.buffer + 11, room + 8)];
    expect(errno).toBe(0);
    expect(seen).toEqual(filled(room));
  });
});

describe('the type', () => {
  it.each([1, 0xdead, 0xfeedbeee, 0xffffffff])('%i is not the mock driver’s', (type) => {
    const world = new AbiWorld().populate();
    const { errno, buffer, fields } = ask(world, ROOM, { flags: 1, data_type: type });
    expect(errno).toBe(Errno.EOPNOTSUPP);
    expect(buffer.every((byte) => byte === UNTOUCHED)).toBe(true);
    expect([fields['data_len'], fields['data_type']]).toEqual([ROOM, type]);
    expect(world.ctx.objects.at(ID.device)?.waitCount).toBe(1);
  });

  it('is no input without the flag', () => {
    const { errno, fields } = ask(new AbiWorld().populate(), 8, { data_type: 0xdead });
    expect([errno, fields['data_type']]).toEqual([0, MOCK_INFO_TYPE]);
  });

  it('is looked at after the device, and before the buffer', () => {
    const world = new AbiWorld().populate();
    const wish = { flags: 1, data_type: 0xdead, data_uptr: 0x1000 };
    expect(ask(world, 8, { ...wish, dev_id: ID.none }).errno).toBe(Errno.ENOENT);
    expect(ask(world, 8, wish).errno).toBe(Errno.EOPNOTSUPP);
  });
});

describe('a driver', () => {
  const bind = (world: AbiWorld, device: object) => {
    const idev = iommufdDeviceBind(world.ctx, device as IommufdBoundDevice);
    if (!idev.ok) throw new Error('not bound');
    return { world, dev_id: idev.value.id };
  };
  const bound = (hardwareInfo: IommufdBoundDevice['hardwareInfo']) => {
    const world = new AbiWorld().populate();
    const { memory, frames } = world;
    return bind(world, Object.assign(new MockDevice({ memory, frames }), { hardwareInfo }));
  };

  it('that says nothing has no data, whatever type is asked for', () => {
    const { world, dev_id } = bound(undefined);
    for (const wish of [{ dev_id }, { dev_id, flags: 1, data_type: MOCK_INFO_TYPE }]) {
      const { errno, buffer, fields } = ask(world, 16, wish);
      expect([errno, fields['data_len'], fields['data_type']]).toEqual([0, 0, 0]);
      expect(buffer.slice(0, 16)).toEqual(new Array(16).fill(0));
    }
  });

  it('that names no type for its data is at fault', () => {
    const { world, dev_id } = bound(() => ({ ok: true, value: { type: 0, data: new Uint8Array(8) } }));
    expect(ask(world, 16, { dev_id }).errno).toBe(Errno.ENODEV);
    expect(world.dmaBufs.log.events.at(-1)).toMatchObject({ rule: 'iommufd-hw-info-type' });
  });

  it('of an IOMMU without a dirty record has no capability', () => {
    const populated = new AbiWorld().populate();
    const { memory, frames } = populated;
    const device = new MockDevice({ memory, frames, dirtyTracking: false });
    const { world, dev_id } = bind(populated, device);
    expect(ask(world, 8, { dev_id }).fields['out_capabilities']).toBe(0n);
  });

  it('of a VT-d unit tells its capability registers', () => {
    const populated = new AbiWorld().populate();
    const { memory, frames } = populated;
    const unit = new VtdUnit(memory, { capabilities: recordedVtdCapabilities });
    const iommu = new IntelIommu({ unit, memory, frames });
    const device = new VtdBoundDevice({ name: 'nic', iommu, requesterId: 8 });
    const { world, dev_id } = bind(populated, device);
    const { cap, ecap } = recordedVtdCapabilities;
    const told = ask(world, 24, { dev_id, flags: 1, data_type: 1 });
    expect([told.fields['data_type'], told.fields['data_len']]).toEqual([1, 24]);
    expect(told.buffer.slice(0, 24)).toEqual([...Buffer.from(Uint32Array.of(0, 0, ...cap, ...ecap).buffer)]);
    expect(ask(world, 24, { dev_id, flags: 1, data_type: 4 }).errno).toBe(Errno.EOPNOTSUPP);
  });

  it('of an AMD-Vi unit tells its feature register, and whether it records writes', () => {
    const populated = new AbiWorld().populate();
    const { memory, frames } = populated;
    const unit = new AmdIommuUnit(memory, { features: dirtyTrackingAmdFeatures });
    const iommu = new AmdIommu({ unit, memory, frames, lastDeviceId: 0xff });
    const device = new AmdBoundDevice({ name: 'nic', iommu, requesterId: 8 });
    const { world, dev_id } = bind(populated, device);
    const { fields, buffer } = ask(world, 16, { dev_id });
    expect([fields['data_type'], fields['data_len'], fields['out_capabilities']]).toEqual([4, 16, 1n]);
    expect(buffer.slice(0, 8)).toEqual([0xd3, 0x29, 0, 0, 0, 0, 0x12, 0]);
  });
});
