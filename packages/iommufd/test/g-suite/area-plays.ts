// Plays of the rows about areas: destroying, mapping, automatic IOVAs, reserved and allowed ranges, copies, options, buffers.
// Source followed: selftests/iommu/iommufd.c of Linux 7.3.4.
// Simplified: none.

import type { GAnswer } from '../tables/g-row.ts';
import type { Plays } from './play.ts';
import { type Answer, APERTURE, BUF, LISTS, P, type SuiteWorld, VA } from './suite-world.ts';

const TEN = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

const ready = (world: SuiteWorld): SuiteWorld => {
  world.machine.mmap(2 ** 20, VA);
  return world;
};

/** A number of the base counts from it. */
const fromBase = (world: SuiteWorld, answer: Answer): Answer =>
  typeof answer === 'number' ? answer - world.base : answer;

const mapAt = (world: SuiteWorld, page: number, pages: number): Answer =>
  fromBase(world, world.map(pages * P, world.base + page * P));

const unmapAt = (world: SuiteWorld, page: number, pages: number): Answer =>
  world.unmap(world.base + page * P, pages * P);

/** One to ten pages, wherever there is room: the addresses, which are aligned as the lengths are. */
function tenLengths(world: SuiteWorld): Answer[] {
  return TEN.map((at) => {
    const iova = world.map((at + 1) * P);
    const bit = (at + 1) & -(at + 1);
    return typeof iova === 'number' && Math.floor(iova / (bit * P)) * bit * P !== iova ? 'misaligned' : iova;
  });
}

/** What is on offer, with room for so many ranges in a list of which `words` words are looked at. */
function ranges(world: SuiteWorld, room: number, words: number): GAnswer[] {
  world.poke(LISTS, new Uint8Array(64).fill(0xee));
  const asked = { ioas_id: world.ioas, num_iovas: room, allowed_iovas: BigInt(LISTS) };
  const { answer, fields } = world.ioctl('iommu_ioas_iova_ranges', asked);
  const list = new BigUint64Array(world.peek(LISTS, words * 8).buffer);
  return [
    answer,
    Number(fields['num_iovas']),
    Number(fields['out_iova_alignment']),
    ...[...list].map((word) => word.toString(16)),
  ];
}

/** Equal answers one after the other as the answer and how many. */
function runs(answers: readonly string[]): GAnswer[] {
  const counted: [string, number][] = [];
  for (const answer of answers) {
    const last = counted.at(-1);
    if (last?.[0] === answer) last[1] += 1;
    else counted.push([answer, 1]);
  }
  return counted.flat();
}

const okOr = (answer: Answer): string => (typeof answer === 'number' ? 'ok' : answer);

/** How often each answer came, the frequent ones not first. */
function tally(answers: readonly string[]): GAnswer[] {
  const kinds = [...new Set(answers)].sort((a, b) => (a === 'ok' ? -1 : b === 'ok' ? 1 : 0));
  return kinds.flatMap((kind) => [kind, answers.filter((answer) => answer === kind).length]);
}

function slidingCopies(world: SuiteWorld): GAnswer[] {
  const bytes = world.variant.devices === 0 ? BUF - 1 : BUF;
  const mapped = world.map(bytes, APERTURE);
  const empty = world.newIoas();
  const answers: string[] = [];
  for (let from = APERTURE - P; from <= APERTURE + bytes - 1; from += 511) {
    const copied = world.copy([world.ioas, from], 2048, [empty, APERTURE]);
    answers.push(okOr(copied));
    if (typeof copied === 'number' && world.unmap(copied, 2048, empty) !== 2048) answers.push('not unmapped');
  }
  return [Number(mapped) - APERTURE, ...runs(answers)];
}

/** What a device's hardware says, with buffers of all kinds; no device: number 0. */
function hardware(world: SuiteWorld): GAnswer[] {
  const ask = (room: number, wish: { flags?: number; data_type?: number } = {}): GAnswer[] => {
    world.poke(LISTS, new Uint8Array(64).fill(0xee));
    const buffer = { data_len: room, data_uptr: BigInt(LISTS), ...wish };
    const { answer, fields } = world.ioctl('iommu_hw_info', { dev_id: world.idevs.at(-1) ?? 0, ...buffer });
    if (answer !== 'ok') return [answer];
    const bytes = [...world.peek(LISTS, room)].map((byte) => byte.toString(16).padStart(2, '0'));
    return [answer, Number(fields['data_len']), bytes.join('')];
  };
  const type = (data_type: number) => ({ flags: 1, data_type });
  return [ask(0), ask(8), ask(8, type(0xdead)), ask(8, type(0xfeedbeef)), ask(16), ask(4)].flat();
}

function revoked(world: SuiteWorld): GAnswer[] {
  const { machine, variant } = world;
  const buffer = machine.buffer(4 * P);
  const map = (iova: number | null = null): Answer => world.mapFile(buffer.fd, 0, 4 * P, iova);
  const first = map();
  machine.revoke(buffer, true);
  const alloc = () => world.ioctl('iommu_hwpt_alloc', { dev_id: world.idevs[0] ?? 0, pt_id: world.ioas });
  const answers: GAnswer[] = [first, ...(variant.devices === 0 ? [] : [alloc().answer]), map()];
  machine.revoke(buffer, false);
  answers.push(map(), world.unmap(Number(first), 4 * P), map(Number(first)));
  return answers;
}

