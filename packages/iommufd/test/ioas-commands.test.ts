// Random sequences of calls on two address spaces against plain lists of ranges; after each call the page tables of the
// attached mock devices are compared with the memory of the process, byte offset for byte offset.

import type { Outcome } from '@sgfree/mm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  bigintOfU64,
  type IommufdIoas,
  iommufdTestAddReserved,
  ioptDisableLargePages,
  ioptEnableLargePages,
  ioptSetAllowIova,
  ioptUnmapIova,
  type U64,
  u64OfBigint,
} from '../src/index.ts';
import { CoreMachine, READ_WRITE } from './core-machine.ts';
import { IntervalOracle, type Span } from './interval-oracle.ts';

const VA = 0x10000000;
const PAGES = 24;
const READ_ONLY = READ_WRITE & ~2;

interface Space {
  readonly ioas: IommufdIoas;
  stdev: number;
  hwpt: number;
}

class Real {
  readonly machine = new CoreMachine({ capIpcLock: true });
  readonly spaces: Space[];

  constructor() {
    this.machine.mmap(PAGES * 4096, VA, true);
    this.spaces = [0, 1].map(() => ({ ioas: this.machine.ioas(), stdev: 0, hwpt: 0 }));
  }

  space(at: number): Space {
    return this.spaces[at] as Space;
  }
}

type Model = readonly [IntervalOracle, IntervalOracle];
const oracle = (model: Model, at: number): IntervalOracle => model[at as 0 | 1];
const answer = (outcome: Outcome<U64>): bigint =>
  outcome.ok ? bigintOfU64(outcome.value) : BigInt(-outcome.errno);
const sorted = (spans: readonly Span[]): Span[] => [...spans].sort((a, b) => (a[0] < b[0] ? -1 : 1));

const spansOf = ({ ioas }: Pick<Space, 'ioas'>): Span[] =>
  ioas.iopt.areas.ranges.map(({ first, last }): Span => [bigintOfU64(first), bigintOfU64(last)]);

/** One of the spans; a byte that is never mapped when there is none. */
const pickFrom = (spans: readonly Span[], pick: number): Span => spans[pick % spans.length] ?? [1n, 1n];

/** Every area where it should be, and each unit of the page table behind it leading to the right byte. */
function compare(model: Model, { machine, spaces }: Real): void {
  for (const [at, { ioas, hwpt }] of spaces.entries()) {
    const { areas, alignment } = oracle(model, at);
    const got = ioas.iopt.areas.ranges.map(
      ({ first, last }): Span => [bigintOfU64(first), bigintOfU64(last)],
    );
    expect(got).toEqual(sorted(areas.map(({ span }) => span)));
    expect(BigInt(ioas.iopt.iovaAlignment)).toBe(alignment);
    if (hwpt !== 0) compareTable(machine, hwpt, areas);
  }
  comparePins(machine, spaces);
}

/** Each page that a page table shows is pinned once for its pages object, however many areas and tables show it. */
function comparePins({ process }: CoreMachine, spaces: readonly Space[]): void {
  const shown = new Map<object, Set<number>>();
  for (const { ioas, hwpt } of spaces) {
    for (const { pages, firstIndex, lastIndex } of hwpt === 0 ? [] : ioas.iopt.areas.ranges) {
      if (pages === null) continue;
      const indexes = shown.get(pages) ?? new Set();
      for (let index = firstIndex; index <= lastIndex; index += 1) indexes.add(index);
      shown.set(pages, indexes);
    }
  }
  const expected = [...shown.values()].reduce((sum, indexes) => sum + indexes.size, 0);
  const pins = [...process.mm.ptes.values()].reduce((sum, { folio }) => sum + folio.pins, 0);
  expect([process.mm.pinnedVm, pins]).toEqual([expected, expected]);
}

function compareTable(machine: CoreMachine, hwpt: number, areas: IntervalOracle['areas']): void {
  const { domain } = machine.hwpt(hwpt);
  let units = 0;
  domain?.domain.table.visitLeaves((_frame, _low, _high, level, items) => {
    units += items * 512 ** level;
  });
  const mapped = areas.reduce((sum, { span }) => sum + (span[1] - span[0] + 1n), 0n);
  expect(BigInt(units) * 2048n).toBe(mapped);
  for (const { span, va } of areas) {
    for (let offset = 0n; span[0] + offset <= span[1]; offset += 2048n) {
      const shown = u64OfBigint(span[0] + offset);
      const user = u64OfBigint(va + offset);
      expect(domain?.frameAt(shown)).toBe(machine.process.mm.ptes.get(user.page)?.frame);
      expect(domain?.byteAt(shown)).toBe(user.byte);
    }
  }
}

/** What an oracle says: an errno, an address or bytes; or that it is refused with whatever errno. */
type Expected = bigint | 'refused';

