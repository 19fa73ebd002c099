// Plays of the rows about a context as a whole: sizes, numbers, options, processes, VFIO's choice, tables that are made wrongly.
// Source followed: selftests/iommu/iommufd.c of Linux 7.3.4.
// Simplified: none.

import { ProcessMemory } from '@sgfree/mm';
import {
  decodeIommufdStruct,
  encodeIommufdStruct,
  IOMMUFD_STRUCTS,
  IommufdDevice,
  type IommufdFieldValues,
  IommufdProcess,
  iommufdDeviceAttach,
  iommufdDeviceDetach,
} from '../../src/index.ts';
import { AbiWorld, ID, P } from '../abi-world.ts';
import { DATA_BYTES, NestingDevice, SELFTEST } from '../nesting-device.ts';
import type { GAnswer } from '../tables/g-row.ts';
import { named } from './suite-world.ts';

const DESTROY = 0x3b80;

const raw = (world: AbiWorld, request: number, argument: Uint8Array | null): string =>
  named(world.raw(request, argument));

const call = (world: AbiWorld, name: string, fields: IommufdFieldValues = {}): string =>
  named(world.call(name, fields).errno);

/** A structure with bytes behind it that its size counts. */
function longer(name: string, tail: readonly number[]): Uint8Array {
  const bytes = Uint8Array.from([...encodeIommufdStruct(name), ...tail]);
  new DataView(bytes.buffer).setUint32(0, bytes.length, true);
  return bytes;
}

function lengths(): GAnswer[] {
  const answers = { EINVAL: 0, E2BIG: 0, 'the same': 0 };
  for (const { name, request, minBytes } of IOMMUFD_STRUCTS) {
    const answer = (bytes: Uint8Array): string => raw(new AbiWorld(), request, bytes);
    if (answer(encodeIommufdStruct(name, { size: minBytes - 1 })) === 'EINVAL') answers.EINVAL += 1;
    if (answer(longer(name, [0xff])) === 'E2BIG') answers.E2BIG += 1;
    if (answer(longer(name, [0])) === answer(encodeIommufdStruct(name))) answers['the same'] += 1;
  }
  return Object.entries(answers).flat();
}

const extended = (world: AbiWorld): GAnswer[] => [
  raw(world, DESTROY, longer('iommu_destroy', [0, 0, 0, 0, 0, 0, 0, 0])),
  raw(world, DESTROY, longer('iommu_destroy', [0, 0, 0, 0, 0, 0, 0, 1])),
  raw(world, DESTROY, encodeIommufdStruct('iommu_destroy')),
  raw(world, DESTROY, encodeIommufdStruct('iommu_destroy', { size: 7 })),
];

function options(world: AbiWorld): GAnswer[] {
  const get = (): GAnswer => {
    const { errno, bytes } = world.call('iommu_option', { option_id: 0, op: 1 });
    return errno === 0 ? Number(decodeIommufdStruct('iommu_option', bytes)['val64']) : named(errno);
  };
  const set = (val64: bigint): string => call(world, 'iommu_option', { option_id: 0, op: 0, val64 });
  const huge = (op: number): string => call(world, 'iommu_option', { option_id: 1, op });
  return [get(), set(1n), set(2n), get(), set(0n), huge(1), huge(0)];
}

/** Memory of the process stays with it; a page of a file goes over to a child. */
function changeProcess(world: AbiWorld): GAnswer[] {
  const change = (): string => call(world, 'iommu_ioas_change_process');
  world.populate();
  const refused = change();
  world.unmapAll();
  const file = { ioas_id: ID.mapped, flags: 6, fd: world.memfd, length: BigInt(P) };
  world.call('iommu_ioas_map_file', file);
  const { memory, pages, scheduler } = world;
  const same = change();
  const child = new IommufdProcess(new ProcessMemory({ memory, pages, scheduler }), world.process.user);
  world.ctx.process = child;
  const moved = change();
  world.ctx.process = world.process;
  return [refused, same, moved, `parent ${world.mm.pinnedVm}`, `child ${child.mm.pinnedVm}`];
}

function vfioIoas(world: AbiWorld): GAnswer[] {
  world.call('iommu_ioas_alloc');
  const vfio = (op: number, ioas_id = 0): string => call(world, 'iommu_vfio_ioas', { op, ioas_id });
  const chosen = (): number =>
    Number(decodeIommufdStruct('iommu_vfio_ioas', world.call('iommu_vfio_ioas', { op: 0 }).bytes)['ioas_id']);
  return [vfio(0), vfio(1, 42), vfio(1, 1), chosen(), vfio(2), vfio(0)];
}

const NESTING = 8;

/** The right call for a nested table on the parent, with changes. */
const nested = (world: AbiWorld, wrong: IommufdFieldValues = {}): string =>
  call(world, 'iommu_hwpt_alloc', {
    ...{ dev_id: NESTING, pt_id: ID.parent, data_type: SELFTEST, data_len: DATA_BYTES },
    data_uptr: BigInt(world.scratch),
    ...wrong,
  });

function nestedTables(world: AbiWorld): GAnswer[] {
  world.populate();
  world.bind(new NestingDevice({ memory: world.memory, frames: world.frames }));
  const destroy = (id: number): string => call(world, 'iommu_destroy', { id });
  const plain = { pt_id: ID.mapped, data_type: 0, data_len: 0 };
  const answers: GAnswer[] = [
    nested(world, { dev_id: ID.mapped }),
    nested(world, { pt_id: ID.device }),
    nested(world, { ...plain, flags: 5, fault_id: ID.fault }),
    nested(world, { data_type: 0 }),
    nested(world, { data_type: SELFTEST + 1 }),
    nested(world, { data_len: DATA_BYTES - 1 }),
    nested(world, { data_uptr: 0n }),
    nested(world, { flags: 1 }),
    nested(world, { pt_id: ID.autoHwpt }),
    nested(world),
    nested(world, { pt_id: NESTING + 1 }),
    destroy(ID.parent),
  ];
  const idev = world.ctx.objects.at(NESTING);
  if (!(idev instanceof IommufdDevice)) throw new Error('no device');
  world.run(iommufdDeviceAttach(idev, NESTING + 1));
  answers.push(destroy(NESTING + 1));
  world.run(iommufdDeviceDetach(idev));
  return [...answers, destroy(NESTING + 1), destroy(ID.parent)];
}

/** By name; each has a new context. */
export const CONTEXT_PLAYS: Readonly<Record<string, (world: AbiWorld) => GAnswer[]>> = {
  cmd_fail: (world) => [
    call(world, 'iommu_destroy', { id: 0 }),
    raw(world, DESTROY, null),
    raw(world, 0x3b7f, new Uint8Array(64)),
  ],
  cmd_length: lengths,
  cmd_ex_fail: extended,
  global_options: options,
  change_process: changeProcess,
  vfio_ioas: vfioIoas,
  alloc_hwpt_nested: nestedTables,
  'alloc_hwpt_nested without a device': (world) => {
    world.call('iommu_ioas_alloc');
    const plain = { pt_id: 1, data_type: 0, data_len: 0 };
    return [nested(world, { ...plain, dev_id: 0 }), nested(world, { ...plain, flags: 1 }), nested(world)];
  },
};
