// Bytes through the fabric: a DMA engine behind an AMD-Vi unit, whose tables and commands are written by hand.
import { describe, expect, it } from 'vitest';
import { AmdEventType, DmaEngine, dmaOfFrame, Scheduler, type TransferStatus } from '../src/index.ts';
import { AmdRig, commands, READ_ONLY, RW } from './amd-rig.ts';
import { PeerMachine } from './peer-machine.ts';

const DOMAIN = 3;
/** Above all RAM, so that an address that is not translated finds nobody. */
const IOVA = 0x123450;
const FRAMES = [0x900, 0x7ff, 0xa01];
const BYTES = 3 * 4096;

interface Setup {
  readonly machine: PeerMachine;
  readonly rig: AmdRig;
  readonly root: number;
  readonly engine: DmaEngine;
  readonly deviceId: number;
  readonly write: (data: Uint8Array) => TransferStatus;
  readonly read: (into: Uint8Array) => TransferStatus;
}

function setUp(): Setup {
  const machine = new PeerMachine();
  const rig = new AmdRig({ log: machine.log }, machine.memory);
  machine.fabric.setTranslationAgent(rig.unit);
  const { endpoint } = machine.e;
  const deviceId = endpoint.requesterId;
  const root = rig.attach(deviceId, DOMAIN);
  for (const [at, frame] of FRAMES.entries()) rig.map(root, IOVA + at, frame, RW);
  const engine = new DmaEngine(machine.fabric, endpoint);
  const scheduler = new Scheduler();
  const address = dmaOfFrame(IOVA);
  return {
    machine,
    rig,
    root,
    engine,
    deviceId,
    write: (data) => scheduler.runTask('write', engine.write(address, data)),
    read: (into) => scheduler.runTask('read', engine.read(address, into)),
  };
}

const pattern = (seed: number): Uint8Array =>
  Uint8Array.from({ length: BYTES }, (_, at) => at * 7 + (at >> 8) + seed);

/** What the three frames hold, one after another. */
function held({ memory }: PeerMachine): Uint8Array {
  const whole = new Uint8Array(BYTES);
  for (const [at, frame] of FRAMES.entries()) whole.set(memory.frameBytes(frame), at * 4096);
  return whole;
}

const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

describe('a device behind an AMD-Vi unit', () => {
  it('writes to and reads from the frames that the tables name', () => {
    const { machine, rig, engine, write, read } = setUp();
    expect(write(pattern(1))).toBe('success');
    expect(same(held(machine), pattern(1))).toBe(true);
    const back = new Uint8Array(BYTES);
    expect(read(back)).toBe('success');
    expect(same(back, pattern(1))).toBe(true);
    expect(rig.unit.counters.translations).toBe(engine.counters.requests);
    expect(rig.takeEvents()).toEqual([]);
  });

  it('reaches an unmapped page until an invalidation, and then not one byte of it', () => {
    const { machine, rig, root, engine, deviceId, write } = setUp();
    write(pattern(1));
    rig.map(root, IOVA + 1, 0, 0);
    expect(write(pattern(2))).toBe('success');
    expect(same(held(machine), pattern(2))).toBe(true);
    rig.submit(commands.page(DOMAIN, IOVA + 1), commands.wait(0, 1));
    expect(rig.stored(0)).toBe(1);
    engine.counters.bytesWritten = 0;
    expect(write(pattern(3))).not.toBe('success');
    const expected = pattern(2);
    expected.set(pattern(3).subarray(0, 4096));
    expect(same(held(machine), expected)).toBe(true);
    expect(engine.counters.bytesWritten).toBe(4096);
    expect(rig.takeEvents()).toEqual([
      { type: AmdEventType.ioPageFault, deviceId, domain: DOMAIN, flags: 0x020, address: (IOVA + 1) * 4096 },
    ]);
  });

  it('may read a read-only page, and is refused writes with 0x0070', () => {
    const { machine, rig, root, write, read } = setUp();
    rig.map(root, IOVA, FRAMES[0] as number, READ_ONLY);
    machine.memory.frameBytes(FRAMES[0] as number).fill(0x5a);
    const into = new Uint8Array(BYTES);
    expect([read(into), into[4095]]).toEqual(['success', 0x5a]);
    expect(write(pattern(1))).not.toBe('success');
    expect(machine.memory.frameBytes(FRAMES[0] as number).every((byte) => byte === 0x5a)).toBe(true);
    expect(rig.takeEvents().map(({ flags }) => flags)).toEqual([0x070]);
  });

  it('is refused reads of a write-only page with 0x0050, its buffer stays as it was', () => {
    const { rig, root, write, read } = setUp();
    rig.map(root, IOVA, FRAMES[0] as number, 2);
    const into = new Uint8Array(BYTES).fill(9);
    expect(read(into)).not.toBe('success');
    expect(into.every((byte) => byte === 9)).toBe(true);
    expect(write(pattern(1))).toBe('success');
    expect(rig.takeEvents().map(({ flags }) => flags)).toEqual([0x050]);
  });

  it('addresses memory itself under an identity entry, and nothing when it is blocked', () => {
    const { machine, rig, deviceId, engine } = setUp();
    const scheduler = new Scheduler();
    const poke = (): TransferStatus =>
      scheduler.runTask('poke', engine.write(dmaOfFrame(0xb00), Uint8Array.of(0x77)));
    rig.entry(deviceId).set([3, 0x60000000, 1, 0]);
    expect([poke(), machine.memory.frameBytes(0xb00)[0]]).toEqual(['success', 0x77]);
    machine.memory.frameBytes(0xb00).fill(0);
    rig.entry(deviceId).set([1, 0, 0, 0]);
    rig.submit(commands.deviceEntry(deviceId));
    expect([poke() === 'success', machine.memory.frameBytes(0xb00)[0]]).toEqual([false, 0]);
    expect(rig.takeEvents().map(({ flags, domain }) => [flags, domain])).toEqual([[0x020, 0]]);
  });
});
