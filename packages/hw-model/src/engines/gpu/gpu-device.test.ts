// A GPU's memory from both sides, and copies that really go over the bus, fail there, are caught in the middle, or are stopped.
import { describe, expect, it } from 'vitest';
import { addOffset, dmaAddr, PAGE_SIZE, physAddr } from '../../addresses.ts';
import { Clock } from '../../clock.ts';
import { EventLog } from '../../event-log.ts';
import { PciFabric } from '../../fabric/pci-fabric.ts';
import { InternalError } from '../../internal-error.ts';
import { PhysicalMemory } from '../../physical-memory.ts';
import { Scheduler } from '../../scheduler.ts';
import { GpuDevice, type GpuDeviceSpec } from './gpu-device.ts';

const MIB = 2 ** 20;
const RAM = physAddr(0x100000);

function card(spec: Partial<GpuDeviceSpec> = {}) {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 16 * MIB);
  const clock = new Clock();
  const fabric = new PciFabric({ memory, clock, log: new EventLog() });
  const host = fabric.addHostBridge({
    name: 'host',
    memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
    prefetchAperture: { base: physAddr(2 ** 36), bytes: 2 ** 32 },
  });
  const scheduler = new Scheduler({ seed: 1 });
  const port = fabric.addRootPort(host, { name: 'port' });
  const gpu = new GpuDevice(fabric, port, { scheduler, vramBytes: 4 * MIB, ...spec });
  fabric.enumerate();
  gpu.endpoint.setCommand({ memory: true, busMaster: true });
  return { memory, fabric, scheduler, gpu, clock };
}

const pattern = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, at) => (at * 7 + 3) & 0xff);

function copied(parts: ReturnType<typeof card>, copy: Parameters<GpuDevice['copies']['submit']>[0]): string {
  let ended = '';
  parts.gpu.copies.submit({
    ...copy,
    done: (status) => {
      ended = status;
    },
  });
  parts.scheduler.run();
  return ended;
}
const done = (): void => undefined;

describe('copies', () => {
  it('go from memory to VRAM, inside VRAM, and back, across pages', () => {
    const parts = card();
    const { memory, gpu } = parts;
    const bytes = pattern(3 * PAGE_SIZE + 17);
    memory.write(RAM, bytes);
    const bus = dmaAddr(RAM);
    expect(copied(parts, { from: { bus }, to: { vram: 100 }, bytes: bytes.length, done })).toBe('success');
    expect(copied(parts, { from: { vram: 100 }, to: { vram: MIB + 1 }, bytes: bytes.length, done })).toBe(
      'success',
    );
    const back = dmaAddr(addOffset(RAM, MIB));
    expect(copied(parts, { from: { vram: MIB + 1 }, to: { bus: back }, bytes: bytes.length, done })).toBe(
      'success',
    );
    const found = new Uint8Array(bytes.length);
    memory.read(addOffset(RAM, MIB), found);
    expect(found).toEqual(bytes);
    expect(gpu.copies.counters).toEqual({ copies: 3, failed: 0, bytes: 3 * bytes.length });
    expect(gpu.dma.counters.bytesRead).toBe(bytes.length);
    expect(gpu.dma.counters.bytesWritten).toBe(bytes.length);
  });

  it('run in the order of the ring, and a failed one does not hold the next', () => {
    const parts = card();
    const order: string[] = [];
    const note = (name: string) => (status: string) => order.push(`${name} ${status}`);
    const nowhere = dmaAddr(2 ** 40);
    parts.gpu.copies.submit({ from: { bus: nowhere }, to: { vram: 0 }, bytes: 8, done: note('a') });
    parts.gpu.copies.submit({ from: { vram: 4 * MIB }, to: { vram: 0 }, bytes: 8, done: note('b') });
    parts.gpu.copies.submit({ from: { vram: 0 }, to: { vram: 64 }, bytes: 8, done: note('c') });
    expect(parts.gpu.copies.pending).toBe(3);
    parts.scheduler.run();
    expect(order).toEqual(['a unsupported-request', 'b unsupported-request', 'c success']);
    expect(parts.gpu.copies.pending).toBe(0);
    expect(parts.gpu.copies.counters.failed).toBe(2);
  });

  it('stop in the middle of a transfer when the card is reset', () => {
    const parts = card();
    const { memory, gpu, scheduler } = parts;
    const bytes = pattern(8 * PAGE_SIZE);
    memory.write(RAM, bytes);
    let ended = '';
    gpu.copies.submit({
      from: { bus: dmaAddr(RAM) },
      to: { vram: 0 },
      bytes: bytes.length,
      done: (status) => {
        ended = status;
      },
    });
    while (gpu.copies.counters.bytes < 2 * PAGE_SIZE) scheduler.step();
    gpu.copies.halt();
    scheduler.run();
    expect(ended).toBe('halted');
    const found = new Uint8Array(PAGE_SIZE);
    gpu.vram.mmioRead(4 * PAGE_SIZE, found);
    expect(found.every((byte) => byte === 0)).toBe(true);
  });
});

