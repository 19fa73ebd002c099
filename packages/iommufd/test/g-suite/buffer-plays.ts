// Plays of the extra rows about buffers of exporters: taking back, giving out again, copies, accesses, refusals.
// Source followed: iopt_map_dmabuf and iopt_revoke_notify in drivers/iommu/iommufd/pages.c.
// Simplified: the exporter is the one of the kernel's tests, in place of VFIO.

import { Errno } from '@sgfree/mm';
import { iommufdAccessDetach, iommufdAccessPinPages, iommufdAccessRw, u64 } from '../../src/index.ts';
import { stubbornBuffer } from '../stubborn-exporter.ts';
import type { GAnswer } from '../tables/g-row.ts';
import type { Plays } from './play.ts';
import { type Answer, APERTURE, named, P, type SuiteWorld } from './suite-world.ts';

const BYTES = 4 * P;

/** Whether a table shows four pages that lie side by side, or none of them. */
function seen(world: SuiteWorld, iova: Answer, hwpt: number = world.hwpts[0] ?? 0): string {
  const { domain } = world.machine.hwpt(hwpt);
  const frames = [0, 1, 2, 3].map((page) => domain?.frameAt(u64(Number(iova) + page * P)) ?? -1);
  if (frames.every((frame) => frame === -1)) return 'gone';
  const [first = 0] = frames;
  return frames.every((frame, page) => frame === first + page) ? 'shown' : 'torn';
}

const mapping = (world: SuiteWorld, fd: number): Answer => world.mapFile(fd, 0, BYTES);

function takenAndGiven(world: SuiteWorld): GAnswer[] {
  const { machine } = world;
  const buffer = machine.buffer(BYTES);
  const iova = mapping(world, buffer.fd);
  const answers: GAnswer[] = [iova, seen(world, iova)];
  for (const revoked of [true, false]) {
    machine.revoke(buffer, revoked);
    answers.push(seen(world, iova));
  }
  return [...answers, world.unmap(Number(iova), BYTES), seen(world, mapping(world, buffer.fd))];
}

function takenBefore(world: SuiteWorld): GAnswer[] {
  const buffer = world.machine.buffer(BYTES);
  buffer.state.revoked = true;
  const refused = mapping(world, buffer.fd);
  buffer.state.revoked = false;
  return [refused, mapping(world, buffer.fd)];
}

const attachments = ({ length }: { readonly length: number }): string =>
  length === 0 ? 'not attached' : 'attached';

function severalRanges(world: SuiteWorld): GAnswer[] {
  const { fd, dmabuf } = world.machine.buffer(BYTES, 2);
  return [mapping(world, fd), attachments(dmabuf.attachments)];
}

function atOnce(world: SuiteWorld): GAnswer[] {
  const { machine } = world;
  const buffer = machine.buffer(BYTES);
  const iova = mapping(world, buffer.fd);
  const before = seen(world, iova);
  for (const revoked of [true, false]) machine.revoke(buffer, revoked);
  const after = seen(world, iova);
  const again = mapping(world, buffer.fd);
  return [iova, before, after, again, seen(world, again)];
}

function copyElsewhere(world: SuiteWorld): GAnswer[] {
  const { machine } = world;
  const buffer = machine.buffer(BYTES);
  const iova = Number(mapping(world, buffer.fd));
  const other = world.newIoas();
  const [first = 0] = world.hwpts;
  world.mock(other);
  const second = world.hwpts.at(-1) ?? 0;
  const copy = Number(world.copy([world.ioas, iova], BYTES, [other, APERTURE]));
  const both = (): string[] => [seen(world, iova, first), seen(world, copy, second)];
  const before = both();
  machine.revoke(buffer, true);
  return [...before, ...both(), world.unmap(iova, BYTES), world.unmap(copy, BYTES, other)];
}

function accessed(world: SuiteWorld): GAnswer[] {
  const { machine } = world;
  const iova = u64(Number(mapping(world, machine.buffer(BYTES).fd)));
  const access = world.access(true);
  const pinned = machine.run(iommufdAccessPinPages(access, iova, u64(P), false));
  const moved = [false, true].map((write) =>
    named(machine.run(iommufdAccessRw(access, iova, new Uint8Array(8), write))),
  );
  machine.run(iommufdAccessDetach(access));
  return [pinned.ok ? 'pinned' : named(pinned.errno), ...moved];
}

function unpinnable(world: SuiteWorld): GAnswer[] {
  const { fd, seen: asked } = stubbornBuffer(world.machine, Errno.EOPNOTSUPP);
  const refused = mapping(world, fd);
  return [refused, asked[1] ?? '', asked.at(-1) === 'detach' ? 'not attached' : 'attached'];
}

function takenWithoutDevice(world: SuiteWorld): GAnswer[] {
  const { machine } = world;
  // In an address space of its own without a device.
  const ioas = world.newIoas();
  const buffer = machine.buffer(BYTES);
  const fields = { ioas_id: ioas, flags: 6, fd: buffer.fd, length: BigInt(BYTES) };
  const { fields: after } = world.ioctl('iommu_ioas_map_file', fields);
  const iova = Number(after['iova']);
  const shown = Number(world.copy([ioas, iova], BYTES, [ioas, APERTURE]));
  world.unmap(iova, BYTES, ioas);
  machine.revoke(buffer, true);
  const attached = world.mock(ioas);
  return [iova, attached, seen(world, shown, world.hwpts.at(-1)), world.unmap(shown, BYTES, ioas)];
}

/** The extra rows but X14. */
export const BUFFER_PLAYS: Plays = {
  X1: takenAndGiven,
  X2: takenBefore,
  X5: severalRanges,
  X9: atOnce,
  X10: copyElsewhere,
  X11: accessed,
  X12: unpinnable,
  X13: takenWithoutDevice,
};
