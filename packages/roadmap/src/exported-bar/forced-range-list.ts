// ForcedRangeList: the fault of ForcedBusAddress at an exporter of range lists: bus addresses whatever the way is.
// Source followed: what a wrong answer of pci_p2pdma_map_type would lead to.
// Simplified: a list has an entry for each range, as one inside a switch has.

import {
  DmaRangeList,
  dmaBufFreeRangeList,
  dmaBufPhysVecToRangeList,
  type RangeListExpOps,
  rangeListExporterMatch,
} from '@sgfree/dma-buf/stage-5';
import { InternalError, type YieldPoint } from '@sgfree/hw-model';
import { success } from '@sgfree/mm';
import { pciP2pdmaBusAddrMap } from '@sgfree/p2p';
import type { VfioOffer, VfioPciDmaBuf } from '@sgfree/vfio-dmabuf/stage-5';

const MAP: YieldPoint = { at: 'fault:map' };
const UNMAP: YieldPoint = { at: 'fault:unmap' };

/** Range lists of bus addresses; what is unmapped is what was mapped. @internal */
export const forcedRangeLists: VfioOffer = (priv) =>
  rangeListExporterMatch(forcedOps(priv), priv.provider.owner);

function forcedOps(priv: VfioPciDmaBuf): RangeListExpOps {
  const { provider, physVec, size } = priv;
  return {
    *mapRanges(attach, dir) {
      yield MAP;
      const right = dmaBufPhysVecToRangeList(attach, provider, physVec, size, dir);
      if (!right.ok) return right;
      const { dev, attrs, state } = right.value;
      const parts = { owner: attach, dev, attrs, state, route: 'bus-address' as const };
      const forced = new DmaRangeList({ ...parts, capacity: physVec.length });
      for (const { paddr, len } of physVec) forced.add(pciP2pdmaBusAddrMap(provider, paddr), len);
      rights.set(forced, right.value);
      priv.get();
      return success(forced);
    },
    *unmapRanges(attach, list, dir) {
      yield UNMAP;
      const right = rights.get(list);
      if (right === undefined) throw new InternalError('a list is unmapped that was not mapped');
      dmaBufFreeRangeList(attach, right, dir);
      priv.put();
    },
  };
}

/** The list behind each forced one; the exporter's operations are made anew for each attachment. */
const rights = new WeakMap<DmaRangeList, DmaRangeList>();
