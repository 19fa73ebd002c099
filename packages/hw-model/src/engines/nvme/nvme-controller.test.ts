// The controller's queues: wrap and phase, batches, back pressure, doorbells, reset under load, and its I/O statuses.
import { describe, expect, it } from 'vitest';
import { type CommandFields, NvmeHost, ringsOf } from '../../../test/nvme-host.ts';
import { NvmeMachine, type NvmeMachineOptions } from '../../../test/nvme-machine.ts';
import { NVME_IO } from './nvme-io-commands.ts';
import { NVME_REGISTER } from './nvme-registers.ts';
import { NVME_STATUS, NVME_STATUS_DNR } from './nvme-status.ts';

const DATA = 0x400000;
const PAGE = 4096;

function started(entries = 16, options: NvmeMachineOptions = {}): { machine: NvmeMachine; host: NvmeHost } {
  const machine = new NvmeMachine(options);
  const host = new NvmeHost(machine);
  host.enable();
  expect(host.createQueues(1, entries)).toEqual([0, 0]);
  return { machine, host };
}

/** Reads the page of blocks at 8 * id into page `id` of the data. */
const readPage = (id: number): CommandFields => ({
  opcode: NVME_IO.read,
  commandId: id,
  namespaceId: 1,
  prps: [DATA + PAGE * id, 0],
  lba: 8 * id,
  dword12: 7,
});

function holdsPage(machine: NvmeMachine, id: number): boolean {
  return Buffer.compare(machine.bytesAt(DATA + PAGE * id, PAGE), machine.onMedium(8 * id, 8)) === 0;
}

describe('queues', () => {
  it('wrap, and the phase tag turns at every wrap', () => {
    const { machine, host } = started(4);
    const phases: number[] = [];
    for (let id = 0; id < 13; id += 1) {
      const completion = host.run(1, readPage(id));
      expect(completion).toMatchObject({
        commandId: id,
        submissionId: 1,
        status: 0,
        submissionHead: (id + 1) % 4,
      });
      expect(holdsPage(machine, id)).toBe(true);
      phases.push(completion.phase);
    }
    expect(phases.join('')).toBe('1111000011110');
  });

  it('take a batch behind one doorbell and complete every command once', () => {
    const { machine, host } = started(16);
    const ids = Array.from({ length: 15 }, (_, id) => id);
    host.submit(1, ids.map(readPage));
    machine.scheduler.run();
    const done = host.reap(1);
    expect(done.map(({ commandId }) => commandId).sort((a, b) => a - b)).toEqual(ids);
    expect(done.every(({ status }) => status === 0)).toBe(true);
    expect(ids.every((id) => holdsPage(machine, id))).toBe(true);
  });

  it("complete in an order that is the seed's choice", () => {
    const order = (seed: number): string => {
      const { machine, host } = started(16, { seed });
      host.submit(1, [0, 1, 2, 3, 4].map(readPage));
      machine.scheduler.run();
      return host
        .reap(1)
        .map(({ commandId }) => commandId)
        .join();
    };
    expect(order(3)).toBe(order(3));
    expect(new Set(Array.from({ length: 10 }, (_, seed) => order(seed))).size).toBeGreaterThan(3);
  });

  it('post nothing into a slot that the host has not freed', () => {
    const { machine, host } = started(4);
    host.submit(1, [0, 1, 2].map(readPage));
    machine.scheduler.run();
    expect(host.reap(1, false)).toHaveLength(3);
    host.submit(1, [3, 4].map(readPage));
    expect(machine.scheduler.run().status).toBe('idle');
    expect([machine.controller.counters.completions, host.reap(1, false).length]).toEqual([2 + 3, 0]);
    host.acknowledge(1);
    machine.scheduler.run();
    expect(
      host
        .reap(1)
        .map(({ commandId }) => commandId)
        .sort((a, b) => a - b),
    ).toEqual([3, 4]);
    expect([3, 4].every((id) => holdsPage(machine, id))).toBe(true);
  });

  it('are apart: two pairs at once', () => {
    const { machine, host } = started(8);
    expect(host.createQueues(2, 8)).toEqual([0, 0]);
    host.submit(1, [0, 1, 2].map(readPage));
    host.submit(2, [10, 11, 12].map(readPage));
    machine.scheduler.run();
    const ids = (queue: number): number[] =>
      host
        .reap(queue)
        .map(({ commandId }) => commandId)
        .sort((a, b) => a - b);
    expect([ids(1), ids(2)]).toEqual([
      [0, 1, 2],
      [10, 11, 12],
    ]);
  });

  it('call the interrupt vector they were created with', () => {
    const { machine, host } = started(8);
    const vectors: number[] = [];
    machine.controller.onInterrupt = (vector) => vectors.push(vector);
    host.run(1, readPage(0));
    expect(vectors).toEqual([]);
    const { completion } = ringsOf(2);
    host.run(0, { opcode: 0x05, prps: [completion, 0], dword10: 0x00070002, dword11: 0x00090003 });
    host.run(0, { opcode: 0x01, prps: [ringsOf(2).submission, 0], dword10: 0x00070002, dword11: 0x00020001 });
    host.write32(NVME_REGISTER.doorbells + 16, 1);
    machine.scheduler.run();
    expect(vectors).toEqual([0, 0, 9]);
  });
});

