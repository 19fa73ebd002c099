// Every valid type 1 call with every byte changed, in many ways, answers what the oracle says of those bytes; and bytes at random.
import { Errno } from '@sgfree/mm';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { IommufdFieldValues } from '../../src/index.ts';
import {
  encodeVfio,
  NOTHING_LEFT,
  P,
  TYPES,
  VA,
  type VfioType,
  VfioWorld,
  vfioStruct,
} from './vfio-world.ts';
import { WALK_AREA, WALK_VA, walkAnswer } from './walk-oracle.ts';

const page = BigInt(P);
const CHANGES = [0x01, 0x02, 0x08, 0x80, 0xff];
const TYPE_NAMES = Object.keys(TYPES) as VfioType[];

/** Valid calls: the structure, the fields, and how many bytes of memory there are. */
const VALID: readonly (readonly [name: string, fields: IommufdFieldValues, memory: number])[] = [
  ['iommu_type1_dma_map', { flags: 3, vaddr: WALK_VA, iova: WALK_AREA + 16n * page, size: 8n * page }, 32],
  ['iommu_type1_dma_unmap', { iova: WALK_AREA, size: 8n * page }, 24],
  ['iommu_type1_dma_unmap', { iova: WALK_AREA - 4n * page, size: 64n * page }, 24],
  ['iommu_type1_dma_unmap', { iova: WALK_AREA + 16n * page, size: page }, 24],
  ['iommu_type1_dma_unmap', { flags: 2 }, 24],
  ['iommu_type1_info', {}, 16],
  ['iommu_type1_info', { argsz: 24 }, 24],
  ['iommu_type1_info', { argsz: 72 }, 72],
];

function walkWorld(type: VfioType): VfioWorld {
  const world = new VfioWorld({ type, capIpcLock: true });
  world.fill(16);
  expect(world.map(VA, Number(WALK_AREA), 8 * P)).toBe(0);
  return world;
}

/** Worlds that a call has not changed yet. */
const unchanged = new Map<VfioType, VfioWorld>();

/** Makes the call and compares; `bytes` are those of before. A world in which anything is mapped otherwise is closed. */
function compare(type: VfioType, name: string, bytes: Uint8Array): void {
  const world = unchanged.get(type) ?? walkWorld(type);
  unchanged.delete(type);
  const expected = walkAnswer(name, bytes, type === 'type1');
  const memory = bytes.slice();
  const got = world.call(vfioStruct(name).request, memory);
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  expect([name, text, got]).toEqual([name, text, expected.errno === null ? 0 : -Errno[expected.errno]]);
  if (name !== 'iommu_type1_info') {
    const after = bytes.slice();
    if (expected.size !== null) new DataView(after.buffer).setBigUint64(16, expected.size, true);
    expect(memory).toEqual(after);
  }
  const [area, more] = world.areas;
  const same =
    more === undefined && area?.[0] === Number(WALK_AREA) && area[1] === Number(WALK_AREA) + 8 * P - 1;
  if (same) unchanged.set(type, world);
  else expect(world.close()).toEqual(NOTHING_LEFT);
}

afterAll(() => {
  for (const world of unchanged.values()) expect(world.close()).toEqual(NOTHING_LEFT);
});

function validBytes([name, fields, memory]: (typeof VALID)[number]): Uint8Array {
  const bytes = new Uint8Array(memory);
  const encoded = encodeVfio(name, fields).bytes;
  bytes.set(encoded.subarray(0, Math.min(memory, encoded.length)));
  return bytes;
}

describe.each(TYPE_NAMES)('%s', (type) => {
  it.each(VALID.map((call, index) => [`${call[0]} (${index})`, call] as const))('%s', (_, call) => {
    const original = validBytes(call);
    expect(walkAnswer(call[0], original, type === 'type1').errno).toBeNull();
    compare(type, call[0], original);
    for (let at = 0; at < original.length; at += 1) {
      for (const change of CHANGES) {
        const bytes = original.slice();
        bytes[at] = (bytes[at] ?? 0) ^ change;
        compare(type, call[0], bytes);
      }
    }
  });

  // Numbers near what is mapped, near the ends of a page and near the end of the space.
  const near = (places: readonly bigint[]): fc.Arbitrary<bigint> =>
    fc
      .tuple(
        fc.constantFrom(...places),
        fc.constantFrom(-1n, 0n, 1n, 2048n, page),
        fc.integer({ min: -9, max: 9 }),
      )
      .map(([place, offset, pages]) => BigInt.asUintN(64, place + offset + BigInt(pages) * page));

  it('any window that is unmapped', () => {
    fc.assert(
      fc.property(near([WALK_AREA, WALK_AREA, 0n]), near([0n, 0n, 8n * page, -WALK_AREA]), (iova, size) => {
        compare(type, 'iommu_type1_dma_unmap', encodeVfio('iommu_type1_dma_unmap', { iova, size }).bytes);
      }),
      { numRuns: 250 },
    );
  });

  it('any memory that is mapped', () => {
    fc.assert(
      fc.property(
        near([WALK_VA, -page]),
        near([WALK_AREA, 0x1000000n, 0n]),
        near([0n, 0n, -WALK_VA]),
        (vaddr, iova, size) => {
          const fields = { flags: 3, vaddr, iova, size };
          compare(type, 'iommu_type1_dma_map', encodeVfio('iommu_type1_dma_map', fields).bytes);
        },
      ),
      { numRuns: 250 },
    );
  });
});
