// PhysDataMapper: the data path without struct page: requests carry physical ranges and a provider.
// Source followed: none; nvme_map_data of Linux 7.3.4 with the one question that it asks of a page asked of the request.
// Memory of a peer inside the switch gets bus addresses (no IOVA, nothing to unmap); through the host bridge it is mapped
// as MMIO, as one range where the shape allows it; a peer out of reach fails the request with the status of -EREMOTEIO.
// Simplified: see IteratorPath.

import type { BlkStatus } from '../blk-status.ts';
import { type PeerRoutes, physRqDmaMapIterStart } from '../phys-dma-iter.ts';
import type { PhysRequest } from '../phys-request.ts';
import type { NvmeDataMapper, NvmeMappingContext } from './data-mapper.ts';
import { IovaIod, IteratorPath } from './iterator-path.ts';

/**
 * Per-command state of the data path without struct page.
 * @beta
 */
export class PhysIod<Provider extends object> extends IovaIod {
  /** The request, with the provider of its memory. */
  declare readonly request: PhysRequest<Provider>;
}

/**
 * Maps commands whose requests name the owner of their memory.
 * @beta
 */
export class PhysDataMapper<Provider extends object>
  implements NvmeDataMapper<PhysIod<Provider>, PhysRequest<Provider>>
{
  readonly #path: IteratorPath<PhysIod<Provider>>;

  /** `routes` answers for the providers of requests. */
  constructor(context: NvmeMappingContext, routes: PeerRoutes<Provider>) {
    this.#path = new IteratorPath(context, {
      isPeers: ({ request }) => request.provider !== null,
      start: ({ request, state, iter }, { dev }) => physRqDmaMapIterStart(request, dev, state, iter, routes),
    });
  }

  newIod(request: PhysRequest<Provider>): PhysIod<Provider> {
    return new PhysIod<Provider>(request);
  }

  mapData(iod: PhysIod<Provider>): BlkStatus {
    return this.#path.mapData(iod);
  }

  unmapData(iod: PhysIod<Provider>): void {
    this.#path.unmapData(iod);
  }
}
