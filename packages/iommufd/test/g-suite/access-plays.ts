// Plays of the rows about in-kernel users and about processes that end: pinning, reading and writing byte by byte.
// Source followed: selftests/iommu/iommufd.c of Linux 7.3.4.
// Simplified: a child is a process that the context belongs to while it maps.

import { copyFromUser, copyToUser, exitMmap, type ProcessMemory } from '@sgfree/mm';
import {
  type IoptAccess,
  iommufdAccessDetach,
  iommufdAccessPinPages,
  iommufdAccessRw,
  iommufdAccessUnpinPages,
  u64,
} from '../../src/index.ts';
import type { GAnswer } from '../tables/g-row.ts';
import type { Plays } from './play.ts';
import { APERTURE, BUF, named, P, type SuiteWorld, VA } from './suite-world.ts';

const HUGE = 2 ** 21;

const pin = (world: SuiteWorld, access: IoptAccess, iova: number, bytes: number): GAnswer => {
  const frames = world.machine.run(iommufdAccessPinPages(access, u64(iova), u64(bytes), true));
  return frames.ok ? frames.value.length : named(frames.errno);
};

const unpin = (world: SuiteWorld, access: IoptAccess, iova: number, bytes: number): void =>
  world.machine.run(iommufdAccessUnpinPages(access, u64(iova), u64(bytes)));

const letGo = (world: SuiteWorld, access: IoptAccess): void => world.machine.run(iommufdAccessDetach(access));

function pinDestroy(world: SuiteWorld): GAnswer[] {
  const { machine } = world;
  const va = machine.process.mm.mmap(2 * HUGE, { huge: true });
  const mapped = Number(world.map(2 * HUGE, world.base, { va })) - world.base;
  const access = world.access(true);
  const pinned = pin(world, access, world.base + P, P);
  const ended = world.variant.devices === 0 ? 'ok' : world.endMock();
  while (world.stdevs.length > 0) world.endMock();
  unpin(world, access, world.base + P, P);
  letGo(world, access);
  return [mapped, pinned, ended, machine.process.mm.pinnedVm];
}

/** Pins of the first n pages once, twice, and while one more device comes and goes. */
function pinRound(world: SuiteWorld, access: IoptAccess, pages: number): string {
  const once = (): GAnswer => pin(world, access, APERTURE, pages * P);
  const back = (): void => unpin(world, access, APERTURE, pages * P);
  if (world.map(BUF, APERTURE) !== APERTURE) return 'not mapped';
  const answers: GAnswer[] = [once()];
  back();
  answers.push(once(), once());
  back();
  back();
  answers.push(once());
  const attached = world.mock(world.ioas);
  const seen = world.check(APERTURE, BUF);
  const ended = world.endMock();
  const pins = world.pins(16);
  back();
  const unmapped = world.unmap(APERTURE, BUF);
  const rest = world.variant.devices > 0 ? 1 : 0;
  const right = pins.every((count, page) => count === (page < pages ? 1 : rest));
  const well = [attached, seen, ended].every((answer) => answer === 'ok') && right && unmapped === BUF;
  return well && answers.every((answer) => answer === pages) ? 'ok' : 'wrong';
}

function pinRounds(world: SuiteWorld): GAnswer[] {
  world.machine.mmap(BUF, VA, true);
  const access = world.access(true);
  const answers = Array.from({ length: 15 }, (_, at) => pinRound(world, access, at + 1));
  letGo(world, access);
  return answers;
}

function pinUnmap(world: SuiteWorld): GAnswer[] {
  world.machine.mmap(BUF, VA);
  const held: [iova: number, bytes: number][] = [];
  const access = world.access(true, function* (user) {
    for (const [iova, bytes] of held.splice(0)) yield* iommufdAccessUnpinPages(user, u64(iova), u64(bytes));
  });
  world.map(BUF, APERTURE);
  const pinned = pin(world, access, APERTURE, BUF);
  held.push([APERTURE, BUF]);
  const unmapped = world.unmap(APERTURE, BUF);
  letGo(world, access);
  return [pinned, unmapped, held.length === 0 ? 'ENOENT' : 'held', world.machine.process.mm.pinnedVm];
}

/** Every start within 50 bytes of a page border and every length below 64: reads, then writes; then the whole buffer. */
function sweep(world: SuiteWorld, at: number, mm: ProcessMemory, alive = true): GAnswer[] {
  const { machine } = world;
  const access = world.access(false);
  const bytes = Uint8Array.from({ length: BUF }, (_, i) => (i * 7 + (i >> 8) * 31) & 0xff);
  if (alive) machine.run(copyToUser(mm, VA, bytes));
  else machine.run(iommufdAccessRw(access, u64(at), bytes, true));
  const rw = (offset: number, data: Uint8Array, write: boolean): boolean =>
    machine.run(iommufdAccessRw(access, u64(at + offset), data, write)) === 0;
  let [reads, writes] = [0, 0];
  for (let start = P - 50; start < P + 50; start += 1) {
    for (let length = 1; length < 64; length += 1) {
      const read = new Uint8Array(length);
      if (rw(start, read, false) && read.every((byte, i) => byte === bytes[start + i])) reads += 1;
      const written = read.map((byte, i) => byte ^ (0x5a + i));
      if (rw(start, written, true)) writes += 1;
      bytes.set(written, start);
    }
  }
  const whole = new Uint8Array(BUF);
  let same = rw(0, whole, false) && whole.every((byte, i) => byte === bytes[i]);
  if (alive) {
    machine.run(copyFromUser(mm, VA, whole));
    same = same && whole.every((byte, i) => byte === bytes[i]);
  }
  letGo(world, access);
  return [reads, writes, same ? 'ok' : 'different'];
}

const moved = (world: SuiteWorld, iova: number | null): GAnswer[] => {
  world.machine.mmap(BUF, VA);
  const mapped = world.map(BUF, iova);
  const { mm } = world.machine.process;
  return [iova === null ? 'mapped' : Number(mapped) - world.base, ...sweep(world, Number(mapped), mm)];
};

/** A child maps its memory and ends, or does not; then a device comes. */
function forked(world: SuiteWorld, ends: boolean): GAnswer[] {
  const { machine } = world;
  const child = machine.newProcess();
  const { ctx } = machine;
  const parent = ctx.process;
  child.mm.mmap(BUF, { at: VA });
  ctx.process = child;
  const mapped = world.map(BUF, APERTURE) === APERTURE ? 'mapped' : 'not mapped';
  ctx.process = parent;
  if (ends) machine.run(exitMmap(child.mm));
  const attached = world.mock(world.ioas);
  return [mapped, attached, ...(attached === 'ok' ? sweep(world, APERTURE, child.mm, !ends) : [])];
}

/** I24 to I30. */
export const ACCESS_PLAYS: Plays = {
  I24: pinDestroy,
  I25: pinRounds,
  I26: pinUnmap,
  I27: (world) => moved(world, null),
  I28: (world) => moved(world, world.base + 2048),
  I29: (world) => forked(world, true),
  I30: (world) => forked(world, false),
};