describe('doorbells', () => {
  it.each([
    ['a queue that does not exist', NVME_REGISTER.doorbells + 8 * 5, 1],
    ['a slot beyond the ring', NVME_REGISTER.doorbells + 8, 16],
    ['a completion slot beyond the ring', NVME_REGISTER.doorbells + 12, 16],
  ])('that name %s are counted and do nothing', (_name, offset, value) => {
    const { machine, host } = started(16);
    expect(host.write32(offset, value)).toBe(true);
    expect(machine.scheduler.run().steps).toBe(0);
    expect(machine.controller.counters.invalidDoorbells).toBe(1);
    expect(host.run(1, readPage(0)).status).toBe(0);
  });

  it('do nothing before the controller is ready', () => {
    const machine = new NvmeMachine();
    const host = new NvmeHost(machine);
    host.write32(NVME_REGISTER.doorbells, 1);
    expect([machine.scheduler.run().steps, machine.controller.counters.invalidDoorbells]).toEqual([0, 1]);
  });

  it('are 32 bits wide', () => {
    const { machine, host } = started();
    const base = machine.fabric.barPhys(machine.controller.endpoint, 0);
    expect(machine.memory.write(base, new Uint8Array(0x1002).subarray(0, 2))).toBe(false);
    expect(host.write32(NVME_REGISTER.doorbells + 2, 1)).toBe(false);
  });
});

describe('I/O commands', () => {
  const last = 2 ** 20 - 1;
  it.each<[string, Partial<CommandFields>, number]>([
    ['an unknown opcode', { opcode: 0x09 }, NVME_STATUS.invalidOpcode],
    ['another namespace', { namespaceId: 2 }, NVME_STATUS.invalidNamespace],
    ['all namespaces', { namespaceId: 0xffffffff }, NVME_STATUS.invalidNamespace],
    ['a fused command', { flags: 2 }, NVME_STATUS.invalidField],
    ['a reserved PSDT', { flags: 0xc0 }, NVME_STATUS.invalidField],
    ['more than MDTS', { dword12: 1024 }, NVME_STATUS.invalidField],
    ['the block behind the last', { lba: last + 1, dword12: 0 }, NVME_STATUS.lbaOutOfRange],
    ['a range over the end', { lba: last, dword12: 1 }, NVME_STATUS.lbaOutOfRange],
    ['an absurd block', { lba: 2 ** 62, dword12: 0 }, NVME_STATUS.lbaOutOfRange],
  ])('refuse %s', (_name, fields, status) => {
    for (const opcode of [NVME_IO.read, NVME_IO.write]) {
      const { machine, host } = started();
      const done = host.run(1, { ...readPage(0), opcode, ...fields });
      expect(done.status).toBe(status + NVME_STATUS_DNR);
      expect([machine.medium.writtenBlocks, machine.bytesAt(DATA, PAGE).some((byte) => byte !== 0)]).toEqual([
        0,
        false,
      ]);
    }
  });

  it('reach the last block', () => {
    const { machine, host } = started();
    expect(host.run(1, { ...readPage(0), lba: last, dword12: 0 }).status).toBe(0);
    expect(Buffer.compare(machine.bytesAt(DATA, 512), machine.onMedium(last, 1))).toBe(0);
  });

  it('flush one namespace or all', () => {
    const { host } = started();
    for (const namespaceId of [1, 0xffffffff]) {
      expect(host.run(1, { opcode: NVME_IO.flush, namespaceId }).status).toBe(0);
    }
    expect(host.run(1, { opcode: NVME_IO.flush }).status).toBe(
      NVME_STATUS.invalidNamespace + NVME_STATUS_DNR,
    );
  });

  it('put nothing on the medium when not all data arrived', () => {
    const { machine, host } = started();
    machine.store(DATA, new Uint8Array(PAGE).fill(0x44));
    const command = {
      opcode: NVME_IO.write,
      namespaceId: 1,
      prps: [DATA, 2 ** 40],
      lba: 0,
      dword12: 15,
    } as const;
    expect(host.run(1, command).status).toBe(NVME_STATUS.dataTransferError);
    expect(machine.medium.writtenBlocks).toBe(0);
    expect(host.run(1, { ...command, dword12: 7 }).status).toBe(0);
    expect(machine.onMedium(0, 8).every((byte) => byte === 0x44)).toBe(true);
  });
});

