// The parts of the document about memory that is taken back: stages 5 and 6.
// Source followed: packages/roadmap/src/revoke/revoke-report.ts.
// Simplified: none.

import { z } from 'zod';
import { count, counts, errno, fabric, hexNumber, mapType, maybe, verdict } from './basics.ts';
import { stageReport } from './stage-report-schema.ts';

const importerKind = z.enum(['dynamic', 'pinned-revocable', 'pinned', 'keeps-mapping']);

/** Where peers can sit. */
export const place = z.enum(['switch', 'host-bridge']);

/** How an owner takes its memory back. */
export const trigger = z.enum(['reset', 'flr', 'memory-off', 'close']);

const importer = z.strictObject({
  name: z.string(),
  kind: importerKind,
  device: z.string(),
  refused: errno,
  stoppedAfter: z.int().nullable(),
  unmappedAfter: z.int().nullable(),
  posted: count,
  inFlight: count,
  completions: counts,
  wrongStatuses: count,
  missingCompletions: count,
  probes: z.array(
    z.strictObject({ when: z.enum(['while-off', 'after']), sameRegion: z.string(), newRegion: errno }),
  ),
});

const hang = z.strictObject({
  waited: count,
  because: z.enum(['bound', 'nothing-left']),
  ownerAt: z.string(),
  holdingLocks: z.array(z.string()),
  holders: z.array(
    z.strictObject({
      importer: z.string(),
      device: z.string(),
      requesterId: count,
      offset: count,
      bytes: count,
      dmaAddress: hexNumber,
    }),
  ),
  releasedAfter: maybe,
});

const revoke = z.strictObject({
  input: z.strictObject({
    trigger,
    importers: z.array(importerKind),
    place,
    iommu: z.boolean(),
    seed: count,
    op: z.enum(['table', 'range-list', 'deprecated']),
    jobs: count,
    jobBytes: count,
    actAfter: count,
    hangSteps: count,
  }),
  stage: stageReport,
  mapType,
  importers: z.array(importer),
  crossed: z.strictObject({
    tables: count,
    tableEntries: count,
    rangeLists: count,
    rangeListEntries: count,
    rangeListBytes: count,
    deprecatedImports: count,
    agreed: counts,
  }),
  ownerResult: errno,
  startStep: z.int(),
  timings: z.strictObject({
    lastAccess: count,
    calledBack: maybe,
    fencesRetired: maybe,
    mapsReturned: maybe,
    waitReturned: maybe,
    givenOut: maybe,
    ownerDone: maybe,
  }),
  accesses: z.strictObject({ before: count, during: count, late: count, refused: count }),
  bytesChangedLate: count,
  bytesVerified: count,
  bytesWrong: count,
  fabric,
  hang: hang.nullable(),
  violations: z.array(z.string()),
  leftovers: z.strictObject({
    mappings: count,
    attachments: count,
    buffers: count,
    descriptors: count,
    registrations: count,
    iovaRanges: count,
    pageTableEntries: count,
    locks: count,
  }),
  clockSteps: count,
  schedulerSteps: count,
  verdict,
});

/** Every revoke of a stage, by the way the peers are connected. */
export const revokePart = z.strictObject({
  stage: z.union([z.literal(5), z.literal(6)]),
  variants: z.array(
    z.strictObject({ key: z.string(), peer: place, iommu: z.boolean(), revokes: z.array(revoke) }),
  ),
  verdict,
});