class Command<Input> implements fc.Command<Model, Real> {
  readonly #name: string;
  readonly #input: Input;
  readonly #expected: (model: Model, input: Input) => Expected;
  readonly #call: (real: Real, input: Input) => bigint;

  constructor(
    name: string,
    input: Input,
    expected: (model: Model, input: Input) => Expected,
    call: (real: Real, input: Input) => bigint,
  ) {
    this.#name = name;
    this.#input = input;
    this.#expected = expected;
    this.#call = call;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    const expected = this.#expected(model, this.#input);
    const answered = this.#call(real, this.#input);
    const judged = expected === 'refused' && answered < 0n ? 'refused' : answered;
    expect({ [this.toString()]: judged }).toEqual({ [this.toString()]: expected });
    compare(model, real);
  }

  toString(): string {
    return `${this.#name}(${fc.stringify(this.#input)})`;
  }
}

const command = <Input>(
  name: string,
  inputs: fc.Arbitrary<Input>,
  expected: (model: Model, input: Input) => Expected,
  call: (real: Real, input: Input) => bigint,
): fc.Arbitrary<fc.Command<Model, Real>> => inputs.map((input) => new Command(name, input, expected, call));

const space = fc.integer({ min: 0, max: 1 });
const sixteenth = (most: number): fc.Arbitrary<bigint> =>
  fc.integer({ min: 0, max: most }).map((n) => BigInt(n) * 256n);
const half = (most: number): fc.Arbitrary<bigint> =>
  fc.integer({ min: 0, max: most }).map((n) => BigInt(n) * 2048n);
const offset = fc.oneof(
  { weight: 6, arbitrary: half(2 * PAGES - 16) },
  { weight: 1, arbitrary: sixteenth(16 * PAGES - 128) },
);
const length = fc.oneof({ weight: 6, arbitrary: half(8) }, { weight: 1, arbitrary: sixteenth(100) });
/** Few bases, so that calls meet. */
const base = fc.constantFrom(
  ...new Array<bigint>(8).fill(0x1000000n),
  0x0n,
  0x7fff8000n,
  2n ** 64n - 0x8000n,
);
const iova = fc
  .tuple(base, fc.oneof({ weight: 3, arbitrary: half(4) }, half(15)))
  .map(([from, more]) => from + more);
const wish = fc.oneof(fc.constant(null), iova);
const span = fc.tuple(iova, half(12)).map(([first, more]): Span => [first, first + more]);

const widen = ([first, last]: Span): { first: U64; last: U64 } => ({
  first: u64OfBigint(first),
  last: u64OfBigint(last),
});

