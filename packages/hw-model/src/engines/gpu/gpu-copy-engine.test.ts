// A copy engine caught between two pieces: inside VRAM page by page, on the bus request by request, each in a clock step of its own.
import { expect, it } from 'vitest';
import { dmaAddr, PAGE_SIZE, physAddr } from '../../addresses.ts';
import { Clock } from '../../clock.ts';
import { EventLog } from '../../event-log.ts';
import { PciFabric } from '../../fabric/pci-fabric.ts';
import { PhysicalMemory } from '../../physical-memory.ts';
import { Scheduler } from '../../scheduler.ts';
import { GpuDevice } from './gpu-device.ts';

const MIB = 2 ** 20;
const BYTES = 4 * PAGE_SIZE;

function card() {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), MIB);
  const clock = new Clock();
  const fabric = new PciFabric({ memory, clock, log: new EventLog() });
  const host = fabric.addHostBridge({
    memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
    prefetchAperture: { base: physAddr(2 ** 36), bytes: 2 ** 32 },
  });
  const scheduler = new Scheduler({ seed: 1 });
  const gpu = new GpuDevice(fabric, fabric.addRootPort(host), { scheduler, vramBytes: MIB });
  fabric.enumerate();
  gpu.endpoint.setCommand({ memory: true, busMaster: true });
  const ended: string[] = [];
  const done = (status: string): void => void ended.push(status);
  return { clock, scheduler, gpu, copies: gpu.copies, ended, done };
}

it('inside VRAM a copy takes a step for each page that is read or written, and a reset finds it between two', () => {
  const { clock, scheduler, gpu, copies, ended, done } = card();
  gpu.vram.mmioWrite(0, new Uint8Array(BYTES).fill(7));
  copies.submit({ from: { vram: 0 }, to: { vram: BYTES }, bytes: BYTES, done });
  while (copies.counters.bytes === 0) scheduler.step();
  expect([copies.counters.bytes, copies.pending, clock.step]).toEqual([PAGE_SIZE, 1, 2]);
  copies.halt();
  scheduler.run();
  expect([ended, copies.counters.bytes, copies.pending]).toEqual([['halted'], PAGE_SIZE, 0]);
  const found = new Uint8Array(BYTES);
  gpu.vram.mmioRead(BYTES, found);
  expect(found.indexOf(0)).toBe(PAGE_SIZE);
});

it('a reset stops what is on the bus before its next request, and nothing of it gets to VRAM', () => {
  const { scheduler, gpu, copies, ended, done } = card();
  copies.submit({ from: { bus: dmaAddr(0) }, to: { vram: 0 }, bytes: PAGE_SIZE, done });
  while (gpu.dma.counters.requests === 0) scheduler.step();
  copies.halt();
  scheduler.run();
  expect([ended, gpu.dma.counters.requests, copies.counters.bytes]).toEqual([['halted'], 1, 0]);
});
