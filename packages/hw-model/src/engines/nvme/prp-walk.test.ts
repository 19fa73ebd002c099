// PRPs end to end: every shape of PRP1, PRP2 and lists, read and written by the controller, byte by byte.
import { describe, expect, it } from 'vitest';
import { storePrpLists } from '../../../test/data-pointers.ts';
import { type CommandFields, NvmeHost } from '../../../test/nvme-host.ts';
import { NvmeMachine } from '../../../test/nvme-machine.ts';
import { NVME_IO } from './nvme-io-commands.ts';
import { NVME_STATUS, NVME_STATUS_DNR } from './nvme-status.ts';

const PAGE = 4096;
const DATA = 0x400000;
const LISTS = 0x200000;
const LBA = 1000;

/** Pages of the data, every second one: no two of them are neighbours. */
const pageAt = (index: number): number => DATA + 2 * PAGE * index;
const pages = (count: number): number[] => Array.from({ length: count }, (_, i) => pageAt(i));

function started(): { machine: NvmeMachine; host: NvmeHost } {
  const machine = new NvmeMachine({ controller: { mdts: 0 } });
  const host = new NvmeHost(machine);
  host.enable();
  host.createQueues(1, 16);
  return { machine, host };
}

/** What lies at `first` up to the end of its page, then in `more`, cut to `bytes`. */
function gathered(machine: NvmeMachine, first: number, more: readonly number[], bytes: number): Uint8Array {
  const head = machine.bytesAt(first, Math.min(bytes, PAGE - (first % PAGE)));
  const whole = new Uint8Array(head.length + PAGE * more.length);
  whole.set(head);
  for (const [i, page] of more.entries()) whole.set(machine.bytesAt(page, PAGE), head.length + PAGE * i);
  return whole.slice(0, bytes);
}

/** Reads blocks to the given place, writes them to another place of the medium, and compares all three. */
function bothWays(
  prps: readonly [number, number],
  first: number,
  more: readonly number[],
  bytes: number,
): NvmeMachine {
  const { machine, host } = started();
  if (more.length > 1)
    storePrpLists(machine, more, [prps[1], LISTS + PAGE, LISTS + 3 * PAGE, LISTS + 5 * PAGE]);
  const blocks = bytes / 512;
  const command = { namespaceId: 1, prps, dword12: blocks - 1 };
  expect(host.run(1, { ...command, opcode: NVME_IO.read, lba: LBA }).status).toBe(0);
  const expected = machine.onMedium(LBA, blocks);
  expect(Buffer.compare(gathered(machine, first, more, bytes), expected)).toBe(0);
  expect(host.run(1, { ...command, opcode: NVME_IO.write, lba: 500_000 }).status).toBe(0);
  expect(Buffer.compare(machine.onMedium(500_000, blocks), expected)).toBe(0);
  expect(machine.controller.counters).toMatchObject({ bytesToHost: bytes, bytesFromHost: bytes, errors: 0 });
  return machine;
}

describe('PRP1 alone', () => {
  it.each([
    ['one block', 0, 512],
    ['one page', 0, PAGE],
    ['the end of a page', PAGE - 512, 512],
    ['an offset of one dword', 4, PAGE - 512],
  ])('%s', (_name, offset, bytes) => {
    const machine = bothWays([pageAt(0) + offset, 0xdead_f00d], pageAt(0) + offset, [], bytes);
    expect(machine.controller.counters.prpEntriesFetched).toBe(0);
  });

  it('touches no byte beside the transfer', () => {
    const { machine, host } = started();
    machine.store(pageAt(0), new Uint8Array(2 * PAGE).fill(0x55));
    host.run(1, { opcode: NVME_IO.read, namespaceId: 1, prps: [pageAt(0) + 1024, 0], lba: LBA, dword12: 1 });
    const around = machine.bytesAt(pageAt(0), 2 * PAGE);
    around.fill(0x55, 1024, 2048);
    expect(around.every((byte) => byte === 0x55)).toBe(true);
  });
});

describe('PRP1 and PRP2', () => {
  it.each([
    ['two pages', 0, 2 * PAGE],
    ['a page that starts at an offset', 512, PAGE],
    ['the last dword of a page and a whole page', PAGE - 4, PAGE],
  ])('%s', (_name, offset, bytes) => {
    const machine = bothWays([pageAt(0) + offset, pageAt(1)], pageAt(0) + offset, [pageAt(1)], bytes);
    expect(machine.controller.counters.prpEntriesFetched).toBe(0);
  });
});