const commands = [
  command(
    'map',
    fc.record({ space, offset, length, wish, writable: fc.boolean() }),
    (model, input) =>
      oracle(model, input.space).map(BigInt(VA) + input.offset, input.length, input.wish, input.writable),
    ({ machine, spaces }, input) =>
      answer(
        machine.map(
          (spaces[input.space] as Space).ioas,
          u64OfBigint(BigInt(VA) + input.offset),
          u64OfBigint(input.length),
          input.wish === null ? null : u64OfBigint(input.wish),
          input.writable ? READ_WRITE : READ_ONLY,
        ),
      ),
  ),
  command(
    'unmap',
    fc.record({ space, iova, length }),
    (model, input) => oracle(model, input.space).unmap(input.iova, input.length),
    ({ machine, spaces }, input) =>
      answer(
        machine.run(
          ioptUnmapIova(
            (spaces[input.space] as Space).ioas.iopt,
            u64OfBigint(input.iova),
            u64OfBigint(input.length),
          ),
        ),
      ),
  ),
  command(
    'copy',
    fc.record({
      src: space,
      dst: space,
      iova,
      length: half(3),
      wish,
      writable: fc.constantFrom(false, false, true),
    }),
    expectedCopy,
    ({ machine, spaces }, input) =>
      answer(
        machine.copy(
          (spaces[input.src] as Space).ioas,
          u64OfBigint(input.iova),
          u64OfBigint(input.length),
          (spaces[input.dst] as Space).ioas,
          input.wish === null ? null : u64OfBigint(input.wish),
          input.writable ? READ_WRITE : READ_ONLY,
        ),
      ),
  ),
  command(
    'copy area',
    fc.record({ src: space, dst: space, pick: fc.nat(20), writable: fc.constantFrom(false, false, true) }),
    (model, { src, dst, pick, writable }) => {
      const [first, last] = pickFrom(sorted(oracle(model, src).areas.map((area) => area.span)), pick);
      return expectedCopy(model, { src, dst, iova: first, length: last - first + 1n, wish: null, writable });
    },
    (real, { src, dst, pick, writable }) => {
      const [first, last] = pickFrom(spansOf(real.space(src)), pick);
      const from = u64OfBigint(first);
      const bytes = u64OfBigint(last - first + 1n);
      const [source, target] = [real.space(src).ioas, real.space(dst).ioas];
      const prot = writable ? READ_WRITE : READ_ONLY;
      return answer(real.machine.copy(source, from, bytes, target, null, prot));
    },
  ),
  command(
    'unmap area',
    fc.record({ space, pick: fc.nat(20) }),
    (model, { space: at, pick }) => {
      const [first, last] = pickFrom(sorted(oracle(model, at).areas.map((area) => area.span)), pick);
      return oracle(model, at).unmap(first, last - first + 1n);
    },
    (real, { space: at, pick }) => {
      const [first, last] = pickFrom(spansOf(real.space(at)), pick);
      const { iopt } = real.space(at).ioas;
      return answer(
        real.machine.run(ioptUnmapIova(iopt, u64OfBigint(first), u64OfBigint(last - first + 1n))),
      );
    },
  ),
  command(
    'allow',
    fc.record({ space, spans: fc.array(span, { maxLength: 3 }) }),
    (model, input) =>
      oracle(model, input.space).allow(
        input.spans.filter(([first, last]) => last < 2n ** 64n && first >= 0n),
      ),
    (real, input) => {
      const spans = input.spans.filter(([first, last]) => last < 2n ** 64n && first >= 0n);
      return BigInt(real.machine.run(ioptSetAllowIova(real.space(input.space).ioas.iopt, spans.map(widen))));
    },
  ),
  command(
    'reserve',
    fc.record({ space, first: iova, more: half(3) }),
    (model, { space: at, first, more }) =>
      first + more >= 2n ** 64n ? -75n : oracle(model, at).reserve([first, first + more]),
    (real, { space: at, first, more }) =>
      BigInt(
        real.machine.run(
          iommufdTestAddReserved(real.space(at).ioas.iopt, u64OfBigint(first), u64OfBigint(more + 1n)),
        ),
      ),
  ),
  command('toggle device', fc.record({ space }), expectedToggle, toggle),
  command(
    'small pages',
    fc.record({ space, small: fc.boolean() }),
    (model, input) => oracle(model, input.space).setSmallPages(input.small),
    ({ machine, spaces }, input) => {
      const { iopt } = (spaces[input.space] as Space).ioas;
      return BigInt(machine.run(input.small ? ioptDisableLargePages(iopt) : ioptEnableLargePages(iopt)));
    },
  ),
];

function expectedCopy(
  model: Model,
  input: { src: number; dst: number; iova: bigint; length: bigint; wish: bigint | null; writable: boolean },
): Expected {
  if (input.length === 0n) return -22n;
  if (input.iova + input.length > 2n ** 64n) return -75n;
  const pieces = oracle(model, input.src).pieces(input.iova, input.length);
  const [first] = pieces ?? [];
  if (pieces === null || first === undefined) return -2n;
  const dst = oracle(model, input.dst);
  const iova = dst.place(first.va, input.length, input.wish);
  if (iova < 0n) return iova;
  for (const piece of pieces) {
    if (input.writable && !piece.pagesWritable) return -1n;
    if ((piece.va % 4096n) % dst.alignment !== 0n) return -22n;
  }
  // Nobody looks at the borders between the pieces before the page table does.
  if (dst.attached && pieces.some((piece) => piece.length % dst.alignment !== 0n)) return 'refused';
  let at = iova;
  for (const piece of pieces) {
    dst.areas.push({ span: [at, at + piece.length - 1n], va: piece.va, pagesWritable: piece.pagesWritable });
    at += piece.length;
  }
  return iova;
}

function expectedToggle(model: Model, { space: at }: { space: number }): bigint {
  const one = oracle(model, at);
  if (!one.attached) return one.attach();
  one.attached = false;
  return 0n;
}

function toggle(real: Real, { space: at }: { space: number }): bigint {
  const one = real.space(at);
  if (one.stdev !== 0) {
    const errno = real.machine.destroy(one.stdev);
    one.stdev = 0;
    one.hwpt = 0;
    return BigInt(errno);
  }
  const attached = real.machine.attach(one.ioas);
  if (!attached.ok) return BigInt(-attached.errno);
  one.stdev = attached.value.stdevId;
  one.hwpt = attached.value.hwptId;
  return 0n;
}

it('random calls leave what plain lists of ranges say, and nothing after the end', () => {
  fc.assert(
    fc.property(fc.commands(commands, { size: 'large', maxCommands: 60 }), (calls) => {
      const real = new Real();
      const model: Model = [new IntervalOracle(), new IntervalOracle()];
      fc.modelRun(() => ({ model, real }), calls);
      expect(real.machine.close()).toEqual([0, 0, 0]);
      // Of pieces that are no whole pages Linux warns.
      expect(real.machine.rules().filter((rule) => rule !== 'iommufd-map-small-unaligned')).toEqual([]);
    }),
    { numRuns: 120 },
  );
}, 120_000);
