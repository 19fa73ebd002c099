// What invalidation does not prevent: an importer that keeps its mapping can still write to memory that has a new owner. The checks
// of the tests see it.
import { PAGE_SIZE } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { GpuMachine } from '../../test/gpu-machine.ts';
import { RangeImporter } from '../../test/range-importer.ts';
import { StrayWrites } from '../../test/stray-writes.ts';
import { exportBoMappings } from '../mapping/export-mappings.ts';
import { moveBo } from './move-bo.ts';
import { createBo } from './place-bo.ts';

const BYTES = 4 * PAGE_SIZE;

/** An importer maps and writes, the object moves, and the importer writes again. */
function writesAround(deaf: boolean, iommu: boolean, reused: boolean) {
  const machine = new GpuMachine({ iommu });
  const object = (name: string) => {
    const made = machine.do(createBo(machine.card, { name, bytes: BYTES, placements: ['vram', 'tt'] }));
    if (!made.ok) throw new RangeError(`errno ${made.errno}`);
    return made.value;
  };
  const bo = object('shared');
  const dmabuf = exportBoMappings(bo);
  if (!dmabuf.ok) throw new RangeError(`errno ${dmabuf.errno}`);
  const strays = new StrayWrites(machine, 'shared');
  const importer = new RangeImporter(machine, iommu ? machine.far : machine.near, { deaf });
  expect(machine.do(importer.join(dmabuf.value))).toBe(0);
  expect(machine.do(importer.access(new Uint8Array(BYTES).fill(1), 'write'))).toBe(0);
  expect(strays.found).toEqual([]);
  expect(machine.do(machine.held(bo, () => moveBo(bo, 'tt')))).toBe(0);
  const next = reused ? object('next') : null;
  if (next !== null) machine.fill(next, new Uint8Array(BYTES).fill(9));
  expect(machine.do(importer.access(new Uint8Array(BYTES).fill(2), 'write'))).toBe(0);
  return { shared: machine.bytesOf(bo)[0], next: next === null ? null : machine.bytesOf(next)[0], strays };
}

describe.each([false, true])('with an IOMMU: %s', (iommu) => {
  it('an importer that heeds the call writes where the object is', () => {
    const { shared, next, strays } = writesAround(false, iommu, true);
    expect([shared, next, strays.found]).toEqual([2, 9, []]);
  });

  it('one that does not destroys the next object, and is seen', () => {
    const { shared, next, strays } = writesAround(true, iommu, true);
    expect([shared, next]).toEqual([1, 2]);
    expect(new Set(strays.found.map(({ owner }) => owner))).toEqual(new Set(['next']));
  });

  it('one that writes to memory of nobody is seen too', () => {
    const { shared, strays } = writesAround(true, iommu, false);
    expect(shared).toBe(1);
    expect(new Set(strays.found.map(({ owner }) => owner))).toEqual(new Set([null]));
  });
});
