// The whole way: NVMe commands whose queues, lists and data are IOVAs, a VT-d unit that walks tables in memory.
import { describe, expect, it } from 'vitest';
import {
  NVME_IO,
  NVME_STATUS,
  recordedVtdCapabilities,
  VtdFaultStatus,
  VtdRegister,
  VtdUnit,
} from '../src/index.ts';
import { sglDescriptor } from './data-pointers.ts';
import { NvmeHost } from './nvme-host.ts';
import { NvmeMachine } from './nvme-machine.ts';
import { READ_ONLY, READ_WRITE, VtdTables, WRITE_ONLY } from './vtd-tables.ts';

const PAGE = 4096;
/** First frame of the data in the IOVA space: above 4 GiB, where there is no RAM at all. */
const IOVA = 0x123450;
const LIST = 0xabcde;
const LIST_FRAME = 0x300;
const TABLES = 0x800;
const PAGES = 8;

/** Where page `index` of the data lies: backwards, every third frame. */
const frameAt = (index: number): number => 0x600 - 3 * index;

interface Setup {
  readonly machine: NvmeMachine;
  readonly host: NvmeHost;
  readonly unit: VtdUnit;
  readonly tables: VtdTables;
}

/** Rings are mapped one to one, data and list elsewhere, in both directions. */
function started(): Setup {
  const machine = new NvmeMachine({ behindSwitch: true });
  const unit = new VtdUnit(machine.memory, { capabilities: recordedVtdCapabilities, log: machine.log });
  const { endpoint } = machine.controller;
  const tables = new VtdTables(machine.memory, TABLES, endpoint.requesterId);
  for (let frame = 0x10; frame < 0x40; frame += 1) tables.map(frame, frame, READ_WRITE);
  for (let i = 0; i < PAGES; i += 1) tables.map(IOVA + i, frameAt(i), READ_WRITE);
  tables.map(LIST, LIST_FRAME, READ_ONLY);
  tables.install(unit);
  machine.fabric.setTranslationAgent(unit);
  const host = new NvmeHost(machine);
  host.enable();
  expect(host.createQueues(1, 16)).toEqual([0, 0]);
  const pages = Array.from({ length: PAGES - 1 }, (_, i) => PAGE * (IOVA + 1 + i));
  machine.storeUint64s(LIST_FRAME * PAGE, pages);
  return { machine, host, unit, tables };
}

const command = (opcode: number, lba = 64) =>
  ({ opcode, namespaceId: 1, prps: [PAGE * IOVA, PAGE * LIST], lba, dword12: PAGES * 8 - 1 }) as const;

function data(machine: NvmeMachine): Uint8Array {
  const whole = new Uint8Array(PAGES * PAGE);
  for (let i = 0; i < PAGES; i += 1) whole.set(machine.bytesAt(frameAt(i) * PAGE, PAGE), i * PAGE);
  return whole;
}

describe('through the tables', () => {
  it('PRP lists and data reach the frames that the tables name', () => {
    const { machine, host, unit } = started();
    expect(host.run(1, command(NVME_IO.read)).status).toBe(0);
    expect(Buffer.compare(data(machine), machine.onMedium(64, PAGES * 8))).toBe(0);
    expect(host.run(1, command(NVME_IO.write, 9000)).status).toBe(0);
    expect(Buffer.compare(data(machine), machine.onMedium(9000, PAGES * 8))).toBe(0);
    expect(unit.counters.translations).toBe(machine.fabric.counters.memory.requests);
    expect([unit.counters.faults, machine.fabric.counters.refused.requests]).toEqual([0, 0]);
  });

  it('an SGL of one block that is contiguous only as an IOVA', () => {
    const { machine, host } = started();
    const sgl = sglDescriptor(PAGE * IOVA, PAGES * PAGE);
    const status = host.run(1, {
      opcode: NVME_IO.read,
      namespaceId: 1,
      sgl,
      lba: 5,
      dword12: PAGES * 8 - 1,
    }).status;
    expect([status, Buffer.compare(data(machine), machine.onMedium(5, PAGES * 8))]).toEqual([0, 0]);
  });
});

describe('a blocked request', () => {
  const blocked = (change: (all: Setup) => void, opcode: number): Setup => {
    const all = started();
    change(all);
    for (let i = 0; i < PAGES; i += 1) all.machine.memory.frameBytes(frameAt(i)).fill(0xcc);
    expect(all.host.run(1, command(opcode)).status).toBe(NVME_STATUS.dataTransferError);
    expect(all.unit.counters.faults).toBe(1);
    expect(all.unit.readRegister32(VtdRegister.FSTS)).toBe(VtdFaultStatus.pending);
    expect(all.machine.fabric.counters.refused.requests).toBe(1);
    return all;
  };
  const untouched = (machine: NvmeMachine): boolean => data(machine).every((byte) => byte === 0xcc);

  it('moves no byte: nothing mapped at the first page', () => {
    const { machine } = blocked(({ tables }) => tables.map(IOVA, 0, 0), NVME_IO.read);
    expect(untouched(machine)).toBe(true);
    expect(machine.controller.counters.bytesToHost).toBe(0);
  });

  it('moves no byte: a read-only page is not written', () => {
    const { machine } = blocked(({ tables }) => tables.map(IOVA, frameAt(0), READ_ONLY), NVME_IO.read);
    expect(untouched(machine)).toBe(true);
  });

  it('moves no byte to the medium: a write-only page is not read', () => {
    const { machine } = blocked(({ tables }) => tables.map(IOVA + 5, frameAt(5), WRITE_ONLY), NVME_IO.write);
    expect(machine.medium.writtenBlocks).toBe(0);
  });

  it('moves no byte: the PRP list cannot be fetched', () => {
    const { machine } = blocked(({ tables }) => tables.map(LIST, 0, 0), NVME_IO.read);
    expect(untouched(machine)).toBe(true);
  });

  it('ends the transfer where it is: pages before have arrived, pages behind have not', () => {
    const { machine } = blocked(({ tables }) => tables.map(IOVA + 3, 0, 0), NVME_IO.read);
    const found = data(machine);
    expect(Buffer.compare(found.subarray(0, 3 * PAGE), machine.onMedium(64, 24))).toBe(0);
    expect(found.subarray(3 * PAGE).every((byte) => byte === 0xcc)).toBe(true);
  });

  it('leaves the controller usable', () => {
    const all = blocked(({ tables }) => tables.map(IOVA, 0, 0), NVME_IO.read);
    all.tables.map(IOVA, frameAt(0), READ_WRITE);
    expect(all.host.run(1, command(NVME_IO.read)).status).toBe(0);
    expect(Buffer.compare(data(all.machine), all.machine.onMedium(64, PAGES * 8))).toBe(0);
  });
});

it('reaches the old page while the IOTLB still remembers it', () => {
  const { machine, host, unit, tables } = started();
  expect(host.run(1, command(NVME_IO.read)).status).toBe(0);
  tables.map(IOVA, 0x700, READ_WRITE);
  expect(host.run(1, command(NVME_IO.read, 4096)).status).toBe(0);
  expect(Buffer.compare(data(machine), machine.onMedium(4096, PAGES * 8))).toBe(0);
  unit.iotlb.invalidateAll();
  expect(host.run(1, command(NVME_IO.read, 64)).status).toBe(0);
  expect(Buffer.compare(machine.bytesAt(0x700 * PAGE, PAGE), machine.onMedium(64, 8))).toBe(0);
  expect(Buffer.compare(machine.bytesAt(frameAt(0) * PAGE, PAGE), machine.onMedium(4096, 8))).toBe(0);
});
