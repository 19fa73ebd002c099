// Plays of the rows about mock domains: what they show, who pins, moving from one address space or table to another.
// Source followed: the `iommufd_mock_domain` tests of selftests/iommu/iommufd.c of Linux 7.3.4.
// Simplified: none.

import { physOfFrame } from '@sgfree/hw-model';
import { copyFromUser, copyToUser, vmMunmap } from '@sgfree/mm';
import {
  IommufdDevice,
  iommufdAccessDetach,
  iommufdAccessPinPages,
  iommufdAccessReplace,
  iommufdAccessUnpinPages,
  iommufdDeviceReplace,
  u64,
} from '../../src/index.ts';
import type { GAnswer } from '../tables/g-row.ts';
import type { Plays } from './play.ts';
import { type Answer, APERTURE, BUF, named, P, type SuiteWorld, VA } from './suite-world.ts';

const HUGE = 2 ** 21;
const EIGHT = 8 * P;
const OTHER = VA + 2 ** 30;

/** Memory of eight pages, or two huge ones. */
function memory({ machine, variant }: SuiteWorld, va: number): number {
  const huge = variant.huge === true;
  const bytes = huge ? 2 * HUGE : EIGHT;
  machine.process.mm.mmap(bytes, { at: va, huge });
  return bytes;
}

const mapped = (answer: Answer): string => (typeof answer === 'number' ? 'mapped' : answer);
const ok = (answer: Answer): string => (typeof answer === 'number' ? 'ok' : answer);

function basic(world: SuiteWorld): GAnswer[] {
  const { machine } = world;
  const bytes = memory(world, VA);
  const iova = world.map(bytes, null, { va: VA });
  const answers: GAnswer[] = [mapped(iova), world.check(iova, bytes)];
  memory(world, OTHER);
  for (const half of [1, 0]) {
    machine.run(vmMunmap(machine.process.mm, OTHER + (half * bytes) / 2, bytes / 2));
    answers.push(mapped(world.map(bytes, null, { va: OTHER })));
  }
  return answers;
}

function ofFile(world: SuiteWorld): GAnswer[] {
  const { machine } = world;
  const { fd, file } = machine.memfd(EIGHT);
  const iova = Number(world.mapFile(fd, 0, EIGHT));
  const { domain } = machine.hwpt(world.hwpts[0] ?? 0);
  const pages = [0, 1, 2, 3, 4, 5, 6, 7];
  const right = pages.every((page) => domain?.frameAt(u64(iova + page * P)) === file.frameOfPage(page));
  const answers: GAnswer[] = [mapped(iova), right ? 'ok' : 'wrong', mapped(world.mapFile(fd, 0, EIGHT + 1))];
  file.truncate(0);
  answers.push(mapped(world.mapFile(fd, 0, EIGHT)));
  machine.run(machine.dmaBufs.files.close(fd));
  return answers;
}

/** A page that was only read is mapped for reading; the process writes to it afterwards. */
function readOnly(world: SuiteWorld): GAnswer[] {
  const { machine } = world;
  memory(world, VA);
  const { mm } = machine.process;
  machine.run(copyFromUser(mm, VA, new Uint8Array(1)));
  const iova = world.map(P, null, { flags: 4 });
  const { domain } = machine.hwpt(world.hwpts[0] ?? 0);
  const frame = (): number => domain?.frameAt(u64(Number(iova))) ?? -1;
  const before = frame();
  const first = world.check(iova, P);
  machine.run(copyToUser(mm, VA + 5, Uint8Array.of(77)));
  const seen = new Uint8Array(1);
  machine.memory.read(physOfFrame(frame(), 5), seen);
  const same = before >= 0 && frame() === before ? 'same frame' : 'another frame';
  return [first, same, world.check(iova, P), seen[0] === 77 ? 'seen' : 'not seen'];
}

/** Pins of the first eight pages; those of a huge page count for all of it. */
function pinned(world: SuiteWorld, first: number, end: number): boolean {
  const pins = world.pins(8);
  if (world.variant.huge === true) return pins.every((count) => count === end - first);
  return pins.every((count, page) => count === (page >= first && page < end ? 1 : 0));
}

