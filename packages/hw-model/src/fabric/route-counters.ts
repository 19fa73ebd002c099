// RouteCounters: how many requests and bytes took which way through the fabric.
// Source followed: the project's stage report (requests on the fabric by route).
// Simplified: a request counts once, for the whole way it took.

/**
 * The way a memory request took, or `refused` when no byte moved.
 * @public
 */
export type Route = 'switch-local' | 'host-bridge' | 'memory' | 'refused';

/**
 * Requests and bytes of one route.
 * @public
 */
export interface RouteCount {
  requests: number;
  bytes: number;
}

/**
 * Counts of a fabric by route; a refused request counts the bytes it wanted to move.
 * @public
 */
export class RouteCounters {
  readonly switchLocal: RouteCount = { requests: 0, bytes: 0 };
  readonly hostBridge: RouteCount = { requests: 0, bytes: 0 };
  readonly memory: RouteCount = { requests: 0, bytes: 0 };
  readonly refused: RouteCount = { requests: 0, bytes: 0 };

  add(route: Route, bytes: number): void {
    const count = this.#of(route);
    count.requests += 1;
    count.bytes += bytes;
  }

  #of(route: Route): RouteCount {
    if (route === 'memory') return this.memory;
    if (route === 'switch-local') return this.switchLocal;
    return route === 'host-bridge' ? this.hostBridge : this.refused;
  }
}
