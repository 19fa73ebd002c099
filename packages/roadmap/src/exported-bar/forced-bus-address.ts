// ForcedBusAddress: an exporter that hands out bus addresses whatever the way is: a fault put in on purpose.
// Source followed: what a wrong answer of pci_p2pdma_map_type would lead to.
// Simplified: every range of the buffer is a segment of its own, as the exporter makes them.

import { dmaAddr } from '@sgfree/hw-model';
import { pciP2pdmaBusAddrMap } from '@sgfree/p2p';
import type { VfioMapping, VfioPciDmaBuf } from '@sgfree/vfio-dmabuf';
import type { VfioSgTable } from '@sgfree/vfio-dmabuf/stage-6';

/** `mapping` with bus addresses in its tables; what is unmapped is what was mapped. @internal */
export function forcedBusAddress(mapping: VfioMapping<VfioSgTable>): VfioMapping<VfioSgTable> {
  const right = new Map<VfioSgTable, Float64Array>();
  return {
    map: (attach, priv, dir) => {
      const mapped = mapping.map(attach, priv, dir);
      if (mapped.ok) {
        right.set(mapped.value, mapped.value.list.dmaAddress.slice());
        force(mapped.value, priv);
      }
      return mapped;
    },
    unmap: (attach, table, dir) => {
      table.list.dmaAddress.set(right.get(table) ?? []);
      right.delete(table);
      mapping.unmap(attach, table, dir);
    },
  };
}

function force({ list, mappedCount }: VfioSgTable, { provider, physVec }: VfioPciDmaBuf): void {
  for (const [sg, { paddr }] of physVec.entries()) {
    if (sg < mappedCount) list.dmaAddress[sg] = dmaAddr(pciP2pdmaBusAddrMap(provider, paddr));
  }
}
