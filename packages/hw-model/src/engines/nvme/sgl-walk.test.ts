// SGLs end to end: data blocks, segments and chains of segments, and the status of every malformed one.
import { describe, expect, it } from 'vitest';
import { type Piece, sglDescriptor, storeBlocks, storeSegments } from '../../../test/data-pointers.ts';
import { type CommandFields, NvmeHost } from '../../../test/nvme-host.ts';
import { NvmeMachine } from '../../../test/nvme-machine.ts';
import type { NvmeSglSupport } from './nvme-data-path.ts';
import { NVME_IO } from './nvme-io-commands.ts';
import { NVME_STATUS, NVME_STATUS_DNR } from './nvme-status.ts';
import { NVME_SGL } from './sgl-walk.ts';

const DATA = 0x400000;
const LIST = 0x200000;
const LBA = 77;

function started(sgls: NvmeSglSupport = 1): { machine: NvmeMachine; host: NvmeHost } {
  const machine = new NvmeMachine({ controller: { sgls } });
  const host = new NvmeHost(machine);
  host.enable();
  host.createQueues(1, 16);
  return { machine, host };
}

const read = (sgl: Uint8Array, blocks: number, more: Partial<CommandFields> = {}): CommandFields => ({
  opcode: NVME_IO.read,
  namespaceId: 1,
  sgl,
  lba: LBA,
  dword12: blocks - 1,
  ...more,
});

function gathered(machine: NvmeMachine, pieces: readonly Piece[]): Uint8Array {
  return new Uint8Array(pieces.flatMap(({ address, bytes }) => [...machine.bytesAt(address, bytes)]));
}

/** Reads into the pieces, writes them back elsewhere, compares all three. */
function bothWays(
  { machine, host }: { machine: NvmeMachine; host: NvmeHost },
  sgl: Uint8Array,
  pieces: readonly Piece[],
) {
  const blocks = pieces.reduce((sum, { bytes }) => sum + bytes, 0) / 512;
  expect(host.run(1, read(sgl, blocks)).status).toBe(0);
  const expected = machine.onMedium(LBA, blocks);
  expect(Buffer.compare(gathered(machine, pieces), expected)).toBe(0);
  expect(host.run(1, read(sgl, blocks, { opcode: NVME_IO.write, lba: 5000 })).status).toBe(0);
  expect(Buffer.compare(machine.onMedium(5000, blocks), expected)).toBe(0);
}

/** `count` pieces, uneven and apart, that make whole blocks together. */
function uneven(count: number): Piece[] {
  const pieces = Array.from({ length: count }, (_, i) => ({
    address: DATA + 3 * i + i * 4000,
    bytes: 1 + ((i * 37) % 700),
  }));
  const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const last = pieces.at(-1) as Piece;
  return [...pieces.slice(0, -1), { ...last, bytes: last.bytes + Math.ceil(total / 512) * 512 - total }];
}

describe('well-formed SGLs', () => {
  it('one data block in the command, at any byte, across pages', () => {
    const all = started();
    const piece = { address: DATA + 4095, bytes: 64 * 512 };
    bothWays(all, sglDescriptor(piece.address, piece.bytes), [piece]);
    expect(all.machine.controller.counters.sglDescriptorsFetched).toBe(0);
  });

  it.each([1, 2, 16, 256, 300])('a last segment of %d data blocks', (count) => {
    const all = started();
    const pieces = uneven(count);
    storeBlocks(all.machine, LIST, pieces);
    bothWays(all, sglDescriptor(LIST, 16 * count, NVME_SGL.lastSegment), pieces);
    expect(all.machine.controller.counters.sglDescriptorsFetched).toBe(2 * count);
  });

  it.each([
    [10, 4, 3],
    [7, 2, 6],
    [600, 300, 3],
  ])('%d data blocks in segments of %d descriptors', (count, most, segments) => {
    const all = started();
    const pieces = uneven(count);
    const places = Array.from({ length: segments }, (_, i) => LIST + 0x3008 * i);
    const sgl = storeSegments(all.machine, pieces, most, places);
    bothWays(all, sgl, pieces);
    expect(all.machine.controller.counters.sglDescriptorsFetched).toBe(2 * (count + segments - 1));
  });

  it('data blocks of no bytes, which move nothing', () => {
    const all = started();
    const pieces = [
      { address: DATA, bytes: 256 },
      { address: 2 ** 50, bytes: 0 },
      { address: DATA + 4096, bytes: 256 },
    ];
    storeBlocks(all.machine, LIST, pieces);
    bothWays(
      all,
      sglDescriptor(LIST, 48, NVME_SGL.lastSegment),
      pieces.filter(({ bytes }) => bytes > 0),
    );
  });

  it('PSDT 2 as well as PSDT 1', () => {
    const { machine, host } = started();
    expect(host.run(1, read(sglDescriptor(DATA, 512), 1, { flags: 0x80 })).status).toBe(0);
    expect(Buffer.compare(machine.bytesAt(DATA, 512), machine.onMedium(LBA, 1))).toBe(0);
  });
});

