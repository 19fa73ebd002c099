// Every order of refusals as data: each rung alone, and each rung with all those behind it; what is refused changes nothing.
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { bigintOfU64, u64, VfioRequest } from '../../src/index.ts';
import { BUFFER, MAPPED, VFIO_LADDERS, type VfioLadder, type VfioRung } from './refusal-ladders.ts';
import { encodeVfio, NOTHING_LEFT, P, TYPES, VA, VfioWorld } from './vfio-world.ts';

function ladderWorld({ type }: Pick<VfioLadder, 'type'>): VfioWorld {
  const world = new VfioWorld({ type, capIpcLock: true });
  world.fill(16);
  expect(world.map(VA, MAPPED, 8 * P)).toBe(0);
  const { machine } = world;
  expect(machine.mapFile(world.ioas, machine.buffer(4 * P).fd, 0, 4 * P, u64(BUFFER)).ok).toBe(true);
  return world;
}

/** The answer to the right call with `wrong` rungs, of which the first wins; and `size` before and after. */
function answer(ladder: VfioLadder, wrong: readonly VfioRung[]): { error: number; sizes: bigint[] } {
  const world = ladderWorld(ladder);
  const fields = Object.assign({ ...ladder.right }, ...[...wrong].reverse().map((rung) => rung.wrong));
  const struct = encodeVfio(ladder.struct, fields);
  const memory = wrong.find((rung) => rung.memory !== undefined)?.memory;
  if (wrong.some((rung) => rung.noIoas === true)) world.ctx.vfioIoas = null;
  const hasSize = struct.layout.fields.some(({ name }) => name === 'size');
  const size = (): bigint => (hasSize ? bigintOfU64(struct.wide('size')) : 0n);
  const before = size();
  const error = world.call(struct.layout.request, struct.bytes.subarray(0, memory));
  const sizes = [before, size()];
  expect(world.close()).toEqual(NOTHING_LEFT);
  return { error, sizes };
}

describe.each(VFIO_LADDERS.map((ladder) => [ladder.key, ladder] as const))('%s', (_, ladder) => {
  it('answers the right call', () => {
    expect(answer(ladder, []).error).toBe(0);
  });

  it.each(ladder.rungs.map((rung) => [rung.key, rung] as const))('refuses %s', (_key, rung) => {
    const { error, sizes } = answer(ladder, [rung]);
    expect(error).toBe(-Errno[rung.errno]);
    expect(sizes[1]).toBe(rung.told ?? sizes[0]);
  });

  const together = ladder.rungs.filter(({ alone }) => alone !== true);
  it.each(together.map((rung, at) => [rung.key, at, rung] as const))('refuses %s first', (_key, at, rung) => {
    expect(answer(ladder, together.slice(at)).error).toBe(-Errno[rung.errno]);
  });
});

describe('SET_IOMMU', () => {
  const kinds = [0, 2, 4, 5, 6, 7, 8, 9, 10, 2 ** 32 + 1] as const;

  it.each(kinds)('does not know kind %i, with or without an address space', (kind) => {
    const world = new VfioWorld({ type: null });
    expect(world.call(VfioRequest.SET_IOMMU, kind)).toBe(-Errno.EINVAL);
    world.ctx.vfioIoas = null;
    expect(world.call(VfioRequest.SET_IOMMU, kind)).toBe(-Errno.EINVAL);
    expect(world.ioas.iopt.disableLargePages).toBe(false);
  });

  it('takes no memory for a number', () => {
    const world = new VfioWorld({ type: null });
    expect(world.call(VfioRequest.SET_IOMMU, new Uint8Array([1, 0, 0, 0]))).toBe(-Errno.EINVAL);
    expect(world.call(VfioRequest.SET_IOMMU, null)).toBe(-Errno.EINVAL);
  });

  it('makes no type 1 of an address space that is shown already', () => {
    const world = new VfioWorld({ type: 'type1v2' });
    world.fill(1);
    expect(world.map(VA, MAPPED, P)).toBe(0);
    expect(world.call(VfioRequest.SET_IOMMU, TYPES.type1)).toBe(-Errno.EINVAL);
    expect(world.call(VfioRequest.SET_IOMMU, TYPES.type1v2)).toBe(0);
    expect(world.unmap(0, 0, 2).error).toBe(0);
    expect(world.call(VfioRequest.SET_IOMMU, TYPES.type1)).toBe(0);
  });

  it('makes no type 1 of areas that are no whole pages, but may be told so again', () => {
    const world = new VfioWorld({ type: null, attached: false });
    world.fill(1);
    expect(world.map(VA + 1, 1, 6)).toBe(0);
    expect(world.call(VfioRequest.SET_IOMMU, TYPES.type1)).toBe(-Errno.EADDRINUSE);
    expect(world.ioas.iopt.disableLargePages).toBe(false);
    expect(world.unmap(1, 6)).toEqual({ error: 0, size: 6n });
    expect(world.call(VfioRequest.SET_IOMMU, TYPES.type1)).toBe(0);
    expect(world.call(VfioRequest.SET_IOMMU, TYPES.type1)).toBe(0);
    // Type 1 v2 does not bring large pages back.
    expect(world.call(VfioRequest.SET_IOMMU, TYPES.type1v2)).toBe(0);
    expect(world.ioas.iopt.disableLargePages).toBe(true);
  });
});

describe('numbers', () => {
  const used: readonly number[] = Object.values(VfioRequest);
  const around = Array.from({ length: 28 }, (_, at) => 0x3b64 + at).filter(
    (number) => !used.includes(number),
  );

  it.each([...around, 0x3b63, 0x3a70, 0x1003b71, 0x40003b64])('%i is no call', (number) => {
    const world = new VfioWorld();
    expect(world.call(number, new Uint8Array(64))).toBe(-Errno.ENOTTY);
    expect(world.call(number, null)).toBe(-Errno.ENOTTY);
  });

  it('of the version is answered without looking at its argument', () => {
    const world = new VfioWorld({ chosen: false });
    for (const argument of [null, 0, 2 ** 52, new Uint8Array(0)]) {
      expect(world.call(VfioRequest.GET_API_VERSION, argument)).toBe(0);
    }
  });
});
