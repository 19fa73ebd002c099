// The kernel's tests of I/O address spaces, walked from their table: without a device, with one mock device, with two, and
// with batches of a single entry.
import { Errno, type Outcome } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  type IommufdIoas,
  iommufdTestAddReserved,
  ioptDisableLargePages,
  ioptEnableLargePages,
  ioptIovaRanges,
  ioptSetAllowIova,
  ioptUnmapAll,
  type U64,
  U64_MAX,
  u64,
  u64At,
  u64Number,
} from '../src/index.ts';
import { CoreMachine } from './core-machine.ts';
import { type Answer, IOAS_STEP_CASES, type Step } from './tables/ioas-steps.ts';

const P = 4096;
const VA = 2 ** 31;
const ROOM = 2 ** 20;

class Walk {
  readonly machine = new CoreMachine({ capIpcLock: true });
  readonly ioas: IommufdIoas;
  readonly #base: number;

  constructor(devices: number, batchBytes: number | null) {
    this.#base = devices === 0 ? 0 : 0x1000000;
    this.ioas = this.machine.ioas();
    this.machine.mmap(ROOM, VA);
    if (batchBytes !== null) this.machine.platform.tempMemoryLimit = batchBytes;
    for (let device = 0; device < devices; device += 1) expect(this.machine.attach(this.ioas).ok).toBe(true);
  }

  /** What a step answers, in the terms of the table. */
  play(step: Step): Answer {
    const { machine, ioas } = this;
    const { iopt } = ioas;
    switch (step[0]) {
      case 'map':
        return this.#place(machine.map(ioas, u64(VA), u64(step[1].pages * P), this.#at(step[1].at)));
      case 'auto':
        return this.#place(machine.map(ioas, u64(step[1].hint ?? VA), u64(step[1].pages * P)));
      case 'copy':
        return this.#place(
          machine.copy(ioas, this.#at(step[1].from), u64(step[1].pages * P), ioas, this.#at(step[1].to)),
        );
      case 'unmap':
        return this.#bytes(machine.unmap(ioas, this.#base + step[1].at, step[1].pages * P));
      case 'unmap-all':
        return this.#bytes(machine.run(ioptUnmapAll(iopt)), 0);
      case 'allow':
        return named(machine.run(ioptSetAllowIova(iopt, this.#ranges(step[1]))));
      case 'reserve':
        return named(machine.run(iommufdTestAddReserved(iopt, this.#at(step[1].at), u64(step[1].bytes))));
      case 'huge':
        return named(machine.run(step[1] === 0 ? ioptDisableLargePages(iopt) : ioptEnableLargePages(iopt)));
      case 'destroy':
        return named(machine.destroy(ioas.id));
    }
  }

  #at(offset: number): U64 {
    return u64(this.#base + offset);
  }

  #ranges(pairs: readonly (readonly [number, number])[]): { first: U64; last: U64 }[] {
    return pairs.map(([first, last]) => ({ first: this.#at(first), last: this.#at(last) }));
  }

  #place(outcome: Outcome<U64>): Answer {
    return outcome.ok ? u64Number(outcome.value) - this.#base : named(-outcome.errno);
  }

  /** The ioctl turns "nothing there" into an errno; the call below it gives no bytes. */
  #bytes(outcome: Outcome<U64>, nothing: Answer = 'ENOENT'): Answer {
    if (!outcome.ok) return named(-outcome.errno);
    const bytes = u64Number(outcome.value);
    return bytes === 0 ? nothing : bytes;
  }
}

const names = new Map(Object.entries(Errno).map(([name, errno]) => [-errno, name as keyof typeof Errno]));
const named = (errno: number): Answer => (errno === 0 ? 'ok' : (names.get(errno) ?? errno));

const variants = [
  ['without a device', 0, null],
  ['with a device', 1, null],
  ['with two devices', 2, null],
  ['with batches of one entry', 1, 16],
] as const;

describe.each(variants)('%s', (_name, devices, batchBytes) => {
  it.each(IOAS_STEP_CASES)('$id', ({ steps, mockSteps }) => {
    const walk = new Walk(devices, batchBytes);
    const chosen = devices === 0 ? steps : (mockSteps ?? steps);
    for (const step of chosen)
      expect([step[0], step[1], walk.play(step)]).toEqual([step[0], step[1], step.at(-1)]);
    expect(walk.machine.close()).toEqual([0, 0, 0]);
    expect(walk.machine.rules()).toEqual([]);
  });
});

describe('ranges on offer', () => {
  it('the whole space, then with a hole; the aperture with a device', () => {
    const machine = new CoreMachine();
    const ioas = machine.ioas();
    const whole = { first: u64(0), last: U64_MAX };
    expect(machine.run(ioptIovaRanges(ioas.iopt))).toEqual({ ranges: [whole], alignment: 1 });
    machine.run(iommufdTestAddReserved(ioas.iopt, u64(P), u64(P)));
    const holes = [
      { first: u64(0), last: u64(P - 1) },
      { first: u64(2 * P), last: U64_MAX },
    ];
    expect(machine.run(ioptIovaRanges(ioas.iopt)).ranges).toEqual(holes);
    machine.attach(ioas);
    const aperture = { first: u64(0x1000000), last: u64(0x7fffffff) };
    expect(machine.run(ioptIovaRanges(ioas.iopt))).toEqual({ ranges: [aperture], alignment: 2048 });
  });

  it('a reserved range up to the end of the space', () => {
    const machine = new CoreMachine();
    const { iopt } = machine.ioas();
    const length = u64At(2 ** 52 - 8, 1);
    expect(machine.run(iommufdTestAddReserved(iopt, u64(6), length))).toBe(0);
    expect(machine.run(iommufdTestAddReserved(iopt, u64At(2 ** 52 - 1), u64(P + 1)))).toBe(-Errno.EOVERFLOW);
  });
});
