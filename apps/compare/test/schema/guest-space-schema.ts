// The part of the document about a guest's address space: stage 7.
// Source followed: packages/roadmap/src/guest-space/guest-space-report.ts.
// Simplified: none.

import { z } from 'zod';
import { count, errno, fabric, hexNumber, maybe, verdict, work } from './basics.ts';
import { place, trigger } from './revoke-schema.ts';
import { stageReport } from './stage-report-schema.ts';

const door = z.enum(['interconnect', 'pal', 'converter']);
const area = z.strictObject({ iova: hexNumber, bytes: count });
const sight = z.enum(['nothing', 'buffer', 'others', 'neither']);
const threeTimes = z.tuple([z.int(), z.int(), z.int()]);

const run = z.strictObject({
  input: z.strictObject({
    place,
    trigger,
    door,
    seed: count,
    jobs: count,
    jobBytes: count,
    actAfter: count,
    plant: z.string().optional(),
  }),
  stage: stageReport,
  ram: area,
  bar: area,
  newBar: area.nullable(),
  requesterId: count,
  door: z.strictObject({
    physicalRangesKnown: count,
    physicalRangesKnownOfTwo: count,
    physicalRangesKept: count,
    mappingsCounted: count,
    mapWork: work,
    mapAllocatedBytes: count,
    twoRanges: z.strictObject({ errno, bytesVerified: count, bytesWrong: count }),
    move: z.strictObject({ before: sight, oldArea: sight, mappedAnew: sight }),
  }),
  pins: z.strictObject({ ramPages: count, pinned: threeTimes, charged: threeTimes }),
  transfers: z.strictObject({
    ram: count,
    ramAfterRevoke: z.int(),
    ramRefused: count,
    bar: count,
    barBeforeRevoke: count,
    barRefused: count,
    barWritesRefused: count,
  }),
  faults: count,
  faultRecords: z.array(
    z.strictObject({ requesterId: count, page: hexNumber, write: z.boolean(), reason: count }),
  ),
  ownerResult: errno,
  timings: z.strictObject({
    lastAccess: count,
    entriesGone: maybe,
    waitReturned: maybe,
    givenOut: maybe,
    ownerDone: maybe,
  }),
  revokeWork: work,
  accesses: z.strictObject({ during: count, late: count }),
  bytesChangedLate: count,
  oldAreaWorks: z.boolean(),
  importWhileOff: errno.nullable(),
  importAfter: errno,
  newAreaBytes: count,
  unmapped: errno,
  bytesVerified: count,
  bytesWrong: count,
  fabric,
  violations: z.array(z.string()),
  leftovers: z.strictObject({
    pageTableEntries: count,
    iotlbEntries: count,
    objects: count,
    pinnedPages: count,
    chargedPages: count,
    buffers: count,
    descriptors: count,
    registrations: count,
    locks: count,
  }),
  clockSteps: count,
  verdict,
});

/** Every door, every way of taking the memory back. */
export const guestSpacePart = z.strictObject({
  stage: z.literal(7),
  doors: z.array(door),
  runs: z.array(run),
  withoutRedirection: run,
  verdict,
});