describe('malformed SGLs', () => {
  const { lastSegment, segment } = NVME_SGL;
  type Build = (machine: NvmeMachine) => Uint8Array;
  const inSegment =
    (type: number, descriptors: readonly Uint8Array[], bytes = 16 * descriptors.length): Build =>
    (machine) => {
      for (const [i, descriptor] of descriptors.entries()) machine.store(LIST + 16 * i, descriptor);
      return sglDescriptor(LIST, bytes, type);
    };
  const half = sglDescriptor(DATA, 256);

  it.each<[string, Build, number]>([
    ['too short', () => sglDescriptor(DATA, 256), NVME_STATUS.dataSglLengthInvalid],
    ['too long', () => sglDescriptor(DATA, 1024), NVME_STATUS.dataSglLengthInvalid],
    ['a list too short', inSegment(lastSegment, [half]), NVME_STATUS.dataSglLengthInvalid],
    ['a list too long', inSegment(lastSegment, [half, half, half]), NVME_STATUS.dataSglLengthInvalid],
    ['unknown type', () => sglDescriptor(DATA, 512, 0x50), NVME_STATUS.sglDescriptorTypeInvalid],
    ['an offset sub-type', () => sglDescriptor(DATA, 512, 0x01), NVME_STATUS.sglDescriptorTypeInvalid],
    [
      'unknown type in a list',
      inSegment(lastSegment, [half, sglDescriptor(DATA, 256, 0x40)]),
      NVME_STATUS.sglDescriptorTypeInvalid,
    ],
    [
      'a segment of no bytes',
      () => sglDescriptor(LIST, 0, lastSegment),
      NVME_STATUS.invalidSglSegmentDescriptor,
    ],
    ['half a descriptor', inSegment(lastSegment, [half, half], 24), NVME_STATUS.invalidSglSegmentDescriptor],
    [
      'a segment off its qword',
      () => sglDescriptor(LIST + 4, 32, lastSegment),
      NVME_STATUS.invalidSglSegmentDescriptor,
    ],
    [
      'a segment pointer in the last segment',
      inSegment(lastSegment, [half, sglDescriptor(LIST, 16, lastSegment)]),
      NVME_STATUS.invalidSglSegmentDescriptor,
    ],
    [
      'a segment pointer before the end',
      inSegment(segment, [sglDescriptor(LIST, 16, lastSegment), half]),
      NVME_STATUS.invalidSglDescriptorCount,
    ],
    ['a segment that leads nowhere', inSegment(segment, [half, half]), NVME_STATUS.invalidSglDescriptorCount],
    [
      'a chain that comes back to itself',
      inSegment(segment, [sglDescriptor(LIST, 16, segment)]),
      NVME_STATUS.invalidSglDescriptorCount,
    ],
  ])('%s', (_name, build, status) => {
    const { machine, host } = started();
    const sgl = build(machine);
    expect(host.run(1, read(sgl, 1)).status).toBe(status + NVME_STATUS_DNR);
    expect(machine.bytesAt(DATA, 1024).every((byte) => byte === 0)).toBe(true);
    expect(machine.controller.counters.bytesToHost).toBe(0);
  });

  it.each<[string, Uint8Array]>([
    ['data where nobody answers', sglDescriptor(2 ** 40, 512)],
    ['data beyond every address space', sglDescriptor(2 ** 55, 512)],
    ['a segment where nobody answers', sglDescriptor(2 ** 40, 32, lastSegment)],
  ])('end with "data transfer error": %s', (_name, sgl) => {
    const { host } = started();
    expect(host.run(1, read(sgl, 1)).status).toBe(NVME_STATUS.dataTransferError);
  });
});

describe('support that Identify reports', () => {
  it('none: every SGL is an invalid field', () => {
    const { host } = started(0);
    expect(host.run(1, read(sglDescriptor(DATA, 512), 1)).status).toBe(
      NVME_STATUS.invalidField + NVME_STATUS_DNR,
    );
  });

  it.each([
    [1, 510],
    [4, 510],
    [2, 512],
  ])('dword granular: a block at offset %d of %d bytes', (offset, bytes) => {
    const { machine, host } = started(2);
    storeBlocks(machine, LIST, [
      { address: DATA + offset, bytes },
      { address: DATA + 4096, bytes: 1024 - bytes },
    ]);
    const status = host.run(1, read(sglDescriptor(LIST, 32, NVME_SGL.lastSegment), 2)).status;
    expect(status).toBe(NVME_STATUS.sglDataBlockGranularityInvalid + NVME_STATUS_DNR);
  });

  it('dword granular: dwords pass', () => {
    const all = started(2);
    bothWays(all, sglDescriptor(DATA + 4, 512), [{ address: DATA + 4, bytes: 512 }]);
  });
});
