// `StageReport` as the document holds it.
// Source followed: packages/roadmap/src/stage-report.ts and the reports that belong to it.
// Simplified: none.

import { z } from 'zod';
import { count, counts, fabric, mapType, maybe, work } from './basics.ts';

const classReport = work.extend({
  requests: count,
  bytes: count,
  segments: count,
  dmaRangesOut: count,
  trackingBytes: count,
});

const peer = z.strictObject({
  initiator: z.string(),
  target: z.string(),
  bar: count,
  barBytes: count,
  mapType,
  untranslatedWay: z.enum(['switch', 'root', 'either']),
  distance: z.int(),
  barPagesUsed: count,
  iosLeftOut: count,
  structPages: count,
  structPageBytes: count,
  refusals: counts,
  bytesUntouched: count,
});

const negotiated = z.strictObject({
  operation: z.enum(['range-list', 'deprecated']),
  agreed: counts,
  rangeLists: count,
  rangeListEntries: count,
  rangeListBytes: count,
  rangeListBytesLeft: count,
  deprecatedImports: count,
});

const exported = z.strictObject({
  importer: z.enum(['table', 'ranges']),
  tables: count,
  tableEntries: count,
  cpuEntries: count,
  entriesWithoutPage: count,
  entriesChanged: count,
  tablesSpoiled: count,
  entryArrayBytes: count,
  entryArrayBytesLeft: count,
  regionBlockBytes: count,
  regionBlocks: count,
  workRequests: count,
  completions: counts,
  bytesScattered: count,
  bytesGathered: count,
  pageFaults: count,
  retransmissions: count,
  violations: z.array(z.string()),
  negotiated: negotiated.nullable(),
});

const leftovers = z.strictObject({
  iovaRanges: count,
  pageTableEntries: count,
  iotlbEntries: count,
  coherentFrames: count,
  descriptorBlocks: count,
  trackingBytes: z.int(),
  p2pmemBlocks: count,
  dmaBufs: count,
  memoryRegions: count,
});

const alone = z.strictObject({
  stage: count,
  title: z.string(),
  mode: z.enum(['strict', 'direct']),
  seed: count,
  ios: count,
  requests: count,
  classes: z.strictObject({ single: classReport, 'two-step': classReport, 'per-segment': classReport }),
  requestWork: work,
  descriptorPoolPages: count,
  setup: work,
  total: work,
  bytesRead: count,
  bytesWritten: count,
  bytesVerified: count,
  bytesWrong: count,
  bytesContested: count,
  dmaRangesOut: count,
  flushQueueDepth: count,
  tracking: z.strictObject({ byStructure: counts, totalBytes: count, peakBytes: count }),
  fabric,
  iommu: z.strictObject({ translations: count, iotlbHits: count, iotlbMisses: count, faults: count }),
  controller: z.strictObject({
    commands: count,
    prpEntriesFetched: count,
    sglDescriptorsFetched: count,
    errors: count,
  }),
  revokeToLastAccessSteps: maybe,
  clockSteps: count,
  peer: peer.nullable(),
  exported: exported.nullable(),
  leftovers,
  failures: z.array(
    z.strictObject({
      kind: z.enum(['probe', 'request', 'data', 'teardown', 'plant']),
      io: z.int().min(-1),
      detail: z.string(),
    }),
  ),
  failureCount: count,
});

/** The report of one run of one stage, and of what ran beside it. */
export const stageReport = alone.extend({ beside: alone.optional() });
