// The whole road in the document: a column a stage.
// Source followed: `RoadTable`.
// Simplified: none.

import { z } from 'zod';
import { count, maybe } from './basics.ts';

/** `RoadTable`. */
export const roadTable = z.strictObject({
  source: z.string(),
  ios: count,
  bytes: count,
  columns: z
    .array(
      z.strictObject({
        stage: count,
        api: z.string().nullable(),
        runs: count,
        ios: maybe,
        bytesVerified: maybe,
        iovaAllocations: maybe,
        tableEntriesWritten: maybe,
        invalidations: maybe,
        trackingBytes: maybe,
        structPagesTouched: maybe,
        routes: z.strictObject({ switch: count, hostBridge: count, refused: count }).nullable(),
        refused: maybe,
        faults: maybe,
        revokeWindowSteps: maybe,
        hangs: z.strictObject({ runs: count, lastAccessSteps: maybe }).nullable(),
        scatterlistEntries: maybe,
        left: maybe,
      }),
    )
    .length(9),
});