describe('a reset', () => {
  it('stops transfers before their next request, at whatever point it comes', () => {
    for (let steps = 0; steps < 60; steps += 3) {
      const { machine, host } = started(16, { seed: steps });
      host.submit(1, [0, 1, 2].map(readPage));
      for (let i = 0; i < steps; i += 1) machine.scheduler.step();
      const completed = machine.controller.counters.completions;
      host.write32(NVME_REGISTER.cc, 0);
      const before = machine.clock.step;
      const memory = machine.bytesAt(DATA, 3 * PAGE);
      expect(machine.scheduler.run().status).toBe('idle');
      expect([machine.clock.step, machine.controller.counters.completions]).toEqual([before, completed]);
      expect(Buffer.compare(machine.bytesAt(DATA, 3 * PAGE), memory)).toBe(0);
      expect(machine.scheduler.tasks).toEqual([]);
    }
  });

  it('forgets all queues; the controller then starts anew', () => {
    const { machine, host } = started();
    host.run(1, readPage(0));
    host.write32(NVME_REGISTER.cc, 0);
    host.write32(NVME_REGISTER.doorbells + 8, 1);
    expect(machine.controller.counters.invalidDoorbells).toBe(1);
    host.enable();
    expect(host.createQueues(1, 16)).toEqual([0, 0]);
    expect(host.run(1, readPage(7)).status).toBe(0);
    expect(holdsPage(machine, 7)).toBe(true);
  });
});

describe('a queue that the controller cannot reach', () => {
  const status = (host: NvmeHost): number => host.read32(NVME_REGISTER.csts);

  it('is fatal: no bus mastering', () => {
    const { machine, host } = started();
    machine.controller.endpoint.setCommand({ memory: true, busMaster: false });
    host.submit(1, [readPage(0)]);
    machine.scheduler.run();
    expect([status(host) & 2, machine.controller.counters.completions]).toEqual([2, 2]);
    expect(machine.scheduler.tasks).toEqual([]);
  });

  it('is fatal: completions have nowhere to go', () => {
    const { machine, host } = started();
    host.run(0, { opcode: 0x05, prps: [2 ** 40, 0], dword10: 0x000f0002, dword11: 1 });
    host.run(0, { opcode: 0x01, prps: [ringsOf(2).submission, 0], dword10: 0x000f0002, dword11: 0x00020001 });
    machine.store(ringsOf(2).submission, new Uint8Array(64));
    host.write32(NVME_REGISTER.doorbells + 16, 1);
    machine.scheduler.run();
    expect(status(host) & 2).toBe(2);
    host.submit(1, [readPage(0)]);
    machine.scheduler.run();
    expect(host.reap(1)).toEqual([]);
  });
});

it('works the same behind a switch', () => {
  const { machine, host } = started(16, { behindSwitch: true });
  host.submit(1, [0, 1, 2, 3].map(readPage));
  machine.scheduler.run();
  expect(host.reap(1)).toHaveLength(4);
  expect([0, 1, 2, 3].every((id) => holdsPage(machine, id))).toBe(true);
  expect(machine.fabric.counters.refused.requests).toBe(0);
  expect(machine.clock.step).toBe(machine.fabric.counters.memory.requests);
});
