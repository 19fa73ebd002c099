// What each door answers once a buffer is attached and pinned: how its memory comes into domains, and what has to be given back.
// Source followed: vfio_pci_dma_buf_iommufd_map() as iommufd calls it, dma_buf_pal_map_phys() of the RFC, and our own windows.
// Simplified: none.

import {
  type DmaBufAttachment,
  dmaBufDomainReady,
  type PhysVec,
  vfioIommufdInterconnect,
} from '@sgfree/dma-buf';
import { type DmaBufPhysList, dmaBufPalMapPhys, dmaBufPalUnmapPhys } from '@sgfree/dma-buf/iommufd';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdPlatform } from '../iommufd-platform.ts';
import { FrameRuns } from './frame-runs.ts';
import type { IommufdDoor } from './iommufd-door.ts';

/**
 * How a buffer that is not taken back is shown: by frames that iommufd knows, or window by window by its exporter (null).
 * @internal
 */
export interface DoorAnswer {
  readonly frames: FrameRuns | null;
  /** Ends it, with the reservation lock held and nothing shown any more. */
  giveBack(): ModelTask<void>;
}

/** Nothing was lent. */
function* nothing(): ModelTask<void> {}

/** The kind of mapping that was agreed on, else the first interconnect of the machine that knows the exporter. */
function askInterconnects(platform: IommufdPlatform, attach: DmaBufAttachment<unknown>): Outcome<PhysVec> {
  const agreed = vfioIommufdInterconnect.opsOf(attach);
  if (agreed !== null) return agreed.iommufdMap(attach);
  for (const interconnect of platform.interconnects) {
    const answer = interconnect(attach);
    if (answer.ok || answer.errno !== Errno.EOPNOTSUPP) return answer;
  }
  return failure(Errno.EOPNOTSUPP);
}

/** Borrows the list until it is given back. */
function* borrow(attach: DmaBufAttachment<DmaBufPhysList>): ModelTask<Outcome<DoorAnswer>> {
  const list = yield* dmaBufPalMapPhys(attach);
  if (!list.ok) return list;
  const giveBack = (): ModelTask<void> => dmaBufPalUnmapPhys(attach, list.value);
  return success({ frames: new FrameRuns(list.value.phys), giveBack });
}

/**
 * Asks at a door, with the reservation lock held. Errors of the exporter; -EOPNOTSUPP for a buffer that the door cannot
 * express.
 * @internal
 */
export function* askDoor(
  door: IommufdDoor,
  platform: IommufdPlatform,
  attach: DmaBufAttachment<unknown>,
): ModelTask<Outcome<DoorAnswer>> {
  if (door === 'pal') return yield* borrow(attach as DmaBufAttachment<DmaBufPhysList>);
  if (door === 'converter') {
    const errno = yield* dmaBufDomainReady(attach);
    return errno === 0 ? success({ frames: null, giveBack: nothing }) : failure(-errno as Errno);
  }
  const phys = askInterconnects(platform, attach);
  return phys.ok ? success({ frames: new FrameRuns([phys.value]), giveBack: nothing }) : phys;
}
