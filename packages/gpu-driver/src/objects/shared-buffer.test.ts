// One buffer an object at a time: the one that there is is handed out again, one that is ending is not.
import { type DmaBuf, dmaBufPut } from '@sgfree/dma-buf';
import { expect, it } from 'vitest';
import { GpuMachine } from '../../test/gpu-machine.ts';
import { exportBoMappings } from '../mapping/export-mappings.ts';
import { createBo } from './place-bo.ts';

it('a second export hands out the same buffer, and one while it ends another, which stays', () => {
  const machine = new GpuMachine();
  const bo = machine.do(createBo(machine.card, { name: 'bo', bytes: 4096, placements: ['vram'] }));
  if (!bo.ok) throw new RangeError(`errno ${bo.errno}`);
  const exported = (): DmaBuf<unknown> => {
    const made = exportBoMappings(bo.value);
    if (!made.ok) throw new RangeError(`errno ${made.errno}`);
    return made.value;
  };
  const first = exported();
  expect([exported() === first, first.refs]).toEqual([true, 2]);
  machine.do(dmaBufPut(first));
  machine.scheduler.spawn('end', dmaBufPut(first));
  while (first.refs > 0) machine.scheduler.step();
  expect(bo.value.dmabuf).toBe(first);
  const second = exported();
  expect([second === first, second.refs]).toEqual([false, 1]);
  machine.scheduler.run();
  expect(bo.value.dmabuf).toBe(second);
  machine.do(dmaBufPut(second));
  expect([bo.value.dmabuf, machine.dmaBufs.buffers.size]).toEqual([null, 0]);
});
