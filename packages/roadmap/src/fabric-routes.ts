// The requests on a fabric by their way, as a report keeps them.
// Source followed: the counters of hw-model's fabric, which is the only one that knows the way.
// Simplified: none.

import type { PciFabric } from '@sgfree/hw-model';
import type { StageReport } from './stage-report.ts';

/** The counts up to now. @internal */
export function fabricRoutes({ counters }: PciFabric): StageReport['fabric'] {
  const { memory, switchLocal, hostBridge, refused } = counters;
  return {
    memory: { ...memory },
    switchLocal: { ...switchLocal },
    hostBridge: { ...hostBridge },
    refused: { ...refused },
  };
}
