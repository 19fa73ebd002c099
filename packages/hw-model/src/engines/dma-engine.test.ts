// DmaEngine: how transfers are cut into requests, one per clock step, and what is left when one fails.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { PeerMachine } from '../../test/peer-machine.ts';
import { dmaAddr, physAddr } from '../addresses.ts';
import { findCapability } from '../fabric/capability-list.ts';
import { Scheduler } from '../scheduler.ts';
import { DmaEngine } from './dma-engine.ts';

function setUp(): { machine: PeerMachine; engine: DmaEngine; scheduler: Scheduler } {
  const machine = new PeerMachine();
  const engine = new DmaEngine(machine.fabric, machine.d.endpoint);
  return { machine, engine, scheduler: new Scheduler() };
}

/** Address and size of every request the log has. */
const requests = ({ log }: PeerMachine): [unknown, unknown][] =>
  log.events.map(({ address, bytes }) => [address, bytes]);

describe('requests of a transfer', () => {
  it('end at multiples of the payload size and at 4 KiB boundaries', () => {
    const { machine, engine, scheduler } = setUp();
    machine.log.enabled = true;
    machine.fabric.traceRequests = true;
    scheduler.runTask('write', engine.write(dmaAddr(0xf80), new Uint8Array(700)));
    expect(requests(machine)).toEqual([
      [0xf80, 0x80],
      [0x1000, 0x100],
      [0x1100, 0x100],
      [0x1200, 700 - 0x280],
    ]);
  });

  it('follow the sizes that software sets, reads and writes apart', () => {
    const { machine, engine, scheduler } = setUp();
    const { config } = machine.d.endpoint;
    config.write(findCapability(config, 0x10) + 8, 2, 0x5000);
    scheduler.runTask('read', engine.read(dmaAddr(0x800), new Uint8Array(8192)));
    expect(engine.counters).toEqual({ requests: 3, bytesRead: 8192, bytesWritten: 0 });
    scheduler.runTask('write', engine.write(dmaAddr(0), new Uint8Array(512)));
    expect(engine.counters).toEqual({ requests: 7, bytesRead: 8192, bytesWritten: 512 });
  });

  it('take one clock step each and can be overtaken before every one', () => {
    const { machine, engine } = setUp();
    const task = engine.write(dmaAddr(0), new Uint8Array(1024).fill(1));
    const seen: number[] = [];
    for (let next = task.next(); next.done !== true; next = task.next()) {
      seen.push(machine.memory.frameBytes(0).indexOf(0));
    }
    expect(seen).toEqual([0, 256, 512, 768]);
    expect(machine.clock.step).toBe(4);
  });
});

describe('a transfer that cannot go on', () => {
  it('keeps what a failing write had already moved, and moves nothing more', () => {
    const { machine, engine, scheduler } = setUp();
    const end = 16 * 2 ** 20;
    const data = new Uint8Array(1024).fill(7);
    const status = scheduler.runTask('write', engine.write(dmaAddr(end - 512), data));
    const tail = new Uint8Array(512);
    machine.memory.read(physAddr(end - 512), tail);
    expect([status, tail.every((byte) => byte === 7)]).toEqual(['unsupported-request', true]);
    expect(engine.counters).toEqual({ requests: 3, bytesRead: 0, bytesWritten: 512 });
  });

  it('leaves the rest of a read buffer as it was', () => {
    const { engine, scheduler } = setUp();
    const into = new Uint8Array(1024).fill(9);
    const status = scheduler.runTask('read', engine.read(dmaAddr(16 * 2 ** 20 - 512), into));
    expect([status, into.indexOf(9), into.lastIndexOf(0)]).toEqual(['unsupported-request', 512, 511]);
  });

  it('stops before its next request when the engine is halted; later ones run', () => {
    const { machine, engine, scheduler } = setUp();
    const stopped = scheduler.spawn('stopped', engine.write(dmaAddr(0), new Uint8Array(1024).fill(3)));
    while (engine.counters.requests < 2) scheduler.step();
    engine.halt();
    scheduler.run();
    expect([stopped.result, machine.memory.frameBytes(0).indexOf(0)]).toEqual(['halted', 512]);
    expect(scheduler.runTask('later', engine.write(dmaAddr(0), new Uint8Array(4)))).toBe('success');
  });
});

const transfer = fc.record({
  from: fc.integer({ min: 0, max: 3 * 4096 }),
  bytes: fc.integer({ min: 0, max: 3 * 4096 }),
  at: fc.integer({ min: 0, max: 100 }),
});

test.prop([transfer, fc.integer({ min: 0, max: 5 })])(
  'moves every byte once, whatever the sizes',
  (wanted, code) => {
    const { machine, engine, scheduler } = setUp();
    const { config } = machine.d.endpoint;
    config.write(findCapability(config, 0x10) + 8, 2, code * 0x1020);
    const data = new Uint8Array(wanted.at + wanted.bytes + 5).map((_, i) => i * 13 + (i >> 8));
    const { at, bytes } = wanted;
    expect(scheduler.runTask('write', engine.write(dmaAddr(wanted.from), data, at, bytes))).toBe('success');
    const plain = new Uint8Array(8 * 4096);
    plain.set(data.subarray(at, at + bytes), wanted.from);
    const all = new Uint8Array(plain.length);
    machine.memory.read(physAddr(0), all);
    expect(Buffer.compare(all, plain)).toBe(0);
    const back = new Uint8Array(data.length);
    expect(scheduler.runTask('read', engine.read(dmaAddr(wanted.from), back, at, bytes))).toBe('success');
    expect(Buffer.compare(back.subarray(at, at + bytes), data.subarray(at, at + bytes))).toBe(0);
    expect(back.subarray(0, at).every((byte) => byte === 0)).toBe(true);
    expect(machine.clock.step).toBe(engine.counters.requests);
  },
);