describe('a PRP list', () => {
  it.each([
    ['three pages', 0, 3 * PAGE, LISTS, 2],
    ['two pages at an offset', 512, 2 * PAGE, LISTS, 2],
    ['a partial last page', 1024, 5 * PAGE + 512, LISTS, 5],
    ['33 pages', 0, 33 * PAGE, LISTS, 32],
    ['a list in the middle of a page', 0, 33 * PAGE, LISTS + 0x700, 32],
    ['a list that ends with its page', 0, 33 * PAGE, LISTS + PAGE - 32 * 8, 32],
    ['1 MiB at an offset', 512, 2 ** 20, LISTS, 256],
    ['512 entries, no pointer', 4, 2 ** 21, LISTS, 512],
  ])('%s', (_name, offset, bytes, list, entries) => {
    const more = pages(entries + 1).slice(1);
    const machine = bothWays([pageAt(0) + offset, list], pageAt(0) + offset, more, bytes);
    expect(machine.controller.counters.prpEntriesFetched).toBe(2 * entries);
  });
});

describe('chained PRP lists', () => {
  it.each([
    ['two lists: 511 entries and a pointer, then 2', 2 ** 21 + 2 * PAGE, LISTS, 513, 1],
    ['three lists', 2 ** 22 + PAGE, LISTS, 1024, 2],
    ['a pointer as the only entry of the first page', 4 * PAGE, LISTS + PAGE - 8, 3, 1],
    ['one entry and a pointer in the first page', 4 * PAGE, LISTS + PAGE - 16, 3, 1],
  ])('%s', (_name, bytes, list, entries, pointers) => {
    const more = pages(entries + 1).slice(1);
    const machine = bothWays([pageAt(0), list], pageAt(0), more, bytes);
    expect(machine.controller.counters.prpEntriesFetched).toBe(2 * (entries + pointers));
  });
});

describe('a wrong PRP', () => {
  const eightPages = (prps: readonly [number, number]): CommandFields => ({
    opcode: NVME_IO.read,
    namespaceId: 1,
    prps,
    lba: LBA,
    dword12: 63,
  });

  it.each<[string, readonly [number, number], readonly number[]]>([
    ['PRP1 off its dword', [pageAt(0) + 2, LISTS], pages(7)],
    ['a list off its qword', [pageAt(0), LISTS + 4], pages(7)],
    ['an entry with an offset', [pageAt(0), LISTS], [...pages(6), pageAt(6) + 512]],
    ['a next list with an offset', [pageAt(0), LISTS + PAGE - 16], [pageAt(1), LISTS + 2 * PAGE + 8]],
  ])('ends with "PRP offset invalid" before any data moves: %s', (_name, prps, list) => {
    const { machine, host } = started();
    machine.storeUint64s(prps[1] - (prps[1] % 8), list);
    expect(host.run(1, eightPages(prps)).status).toBe(NVME_STATUS.invalidPrpOffset + NVME_STATUS_DNR);
    expect(machine.bytesAt(DATA, 16 * PAGE).every((byte) => byte === 0)).toBe(true);
    expect(machine.controller.counters.bytesToHost).toBe(0);
  });

  it('ends with "PRP offset invalid" when PRP2 is a page and has an offset', () => {
    const { host } = started();
    const command = { ...eightPages([pageAt(0), pageAt(1) + 4]), dword12: 15 };
    expect(host.run(1, command).status).toBe(NVME_STATUS.invalidPrpOffset + NVME_STATUS_DNR);
  });

  it.each<[string, readonly [number, number], readonly number[]]>([
    ['PRP1 where nobody answers', [2 ** 40, LISTS], pages(7)],
    ['a list where nobody answers', [pageAt(0), 2 ** 40], []],
    ['an entry beyond every address space', [pageAt(0), LISTS], [2 ** 60]],
    ['a list beyond every address space', [pageAt(0), 2 ** 63], []],
  ])('ends with "data transfer error": %s', (_name, prps, list) => {
    const { machine, host } = started();
    if (list.length > 0) machine.storeUint64s(LISTS, [...list, ...pages(7)].slice(0, 7));
    expect(host.run(1, eightPages(prps)).status).toBe(NVME_STATUS.dataTransferError);
    expect(machine.controller.counters.errors).toBe(1);
  });
});

it('counts in pages of the size that CC.MPS says', () => {
  const machine = new NvmeMachine();
  const host = new NvmeHost(machine);
  host.enable(16, 0x460001 + (2 << 7));
  expect(host.createQueues(1, 16)).toEqual([0, 0]);
  const wide = 4 * PAGE;
  const command = { opcode: NVME_IO.read, namespaceId: 1, lba: LBA, dword12: (2 * wide) / 512 - 1 };
  expect(host.run(1, { ...command, prps: [DATA, DATA + 2 * wide] }).status).toBe(0);
  const whole = new Uint8Array([...machine.bytesAt(DATA, wide), ...machine.bytesAt(DATA + 2 * wide, wide)]);
  expect(Buffer.compare(whole, machine.onMedium(LBA, (2 * wide) / 512))).toBe(0);
  const misaligned = host.run(1, { ...command, prps: [DATA, DATA + PAGE] });
  expect(misaligned.status).toBe(NVME_STATUS.invalidPrpOffset + NVME_STATUS_DNR);
});