it('BAR 0 shows the first part of VRAM until it is resized', () => {
  const { fabric, gpu } = card({ visibleBytes: MIB, resizable: true });
  const bar = gpu.endpoint.bar(0);
  if (bar === undefined) throw new Error('no BAR');
  gpu.vram.mmioWrite(2 * MIB, Uint8Array.of(42));
  const byte = new Uint8Array(1);
  expect(gpu.visibleBytes).toBe(MIB);
  gpu.endpoint.setCommand({ memory: false, busMaster: false });
  expect(bar.resize(8 * MIB)).toBe(false);
  expect(bar.resize(4 * MIB)).toBe(true);
  fabric.enumerate();
  gpu.endpoint.setCommand({ memory: true, busMaster: true });
  expect(gpu.visibleBytes).toBe(4 * MIB);
  expect(gpu.endpoint.claim(addOffset(bar.address, 2 * MIB), addOffset(bar.address, 2 * MIB + 1))).toBe(bar);
  expect(bar.target.mmioRead(2 * MIB, byte)).toBe(true);
  expect(byte[0]).toBe(42);
});

it('a reset ends every order of the ring, and the next one runs', () => {
  const { gpu, scheduler } = card();
  const ended: string[] = [];
  const order = (from: number): void =>
    gpu.copies.submit({
      from: { vram: from },
      to: { vram: MIB },
      bytes: PAGE_SIZE,
      done: (status) => void ended.push(status),
    });
  order(0);
  order(PAGE_SIZE);
  gpu.copies.halt();
  order(2 * PAGE_SIZE);
  scheduler.run();
  expect(ended).toEqual(['halted', 'halted', 'success']);
});

it('registers stand behind BAR 5 of a card that has them, and keep what is written', () => {
  expect([card().gpu.registers, card().gpu.endpoint.bar(5)]).toEqual([null, undefined]);
  const { gpu } = card({ registerBytes: 4 * PAGE_SIZE });
  const bar = gpu.endpoint.bar(5);
  expect([bar?.bytes, gpu.registers?.bytes]).toEqual([4 * PAGE_SIZE, 4 * PAGE_SIZE]);
  expect(bar?.target.mmioWrite(8, Uint8Array.of(1, 2))).toBe(true);
  const found = new Uint8Array(2);
  gpu.registers?.mmioRead(8, found);
  expect([...found]).toEqual([1, 2]);
});

it('a BAR that is not resizable keeps its size, and none shows more than there is', () => {
  const bar = card({ visibleBytes: MIB }).gpu.endpoint.bar(0);
  expect([bar?.resize(4 * MIB), bar?.bytes]).toEqual([false, MIB]);
  expect(() => card({ visibleBytes: 8 * MIB })).toThrow(InternalError);
});