const simpleBuffer = (world: SuiteWorld): GAnswer[] => {
  const { fd } = world.machine.buffer(4 * P);
  const windows = [
    [0, 0],
    [4 * P, 4 * P],
    [0, 4 * P + 1],
    [0, 4 * P],
  ] as const;
  return windows.map(([start, bytes]) => world.mapFile(fd, start, bytes));
};

function alignmentChange(world: SuiteWorld): GAnswer[] {
  const half = (): Answer => world.map(P, APERTURE + P, { va: VA + 2048 });
  const answers: GAnswer[] = [Number(world.map(P, APERTURE)) - APERTURE, world.hugePages('set', 0n), half()];
  answers.push(world.hugePages('set', 1n), Number(half()) - APERTURE, world.hugePages('set', 0n));
  return [...answers, world.unmap(APERTURE + P, P), world.unmap(APERTURE, P)];
}

const allowedLow = (world: SuiteWorld): string => world.allow([P, 600 * P]);
const allowedRoom = (world: SuiteWorld): string =>
  world.variant.devices === 0
    ? world.allow([200 * P, 600 * P - 1])
    : world.allow([APERTURE + P, APERTURE + 600 * P - 1]);
const reservedLow = (world: SuiteWorld): string => world.reserve(4 * P, 100 * P);

/** I01 to I23 and I31 to I37. */
export const AREA_PLAYS: Plays = {
  I01: (world) => [okOr(world.ioas)],
  I02: (world) => [world.destroy(world.ioas)],
  I03: (world) => [world.mock(world.hwpts[0] ?? 0)],
  I04: (world) => [mapAt(ready(world), 0, 1), world.destroy(world.ioas)],
  I05: (world) => TEN.map((page) => mapAt(ready2(world, page), page, 1)),
  I06: (world) => TEN.map((page) => unmapAt(world, page, 1)),
  I07: (world) => {
    ready(world);
    return TEN.flatMap((page) => [mapAt(world, page, 1), unmapAt(world, page, 1)]);
  },
  I08: (world) => [mapAt(ready(world), 16, 2), unmapAt(world, 16, 1), unmapAt(world, 17, 1)],
  I09: (world) => {
    const first = mapAt(ready(world), 16, 2);
    const over = [
      [16, 2],
      [16, 1],
      [17, 1],
      [15, 2],
      [15, 3],
    ] as const;
    return [first, ...over.map(([page, pages]) => mapAt(world, page, pages))];
  },
  I10: (world) => [world.unmap(0, 2n ** 64n - 1n), world.unmap(0, 2n ** 64n - 1n)],
  I11: (world) => {
    const starts = [4, 20, 36, 52].map((page) => Number(mapAt(ready2(world, page - 4), page, 8)) / P);
    return [...starts, unmapAt(world, 0, 8), unmapAt(world, 56, 8), unmapAt(world, 0, 60)];
  },
  I12: (world) => {
    ready(world);
    const iovas = TEN.map(() => world.map(P));
    return iovas.map((iova) => (world.unmap(Number(iova), P) === P ? iova : 'not unmapped'));
  },
  I13: (world) => tenLengths(ready(world)),
  I14: (world) => [reservedLow(world), ...tenLengths(ready(world))],
  I15: (world) => [reservedLow(world), allowedLow(world)],
  I16: (world) => [reservedLow(world), allowedRoom(world), ...tenLengths(ready(world))],
  I17: (world) => [world.reserve(6, 0xffffffffffff8001n), ready(world).map(0x5000)],
  I18: (world) => {
    const whole = () => world.allow([world.base, world.base + 600 * P]);
    const one = () => world.reserve(world.base + P, P);
    return [whole(), one(), world.allow(), one(), whole()];
  },
  I19: (world) => {
    const first = mapAt(ready(world), 0, 1);
    const within = world.copy([world.ioas, world.base], P, [world.ioas, world.base + P]);
    return [
      first,
      fromBase(world, within),
      okOr(world.copy([world.ioas, world.base], P, [world.newIoas(), 0], 2)),
    ];
  },
  I20: (world) => ranges(world, 4, 2),
  I21: (world) => ranges(world, 0, 2),
  I22: (world) => [world.reserve(P, P), ...ranges(world, 4, 4)],
  I23: (world) => [world.reserve(P, P), ...ranges(world, 1, 4)],
  I31: (world) => [
    world.hugePages('get'),
    world.hugePages('set', 0n),
    world.hugePages('get'),
    world.hugePages('set', 2n),
    world.hugePages('set', 1n),
  ],
  I32: (world) => {
    ready(world);
    const answers = Array.from({ length: 8191 }, (_, at) => {
      const iova = world.map(at + 1);
      if (typeof iova === 'string') return iova;
      return world.unmap(iova, at + 1) === at + 1 ? 'ok' : 'not unmapped';
    });
    return tally(answers);
  },
  I33: (world) => alignmentChange(ready(world)),
  I34: (world) => slidingCopies(ready(world)),
  I35: simpleBuffer,
  I36: revoked,
  I37: hardware,
};

/** {@link ready} at the first of several steps. */
function ready2(world: SuiteWorld, step: number): SuiteWorld {
  return step === 0 ? ready(world) : world;
}
