// Attaching a buffer by one of the doors that a machine has, pinning it and asking.
// Source followed: iopt_map_dmabuf() in drivers/iommu/iommufd/pages.c; the RFC's attach with a list of offers.
// With several doors the exporter's order decides, as in every negotiation; a door that cannot express the buffer is left
// out the next time, until none remains.
// Simplified: none.

import {
  type DmaBufAttachment,
  type DmaBufAttachOps,
  dmaBufDetach,
  dmaBufHasMappingTypes,
  dmaBufMappingAttach,
  dmaBufPin,
  dmaBufUnpin,
  dmaResvLock,
  dmaResvUnlock,
  mapTypeOf,
} from '@sgfree/dma-buf';
import { dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import type { IommufdPlatform } from '../iommufd-platform.ts';
import type { IoptPages } from '../pages/iopt-pages.ts';
import { askDoor } from './door-answer.ts';
import { doorOffers, doorOfMatch, type IommufdDoor } from './iommufd-door.ts';
import type { IoptDmaBuf } from './iopt-dma-buf.ts';

/** An import on its way. */
interface Import {
  readonly platform: IommufdPlatform;
  readonly pages: IoptPages;
  readonly buffer: IoptDmaBuf;
  readonly ops: DmaBufAttachOps<unknown>;
}

/**
 * Attaches and pins a buffer and asks how it is shown; `buffer` has the answer then. -EOPNOTSUPP when no door can
 * express it, -EINVAL when exporter and doors have nothing in common, or the errors of the exporter; then it is not attached.
 * @internal
 */
export function* openDoor(request: Import): ModelTask<number> {
  const { platform, buffer } = request;
  let doors = platform.doors;
  let refused = 0;
  for (;;) {
    const attached = yield* attachBy(request, doors);
    if (!attached.ok) return refused === 0 ? -attached.errno : refused;
    const attach = attached.value;
    const door = doorOfMatch(mapTypeOf(attach));
    yield* dmaResvLock(buffer.dmabuf.resv);
    const errno = yield* pinAndAsk(request, attach, door);
    dmaResvUnlock(buffer.dmabuf.resv);
    if (errno === 0) return 0;
    yield* dmaBufDetach(buffer.dmabuf, attach);
    doors = doors.filter((other) => other !== door);
    if (errno !== -Errno.EOPNOTSUPP || doors.length === 0) return errno;
    refused = errno;
  }
}

/** As 7.3.4 does, which knows no mapping types, or with an offer for each door. */
function* attachBy(
  { platform, pages, buffer, ops }: Import,
  doors: readonly IommufdDoor[],
): ModelTask<Outcome<DmaBufAttachment<unknown>>> {
  const { dmabuf } = buffer;
  if (!asBefore(platform, buffer, doors)) {
    return yield* dmaBufMappingAttach(dmabuf, doorOffers(doors), ops, pages);
  }
  if (platform.device === null) return failure(Errno.EOPNOTSUPP);
  return yield* dmaBufDynamicAttach(dmabuf, platform.device, ops, pages);
}

/** A wired interconnect that is the only door is asked as in 7.3.4, and so is each exporter without mapping types. */
function asBefore(
  { interconnects }: IommufdPlatform,
  { dmabuf }: IoptDmaBuf,
  doors: readonly IommufdDoor[],
): boolean {
  if (!doors.includes('interconnect')) return false;
  return !dmaBufHasMappingTypes(dmabuf) || (doors.length === 1 && interconnects.length > 0);
}

function* pinAndAsk(
  { platform, buffer }: Import,
  attach: DmaBufAttachment<unknown>,
  door: IommufdDoor,
): ModelTask<number> {
  const errno = yield* dmaBufPin(attach);
  if (errno !== 0) return errno;
  const answer = yield* askDoor(door, platform, attach);
  if (!answer.ok) {
    yield* dmaBufUnpin(attach);
    return -answer.errno;
  }
  buffer.attach = attach;
  buffer.door = door;
  buffer.shown = answer.value;
  return 0;
}
