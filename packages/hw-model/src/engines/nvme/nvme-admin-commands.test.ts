// Admin commands: Identify bytes at the offsets a driver reads, queues created and deleted, every status on the way.
import { describe, expect, it } from 'vitest';
import { type CommandFields, NvmeHost } from '../../../test/nvme-host.ts';
import { NvmeMachine, type NvmeMachineOptions } from '../../../test/nvme-machine.ts';
import { NVME_ADMIN } from './nvme-admin-commands.ts';
import { NVME_IO } from './nvme-io-commands.ts';
import { NVME_STATUS, NVME_STATUS_DNR } from './nvme-status.ts';

const BUFFER = 0x100000;
const { identify, createIoCompletionQueue, createIoSubmissionQueue, getFeatures, setFeatures } = NVME_ADMIN;
const { deleteIoCompletionQueue, deleteIoSubmissionQueue } = NVME_ADMIN;

function started(options: NvmeMachineOptions = {}): { machine: NvmeMachine; host: NvmeHost } {
  const machine = new NvmeMachine({ ...options, controller: { maxQueueEntries: 64, ...options.controller } });
  const host = new NvmeHost(machine);
  host.enable();
  return { machine, host };
}

function identified(host: NvmeHost, structure: number, namespaceId: number): DataView {
  const { machine } = host;
  machine.store(BUFFER, new Uint8Array(4096).fill(0xee));
  const { status } = host.run(0, { opcode: identify, namespaceId, prps: [BUFFER, 0], dword10: structure });
  expect(status).toBe(NVME_STATUS.success);
  return new DataView(machine.bytesAt(BUFFER, 4096).buffer);
}

describe('Identify', () => {
  it('Controller says ids, limits and SGL support', () => {
    const controller = {
      sgls: 2,
      mdts: 5,
      serialNumber: 'n0',
      identity: { vendorId: 0x1b36, deviceId: 0x10 },
    } as const;
    const { host } = started({ controller });
    const data = identified(host, 1, 0);
    expect([data.getUint16(0, true), data.getUint8(77), data.getUint32(536, true) & 3]).toEqual([
      0x1b36, 5, 2,
    ]);
    const text = (at: number, bytes: number): string =>
      String.fromCharCode(...new Uint8Array(data.buffer, at, bytes));
    expect(text(4, 20)).toBe('n0'.padEnd(20));
    expect([data.getUint8(512), data.getUint8(513), data.getUint32(516, true)]).toEqual([0x66, 0x44, 1]);
  });

  it.each([512, 4096] as const)('Namespace says its capacity in blocks of %d bytes', (blockBytes) => {
    const { host } = started({ blockBytes, blockCount: 0x123456789 });
    const data = identified(host, 0, 1);
    const format = data.getUint8(26) & 0xf;
    expect(2 ** data.getUint8(128 + 4 * format + 2)).toBe(blockBytes);
    expect([data.getBigUint64(0, true), data.getBigUint64(8, true)]).toEqual([0x123456789n, 0x123456789n]);
  });

  it('lists the active namespaces above a given one', () => {
    const { host } = started();
    expect([0, 1].map((after) => identified(host, 2, after).getUint32(0, true))).toEqual([1, 0]);
  });

  it('fills a buffer that starts inside a page by its second PRP', () => {
    const { machine, host } = started();
    const prps = [BUFFER + 0x100, BUFFER + 0x5000] as const;
    expect(host.run(0, { opcode: identify, prps, dword10: 1 }).status).toBe(0);
    const whole = new Uint8Array([...machine.bytesAt(prps[0], 0xf00), ...machine.bytesAt(prps[1], 0x100)]);
    expect(Buffer.compare(whole, new Uint8Array(identified(host, 1, 0).buffer))).toBe(0);
  });
});

describe('a command it cannot execute', () => {
  it.each<[string, CommandFields, number]>([
    ['unknown opcode', { opcode: 0x7f }, NVME_STATUS.invalidOpcode],
    ['Identify of another structure', { opcode: identify, dword10: 0x42 }, NVME_STATUS.invalidField],
    ['Identify of another namespace', { opcode: identify, namespaceId: 2 }, NVME_STATUS.invalidNamespace],
    ['an SGL', { opcode: identify, flags: 0x40, dword10: 1 }, NVME_STATUS.invalidField],
    ['a fused command', { opcode: identify, flags: 0x01, dword10: 1 }, NVME_STATUS.invalidField],
    ['another feature', { opcode: getFeatures, dword10: 0x02 }, NVME_STATUS.invalidField],
    [
      'a PRP off its dword',
      { opcode: identify, dword10: 1, prps: [BUFFER + 2, 0] },
      NVME_STATUS.invalidPrpOffset,
    ],
  ])('ends with its status and "do not retry": %s', (_name, command, status) => {
    const { machine, host } = started();
    expect(host.run(0, command).status).toBe(status + NVME_STATUS_DNR);
    expect(machine.controller.counters).toMatchObject({
      commands: 1,
      completions: 1,
      errors: 1,
      bytesToHost: 0,
    });
  });
});

