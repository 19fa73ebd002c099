// The document of `sgfree replay --json`, schema sgfree/replay/v1, as its readers may rely on it: every field, no other.
// Simplified: what depends on the trace (events, rules, reasons) is open.

import { z } from 'zod';

const counts = z.record(z.string(), z.number().int().nonnegative());
const count = z.number().int().nonnegative();
const address = z
  .string()
  .regex(/^0x[0-9a-f]+$/)
  .nullable();

const user = z.enum(['dma-api', 'iommu-api']);

const cost = z.strictObject({
  mapped: count,
  unmapped: count,
  failed: counts,
  dmaRangesOut: count,
  iovaAllocations: count,
  iovaFromCaches: count,
  mapCalls: count,
  unmapCalls: count,
  entriesWritten: count,
  entriesCleared: count,
  leavesBySize: counts,
  tablePagesPeak: count,
  invalidations: z.strictObject({ page: count, domain: count, global: count, waits: count }),
  peakMappings: count,
  peakBytes: count,
  tracking: z.strictObject({ takenBytes: count, peakBytes: count, byStructure: counts }),
  flushQueue: z
    .strictObject({
      queued: count,
      ringFullFlushes: count,
      timerFlushes: count,
      deepestRing: count,
      exposureMs: z.strictObject({ longest: z.number(), mean: z.number() }).nullable(),
    })
    .nullable(),
});

const addressSpace = z.strictObject({
  allocations: count,
  fromCaches: count,
  fromTree: count,
  peakRanges: count,
  fragmentation: z.strictObject({
    ranges: count,
    lowest: address,
    highest: address,
    usedBytes: count,
    holes: count,
    holeBytes: count,
    largestHoleBytes: count,
  }),
  cachedAtEnd: count,
  depotMagazinesAtEnd: count,
  samples: z
    .array(z.strictObject({ at: z.number(), liveRanges: count, cachedRanges: count, depotMagazines: count }))
    .min(1)
    .max(32),
});

const tracedSide = {
  mappings: z.strictObject({
    phys: count,
    sg: count,
    coherent: count,
    'two-step': count,
    'iommu-api': count,
  }),
  bytes: count,
  untranslated: count,
  refused: counts,
  inferred: counts,
  runSizes: z.array(z.strictObject({ from: count, runs: count, bytes: count })),
  liveAtEnd: z.strictObject({
    count,
    bytes: count,
    first: z.array(
      z.strictObject({
        device: z.string(),
        kind: z.string(),
        line: count,
        task: z.string(),
        dmaAddr: address,
        bytes: count,
      }),
    ),
  }),
  findings: z.record(
    z.string(),
    z.strictObject({ count, certain: count, firstLine: count, firstText: z.string() }),
  ),
  bounced: z.strictObject({ count, bytes: count }),
};

const checks = z.strictObject({
  lookedAt: count,
  lookedAtAfterUnmap: count,
  answeredAfterUnmap: count,
  wrongCount: z.literal(0),
  wrong: z.array(z.never()),
  violations: z.strictObject({}),
  violationsOfFailedCalls: counts,
  leftovers: z.strictObject({
    iovaRanges: z.literal(0),
    pageTableEntries: z.literal(0),
    trackingBytes: z.literal(0),
    mappings: z.literal(0),
  }),
});

/** A good document: every check of it has succeeded. */
export const replayDocumentSchema = z.strictObject({
  schema: z.literal('sgfree/replay/v1'),
  trace: z.strictObject({
    source: z.string(),
    bytesRead: count,
    damage: z.string().nullable(),
    lines: count,
    bytes: count,
    eventLines: count,
    headerLines: count,
    otherLines: count,
    problemLines: count,
    lostEvents: count,
    overwrittenEvents: count,
    format: z.string(),
    clock: z.string(),
    kernel: z.strictObject({ version: z.string(), evidence: z.array(z.string()) }),
    firstTime: z.number(),
    lastTime: z.number(),
    events: counts,
    problems: z.array(z.strictObject({ kind: z.string(), count, firstLine: count })),
    cpus: count,
    mappedForNanoseconds: z.number(),
  }),
  inferred: z.strictObject({
    mappings: counts,
    meaning: z.record(z.string(), z.string()),
    masks: z.string(),
  }),
  traced: z.strictObject(tracedSide),
  devices: z.array(
    z.strictObject({
      device: z.string(),
      user,
      streamingMaskBits: z.union([z.literal(32), z.literal(64)]),
      coherentMaskBits: z.union([z.literal(32), z.literal(64)]),
      ...tracedSide,
    }),
  ),
  otherDevices: z.array(z.string()),
  unnamedLeftOut: count,
  counted: z.strictObject({ tracking: z.string(), directUsers: z.string() }),
  runs: z.array(
    z.strictObject({
      stage: z.union([z.literal(0), z.literal(1)]),
      mode: z.enum(['strict', 'lazy', 'passthrough']),
      total: cost,
      structPagesTouched: count,
      devices: z.array(
        z.strictObject({ device: z.string(), user, ...cost.shape, addressSpace: addressSpace.nullable() }),
      ),
      checks,
    }),
  ),
  verdict: z.strictObject({ ok: z.literal(true), line: z.string() }),
});
