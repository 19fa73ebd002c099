// Any scatter of a transfer, described by PRPs or by an SGL, moves the same bytes as a plain copy, and no others.
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { NVME_IO } from '../src/index.ts';
import { type Piece, storePrps, storeSegments } from './data-pointers.ts';
import { NvmeHost } from './nvme-host.ts';
import { NvmeMachine } from './nvme-machine.ts';

const PAGE = 4096;
const LISTS = 0x200000;
const DATA = 0x400000;
const DATA_BYTES = 0x200000;
const FILL = 0x99;

/** A page number of the data area for each page of a transfer: a shuffle, so none is used twice. */
const shuffled = fc.shuffledSubarray(
  Array.from({ length: DATA_BYTES / PAGE }, (_, i) => i),
  { minLength: 140, maxLength: 140 },
);
const blocks = fc.integer({ min: 1, max: 1024 });

function started(seed: number): { machine: NvmeMachine; host: NvmeHost } {
  const machine = new NvmeMachine({ seed });
  const host = new NvmeHost(machine);
  host.enable();
  host.createQueues(1, 16);
  machine.store(DATA, new Uint8Array(DATA_BYTES).fill(FILL));
  return { machine, host };
}

/** Reads and writes back; the data area must be a plain copy of the medium at the pieces, and untouched elsewhere. */
function check(
  { machine, host }: { machine: NvmeMachine; host: NvmeHost },
  pointer: { readonly prps: readonly [number, number] } | { readonly sgl: Uint8Array },
  pieces: readonly Piece[],
): void {
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  const command = { namespaceId: 1, dword12: bytes / 512 - 1, ...pointer };
  expect(host.run(1, { ...command, opcode: NVME_IO.read, lba: 333 }).status).toBe(0);
  const source = machine.onMedium(333, bytes / 512);
  const plain = new Uint8Array(DATA_BYTES).fill(FILL);
  let at = 0;
  for (const piece of pieces) {
    plain.set(source.subarray(at, at + piece.bytes), piece.address - DATA);
    at += piece.bytes;
  }
  expect(Buffer.compare(machine.bytesAt(DATA, DATA_BYTES), plain)).toBe(0);
  expect(host.run(1, { ...command, opcode: NVME_IO.write, lba: 70_000 }).status).toBe(0);
  expect(Buffer.compare(machine.onMedium(70_000, bytes / 512), source)).toBe(0);
}

const listOffset = fc.integer({ min: 0, max: PAGE / 8 - 1 }).map((qword) => 8 * qword);
const dwordOffset = fc.integer({ min: 0, max: PAGE / 4 - 1 }).map((dword) => 4 * dword);

test.prop([shuffled, blocks, dwordOffset, listOffset, fc.integer()], { numRuns: 60 })(
  'PRPs',
  (numbers, count, offset, listAt, seed) => {
    const all = started(seed);
    const bytes = 512 * count;
    const head = Math.min(bytes, PAGE - offset);
    const pages = numbers
      .slice(0, 1 + Math.ceil((bytes - head) / PAGE))
      .map((number) => DATA + PAGE * number);
    const [first = DATA, ...more] = pages;
    const lists = [LISTS + listAt, LISTS + 2 * PAGE, LISTS + 4 * PAGE];
    const prps = storePrps(all.machine, first + offset, more, lists);
    const pieces = [{ address: first + offset, bytes: head }];
    for (const [i, page] of more.entries()) {
      pieces.push({ address: page, bytes: Math.min(PAGE, bytes - head - PAGE * i) });
    }
    check(all, { prps }, pieces);
  },
);

const cut = fc.record({
  bytes: fc.integer({ min: 1, max: PAGE }),
  offset: fc.integer({ min: 0, max: PAGE - 1 }),
});

test.prop(
  [shuffled, fc.array(cut, { minLength: 1, maxLength: 120 }), fc.integer({ min: 2, max: 20 }), fc.integer()],
  { numRuns: 60 },
)('SGLs in segments', (numbers, cuts, most, seed) => {
  const all = started(seed);
  const pieces = cuts.map(({ bytes, offset }, i) => ({
    address: DATA + PAGE * (numbers[i] as number) + Math.min(offset, PAGE - bytes),
    bytes,
  }));
  const short = (512 - (pieces.reduce((sum, { bytes }) => sum + bytes, 0) % 512)) % 512;
  if (short > 0) pieces.push({ address: DATA + PAGE * (numbers[cuts.length] as number), bytes: short });
  const places = Array.from({ length: 125 }, (_, i) => LISTS + 0x188 * i);
  check(all, { sgl: storeSegments(all.machine, pieces, most, places) }, pieces);
});