/** Every start and end of half pages within eight pages; `meanwhile` looks at what is mapped. */
function allAligns(
  world: SuiteWorld,
  meanwhile: (iova: Answer, bytes: number, va: number) => boolean,
): GAnswer[] {
  memory(world, VA);
  world.poke(VA, new Uint8Array(EIGHT));
  let [count, right] = [0, true];
  for (let start = 0; start < EIGHT; start += 2048) {
    for (let end = start + 2048; end < EIGHT; end += 2048) {
      count += 1;
      const [va, bytes] = [VA + start, end - start];
      const [first, last] = [Math.floor(start / P), Math.ceil(end / P)];
      right &&= pinned(world, 0, 0);
      const iova = world.map(bytes, null, { va });
      right &&= world.check(iova, bytes, va) === 'ok' && pinned(world, first, last);
      right &&= meanwhile(iova, bytes, va) && pinned(world, first, last);
      right &&= world.unmap(Number(iova), bytes) === bytes && pinned(world, 0, 0);
    }
  }
  return [count, right ? 'right' : 'wrong'];
}

/** Copies what an access has pinned into the address space of the device, and again from another one. */
function userCopy(world: SuiteWorld): GAnswer[] {
  const { machine } = world;
  machine.mmap(BUF, VA);
  const [one, two] = [world.newIoas(), world.newIoas()];
  const source = (ioas: number): number => Number(world.map(BUF, null, { ioas }));
  const held: [iova: number, bytes: number][] = [];
  const access = world.access(
    true,
    function* (user) {
      for (const [iova, bytes] of held.splice(0)) yield* iommufdAccessUnpinPages(user, u64(iova), u64(bytes));
    },
    one,
  );
  const pin = (iova: number): void => {
    machine.run(iommufdAccessPinPages(access, u64(iova), u64(BUF), true));
    held.push([iova, BUF]);
  };
  const copied = (ioas: number, iova: number): string => {
    const to = world.copy([ioas, iova], BUF, [world.ioas, APERTURE]);
    const rest = world.pins(16).every((count) => count === 1);
    return to === APERTURE && rest ? world.check(APERTURE, BUF) : 'not copied';
  };
  const from = source(one);
  pin(from);
  const answers: GAnswer[] = [copied(one, from)];
  const other = source(two);
  answers.push(named(machine.run(iommufdAccessReplace(access, world.iopt(two)))));
  answers.push(ok(world.unmap(APERTURE, BUF)), world.destroy(one));
  pin(other);
  answers.push(copied(two, other));
  // Leaving the address space asks the user to let go as well.
  machine.run(iommufdAccessDetach(access));
  return answers;
}

function replacer(world: SuiteWorld): (pt: number) => string {
  const idev = world.machine.ctx.objects.at(world.idevs[0] ?? 0);
  if (!(idev instanceof IommufdDevice)) throw new Error('no device');
  return (pt) => {
    const done = world.machine.run(iommufdDeviceReplace(idev, pt));
    return done.ok ? 'ok' : named(done.errno);
  };
}

function replace(world: SuiteWorld): GAnswer[] {
  const to = replacer(world);
  const other = world.newIoas();
  const [first = 0, second = 0] = world.hwpts;
  const one = world.variant.devices === 1;
  const tables = one
    ? [to(other), to(first), to(other)]
    : [to(other), to(other), to(second), to(second), to(first)];
  return [...tables, to(world.ioas), world.destroy(other)];
}

function allocHwpt(world: SuiteWorld): GAnswer[] {
  const to = replacer(world);
  const made: number[] = [];
  const alloc = (flags: number): string => {
    const fields = { dev_id: world.idevs[0] ?? 0, pt_id: world.ioas, flags };
    const { answer, fields: after } = world.ioctl('iommu_hwpt_alloc', fields);
    if (answer === 'ok') made.push(Number(after['out_hwpt_id']));
    return answer;
  };
  const answers: GAnswer[] = [alloc(0xfffffffe), alloc(0), alloc(1)];
  for (const hwpt of made) answers.push(to(hwpt), world.destroy(hwpt));
  return [...answers, to(world.ioas), ...made.map((hwpt) => world.destroy(hwpt))];
}

/** M01 to M08. */
export const MOCK_PLAYS: Plays = {
  M01: basic,
  M02: ofFile,
  M03: readOnly,
  M04: (world) => allAligns(world, () => true),
  M05: (world) =>
    allAligns(world, (iova, bytes, va) => {
      const attached = world.mock(world.ioas);
      const seen = world.check(iova, bytes, va);
      return attached === 'ok' && seen === 'ok' && world.endMock() === 'ok';
    }),
  M06: userCopy,
  M07: replace,
  M08: allocHwpt,
};
