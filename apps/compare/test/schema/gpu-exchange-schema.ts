// The part of the document about a card's memory: stage 8.
// Source followed: packages/roadmap/src/gpu-exchange/gpu-exchange-report.ts.
// Simplified: none.

import { GPU_EXCHANGE_PLACES, GPU_EXCHANGE_PLANTS, GPU_EXCHANGE_WAYS } from '@sgfree/roadmap';
import { z } from 'zod';
import { count, counts, errno, mapType, maybe, verdict } from './basics.ts';
import { stageReport } from './stage-report-schema.ts';

const move = z.strictObject({
  object: z.string(),
  from: z.string(),
  to: z.string(),
  lastAccess: maybe,
  copyBegan: maybe,
  ended: maybe,
  late: count,
});

const run = z.strictObject({
  input: z.strictObject({
    way: z.enum(GPU_EXCHANGE_WAYS),
    place: z.enum(GPU_EXCHANGE_PLACES),
    iommu: z.boolean(),
    seed: count,
    objects: count,
    objectBytes: count,
    rounds: count,
    moves: count,
    plant: z.enum(GPU_EXCHANGE_PLANTS).optional(),
  }),
  stage: stageReport,
  mapTypes: z.strictObject({ adapter: mapType, disk: mapType }),
  crossed: z.strictObject({
    mappings: count,
    entries: count,
    scatterlistEntries: count,
    bytes: count,
    agreed: counts,
  }),
  moves: z.array(move),
  driver: z.strictObject({ acted: count, failed: count, evictions: count, bytesMoved: count }),
  told: count,
  toldAtWork: count,
  faultsServed: count,
  accesses: z.strictObject({ all: count, late: count, stray: count, early: count }),
  vramOnly: z.strictObject({ attach: errno, map: errno.nullable(), register: errno }),
  abuses: counts,
  transfers: z.strictObject({ disk: count, peer: count }),
  kept: z.strictObject({ verified: count, wrong: count }),
  violations: z.array(z.string()),
  leftovers: z.strictObject({ vramBytes: count, cardPages: count, runtimeRefs: count, locks: count }),
  verdict,
});

/** Every way in every place. */
export const gpuExchangePart = z.strictObject({ stage: z.literal(8), runs: z.array(run), verdict });
