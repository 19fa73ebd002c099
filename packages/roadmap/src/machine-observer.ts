// MachineObserver: somebody who looks at a run's machine from the moment it has been put together: its fabric, and with it clock,
// functions and log.
// Source followed: none.
// Simplified: of two computers on one wire only the one that the stage is about is shown.

import type { PciFabric } from '@sgfree/hw-model';

/**
 * Is told of the fabric before the first request; may turn on its `traceRequests` and its log.
 * @public
 */
export type MachineObserver = (fabric: PciFabric) => void;