it('grants 63 queues of each kind, 0-based', () => {
  const { host } = started();
  for (const opcode of [getFeatures, setFeatures]) {
    expect(host.run(0, { opcode, dword10: 7, dword11: 0x00030003 })).toMatchObject({
      status: 0,
      result: 0x3e003e,
    });
  }
});

describe('creating queues', () => {
  const completion = (fields: Partial<CommandFields> = {}): CommandFields => ({
    opcode: createIoCompletionQueue,
    prps: [0x20000, 0],
    dword10: 0x000f0001,
    dword11: 1,
    ...fields,
  });
  const submission = (fields: Partial<CommandFields> = {}): CommandFields => ({
    opcode: createIoSubmissionQueue,
    prps: [0x21000, 0],
    dword10: 0x000f0001,
    dword11: 0x00010001,
    ...fields,
  });

  it.each<[string, CommandFields, number]>([
    ['identifier 0', completion({ dword10: 0x000f0000 }), NVME_STATUS.invalidQueueIdentifier],
    ['identifier 64', completion({ dword10: 0x000f0040 }), NVME_STATUS.invalidQueueIdentifier],
    ['one entry', completion({ dword10: 0x00000001 }), NVME_STATUS.invalidQueueSize],
    ['too many entries', completion({ dword10: 0x00400001 }), NVME_STATUS.invalidQueueSize],
    ['a scattered ring', completion({ dword11: 0 }), NVME_STATUS.invalidField],
    ['a ring inside a page', completion({ prps: [0x20010, 0] }), NVME_STATUS.invalidPrpOffset],
    ['a ring that no bus reaches', completion({ prps: [2 ** 52, 0] }), NVME_STATUS.invalidField],
    ['no completion queue', submission(), NVME_STATUS.completionQueueInvalid],
    ['the admin completion queue', submission({ dword11: 1 }), NVME_STATUS.completionQueueInvalid],
  ])('refuses %s', (_name, command, status) => {
    const { host } = started();
    expect(host.run(0, command).status).toBe(status + NVME_STATUS_DNR);
  });

  it('refuses an identifier that is taken, in each kind', () => {
    const { host } = started();
    expect(host.createQueues(1, 16)).toEqual([0, 0]);
    const taken = NVME_STATUS.invalidQueueIdentifier + NVME_STATUS_DNR;
    expect(host.createQueues(1, 16)).toEqual([taken, taken]);
  });

  it('refuses them before the entry sizes are set', () => {
    const machine = new NvmeMachine();
    const host = new NvmeHost(machine);
    host.enable(16, 1);
    expect(host.run(0, completion()).status).toBe(NVME_STATUS.invalidQueueSize + NVME_STATUS_DNR);
  });

  it('takes the largest queue it promised', () => {
    const { host } = started();
    expect(host.createQueues(63, 64)).toEqual([0, 0]);
  });
});

describe('deleting queues', () => {
  it('takes the submission queue first', () => {
    const { host } = started();
    host.createQueues(1, 16);
    const remove = (opcode: number, id = 1): number => host.run(0, { opcode, dword10: id }).status;
    expect(remove(deleteIoCompletionQueue)).toBe(NVME_STATUS.invalidQueueDeletion + NVME_STATUS_DNR);
    expect([remove(deleteIoSubmissionQueue), remove(deleteIoCompletionQueue)]).toEqual([0, 0]);
    const gone = NVME_STATUS.invalidQueueIdentifier + NVME_STATUS_DNR;
    expect([remove(deleteIoSubmissionQueue), remove(deleteIoCompletionQueue)]).toEqual([gone, gone]);
    expect([remove(deleteIoSubmissionQueue, 0), remove(deleteIoCompletionQueue, 0)]).toEqual([gone, gone]);
    expect(host.createQueues(1, 16)).toEqual([0, 0]);
  });

  it('waits for commands that were fetched', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const { machine, host } = started({ seed });
      host.createQueues(1, 16);
      host.submit(1, [{ opcode: NVME_IO.read, namespaceId: 1, prps: [BUFFER, 0], lba: 0, dword12: 7 }]);
      while (machine.controller.counters.commands < 3) machine.scheduler.step();
      host.submit(0, [{ opcode: deleteIoSubmissionQueue, dword10: 1 }]);
      const { scheduler } = machine;
      const admin = (): boolean => host.reap(0).length > 0;
      while (!admin()) scheduler.step();
      expect(host.reap(1)).toMatchObject([{ status: 0 }]);
      expect(Buffer.compare(machine.bytesAt(BUFFER, 4096), machine.onMedium(0, 8))).toBe(0);
    }
  });
});
