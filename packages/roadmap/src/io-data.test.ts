// The comparison itself: it must see any wrong byte, wherever it is, and must not see one where there is none.

import { fc, test } from '@fast-check/vitest';
import { type BlockMedium, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { IoData, mediumFor } from './io-data.ts';
import type { IoRecord, MemoryPiece } from './io-record.ts';

function bench(seed = 7): { memory: PhysicalMemory; medium: BlockMedium; data: IoData } {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 0x1000000);
  const medium = mediumFor(seed, 1 << 20);
  return { memory, medium, data: new IoData(memory, medium, seed) };
}

/** Does by hand what a disk does; `spoil` changes the stream on its way. */
function run(
  { memory, medium }: ReturnType<typeof bench>,
  io: IoRecord,
  spoil: (stream: Uint8Array) => void = () => undefined,
): void {
  const pieces = io.iovecs.flat();
  const stream = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.bytes, 0));
  const each = (visit: (piece: MemoryPiece, part: Uint8Array) => void): void => {
    let at = 0;
    for (const piece of pieces) {
      visit(piece, stream.subarray(at, at + piece.bytes));
      at += piece.bytes;
    }
  };
  if (io.operation === 'write') {
    each((piece, part) => memory.read(piece.phys, part));
    spoil(stream);
    medium.write(io.position / 512, stream);
  } else {
    medium.read(io.position / 512, stream);
    spoil(stream);
    each((piece, part) => memory.write(piece.phys, part));
  }
}

const piece = (phys: number, bytes: number): MemoryPiece => ({ phys: physAddr(phys), bytes });
const scattered = [[piece(0x10200, 512), piece(0x20000, 4096)], [piece(0x4000, 3584)]];
const of = (operation: 'read' | 'write', position = 4096): IoRecord => ({
  operation,
  position,
  iovecs: scattered,
});

describe.each(['read', 'write'] as const)('a %s', (operation) => {
  it('that moved every byte is right', () => {
    const own = bench();
    own.data.prepare(of(operation), 0);
    run(own, of(operation));
    expect(own.data.verify(of(operation))).toEqual({
      verified: 8192,
      wrong: 0,
      contested: 0,
      firstWrong: null,
    });
  });

  it('that moved nothing is wrong', () => {
    const own = bench();
    own.data.prepare(of(operation), 0);
    expect(own.data.verify(of(operation)).wrong).toBeGreaterThan(8000);
  });

  test.prop([fc.integer({ min: 0, max: 8191 }), fc.integer({ min: 1, max: 255 })])(
    'with one changed byte is wrong by one byte',
    (at, difference) => {
      const own = bench();
      own.data.prepare(of(operation), 0);
      run(own, of(operation), (stream) => {
        stream[at] = (stream[at] as number) ^ difference;
      });
      expect(own.data.verify(of(operation))).toMatchObject({ verified: 8192, wrong: 1 });
    },
  );

  it('whose pages changed places is wrong', () => {
    const own = bench();
    own.data.prepare(of(operation), 0);
    run(own, of(operation), (stream) => stream.copyWithin(0, 512, 1024));
    expect(own.data.verify(of(operation)).wrong).toBeGreaterThan(500);
  });
});

it('sees a read that brings what was on the disk before the last write', () => {
  const own = bench();
  own.data.prepare(of('write'), 0);
  run(own, of('write'));
  expect(own.data.verify(of('write')).wrong).toBe(0);
  own.data.prepare(of('write'), 1);
  const stale = new Uint8Array(8192);
  own.medium.read(8, stale);
  run(own, of('write'), (stream) => stream.set(stale));
  expect(own.data.verify(of('write')).wrong).toBeGreaterThan(8000);
});

it('sees memory that a write changed', () => {
  const own = bench();
  own.data.prepare(of('write'), 0);
  run(own, of('write'));
  own.memory.write(physAddr(0x20010), new Uint8Array([0x5a, 0xa5, 0x5a, 0xa5]));
  expect(own.data.verify(of('write')).wrong).toBeGreaterThan(0);
});

describe.each(['read', 'write'] as const)('a %s that was refused', (operation) => {
  it('has changed nothing, and leaves the disk as it was for those that follow', () => {
    const own = bench();
    own.data.prepare(of('write'), 0);
    run(own, of('write'));
    own.data.prepare(of(operation), 1);
    expect(own.data.verifyUntouched(of(operation))).toMatchObject({
      verified: 8192,
      wrong: 0,
      firstWrong: null,
    });
    own.data.prepare(of('read'), 2);
    run(own, of('read'));
    expect(own.data.verify(of('read')).wrong).toBe(0);
  });

  it('is wrong when it went through, or when one byte of memory or disk changed', () => {
    const own = bench();
    own.data.prepare(of(operation), 0);
    run(own, of(operation));
    expect(own.data.verifyUntouched(of(operation)).wrong).toBeGreaterThan(8000);
    own.data.prepare(of('read', 65536), 1);
    own.memory.write(physAddr(0x20010), new Uint8Array([0]));
    own.memory.write(physAddr(0x20011), new Uint8Array([255]));
    expect(own.data.verifyUntouched(of('read', 65536)).firstWrong).toContain('memory');
    own.data.prepare(of('write', 65536), 2);
    own.medium.write(65536 / 512 + 3, new Uint8Array(512));
    expect(own.data.verifyUntouched(of('write', 65536)).firstWrong).toContain('disk');
  });
});

it('overlapping ranges of a refused read still hold what they held', () => {
  const own = bench();
  const read: IoRecord = {
    operation: 'read',
    position: 0,
    iovecs: [[piece(0x10000, 1024)], [piece(0x10200, 1024)]],
  };
  own.data.prepare(read, 0);
  expect(own.data.verifyUntouched(read).wrong).toBe(0);
});

describe('ranges that overlap in memory', () => {
  const overlapping = [[piece(0x10000, 1024)], [piece(0x10200, 1024)]];
  const read: IoRecord = { operation: 'read', position: 0, iovecs: overlapping };

  it('may arrive in any order', () => {
    const own = bench();
    own.data.prepare(read, 0);
    run(own, read);
    expect(own.data.verify(read)).toMatchObject({ wrong: 0, contested: 512 });
    const reversed = new Uint8Array(1024);
    own.medium.read(0, reversed);
    own.memory.write(physAddr(0x10000), reversed);
    expect(own.data.verify(read).wrong).toBe(0);
  });

  it('are wrong where no range wants what is there', () => {
    const own = bench();
    own.data.prepare(read, 0);
    run(own, read);
    const there = new Uint8Array(1);
    own.memory.read(physAddr(0x10200), there);
    const wanted = new Uint8Array(1024);
    own.medium.read(0, wanted);
    const other = [1, 2, 3]
      .map((add) => ((there[0] as number) + add) % 256)
      .find((byte) => byte !== wanted[512]);
    own.memory.write(physAddr(0x10200), new Uint8Array([other as number]));
    expect(own.data.verify(read).wrong).toBeGreaterThan(0);
  });

  it('of a write hold what memory holds', () => {
    const own = bench();
    const write: IoRecord = { ...read, operation: 'write' };
    own.data.prepare(write, 0);
    run(own, write);
    expect(own.data.verify(write).wrong).toBe(0);
  });
});
