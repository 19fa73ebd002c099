// RequestList: the I/Os of one list, checked against machine and disk before anything runs.
// Source followed: what the kernel refuses (misaligned O_DIRECT) and what the modelled machine does not have.
// Simplified: one list, one disk.

import { addOffset, alignDown, byteDistance, hex, type PhysAddr, type PhysRange } from '@sgfree/hw-model';
import {
  guessBacking,
  type IoRecord,
  ioBytes,
  isRefused,
  type MachineShape,
  type MemoryPiece,
  type PageBacking,
  RECORDED_QUEUE_LIMITS,
} from '@sgfree/roadmap';
import { InputError } from './input-error.ts';
import { type ParsedLine, parseNvioLine } from './nvio-line.ts';

/** `MAX_RW_COUNT`: most bytes one preadv or pwritev moves on Linux. */
const MOST_IO_BYTES = 0x7ffff000;
/** `UIO_MAXIOV`: most iovecs of one call. */
const MOST_IOVECS = 1024;
/** Most bytes all calls of a list move: each is held in memory several times over, in RAM, on the disk and as expected. */
const MOST_LIST_BYTES = 2 ** 29;

/** A list ready to run. */
export interface RequestList {
  readonly source: string;
  readonly ios: readonly IoRecord[];
  readonly bytes: number;
  readonly backing: PageBacking;
  readonly backingReason: string;
  /** Lines whose recorded call did not move all its bytes; they are not run. */
  readonly skipped: number;
}

/** Reads the lines of `text`, which came from `file`; `backing` overrides the guess. Throws {@link InputError}. */
export function parseRequestList(
  source: string,
  text: string,
  machine: MachineShape,
  backing?: PageBacking,
  file: string = source,
): RequestList {
  const { runnable, skipped, bytes } = runnableLines(file, text, machine);
  const ios = runnable.map((parsed) => parsed.io);
  if (ios.length === 0) {
    const found = skipped > 0 ? `${skipped} failed calls and nothing else` : 'no request at all';
    throw new InputError(file, 0, found, 'at least one request record');
  }
  const guess = guessBacking(file, ios);
  const pages = backing ?? guess.backing;
  refuseUnsplittable(file, runnable, pages);
  return {
    source,
    ios,
    bytes,
    backing: pages,
    backingReason: backing === undefined ? guess.reason : 'chosen by --pages',
    skipped,
  };
}

interface RunnableLines {
  readonly runnable: readonly ParsedLine[];
  readonly skipped: number;
  readonly bytes: number;
}

function runnableLines(file: string, text: string, machine: MachineShape): RunnableLines {
  const runnable: ParsedLine[] = [];
  let [skipped, bytes, number] = [0, 0, 0];
  for (const line of linesOf(text)) {
    number += 1;
    if (line.trim() === '') continue;
    const parsed = parseNvioLine(file, number, line);
    checkAgainstMachine(file, parsed, machine);
    const moved = ioBytes(parsed.io);
    if (parsed.returned !== undefined && parsed.returned !== moved) {
      skipped += 1;
      continue;
    }
    runnable.push(parsed);
    bytes += moved;
    if (bytes > MOST_LIST_BYTES) {
      throw new InputError(
        file,
        number,
        `${bytes} bytes of I/O up to here`,
        `at most ${MOST_LIST_BYTES} a list`,
      );
    }
  }
  return { runnable, skipped, bytes };
}

/** The lines of a text. A byte order mark and carriage returns, as some editors leave them behind, change nothing. */
function* linesOf(text: string): Generator<string> {
  let at = text.startsWith('\ufeff') ? 1 : 0;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const stop = end < 0 ? text.length : end;
    yield text.slice(at, text[stop - 1] === '\r' ? stop - 1 : stop);
    at = stop + 1;
  }
}

/** What is left of the kernel's reasons to refuse a call; it depends on the pages behind the buffers. */
function refuseUnsplittable(file: string, parsed: readonly ParsedLine[], backing: PageBacking): void {
  for (const { line, io } of parsed) {
    if (!isRefused(io, backing)) continue;
    const found = 'more pieces for one disk block than a request may have';
    throw new InputError(
      file,
      line,
      found,
      `at most ${RECORDED_QUEUE_LIMITS.maxSegments} pieces for 512 bytes`,
    );
  }
}

function checkAgainstMachine(source: string, { line, io }: ParsedLine, machine: MachineShape): void {
  const bytes = ioBytes(io);
  const fail = (found: string, expected: string): never => {
    throw new InputError(source, line, found, expected);
  };
  if (!isMultiple(io.position, machine.blockBytes)) {
    fail(`pos ${io.position}`, `a multiple of the ${machine.blockBytes}-byte block`);
  }
  if (!isMultiple(bytes, machine.blockBytes)) {
    fail(`total ${bytes}`, `a multiple of the ${machine.blockBytes}-byte block`);
  }
  if (bytes > MOST_IO_BYTES) fail(`total ${bytes}`, `at most ${MOST_IO_BYTES}, as one call moves on Linux`);
  if (io.iovecs.length > MOST_IOVECS) fail(`${io.iovecs.length} iovecs`, `at most ${MOST_IOVECS}`);
  if (io.position + bytes > machine.diskBytes) {
    fail(`an end at byte ${io.position + bytes}`, `at most ${machine.diskBytes}, the size of the disk`);
  }
  for (const [index, pieces] of io.iovecs.entries()) {
    for (const piece of pieces) checkPiece(piece, index, machine, fail);
    checkOverlap(pieces, index, fail);
  }
}

function checkPiece(
  { phys, bytes }: MemoryPiece,
  iovec: number,
  machine: MachineShape,
  fail: (found: string, expected: string) => never,
): void {
  const range = `${hex(phys)}+${bytes} (iovec ${iovec})`;
  // The NVMe driver announces dma_alignment 3.
  if (!isMultiple(phys, 4) || !isMultiple(bytes, 4)) fail(range, 'address and length in multiples of 4');
  if (machine.usableRam.some((range) => holds(range, phys, bytes))) return;
  const ram = machine.usableRam
    .map(({ base, bytes: size }) => `${hex(base)}-${hex(addOffset(base, size - 1))}`)
    .join(' or ');
  fail(range, `memory inside ${ram} (--memory sets the size)`);
}

/** Pages behind one virtually contiguous buffer are distinct; buffers of different iovecs may share pages. */
function checkOverlap(
  pieces: readonly MemoryPiece[],
  iovec: number,
  fail: (found: string, expected: string) => never,
): void {
  const sorted = [...pieces].sort((a, b) => byteDistance(b.phys, a.phys));
  for (let index = 1; index < sorted.length; index += 1) {
    const before = sorted[index - 1] as MemoryPiece;
    const piece = sorted[index] as MemoryPiece;
    if (byteDistance(before.phys, piece.phys) < before.bytes) {
      fail(`overlapping pieces at ${hex(piece.phys)} in iovec ${iovec}`, 'distinct memory inside one iovec');
    }
  }
}

const isMultiple = (value: number, unit: number): boolean => alignDown(value, unit) === value;

function holds(range: PhysRange, phys: PhysAddr, bytes: number): boolean {
  const offset = byteDistance(range.base, phys);
  return offset >= 0 && offset + bytes <= range.bytes;
}
