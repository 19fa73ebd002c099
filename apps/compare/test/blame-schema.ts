// The JSON document of `sgfree blame`, schema sgfree/blame/v1, as a schema that refuses what it does not know.
// Source followed: the README of this package.
// Simplified: for tests only.

import { z } from 'zod';

const hex = z.string().regex(/^0x[0-9a-f]{1,16}$/);
const whole = z.number().int().min(0);
const span = z.number().int().nullable();
const time = whole.nullable();
const point = z.strictObject({ line: whole, time, task: z.string().nullable() });
const provenance = z.enum(['recorded', 'inferred', 'unknown']);

const sighting = z.strictObject({
  id: z.number().int(),
  kind: z.enum(['phys', 'sg', 'coherent', 'two-step', 'iommu-api']),
  device: z.string().nullable(),
  deviceFrom: provenance,
  direction: z.enum(['TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL', 'NONE']).nullable(),
  directionFrom: provenance,
  attrs: z.string(),
  dmaAddr: hex,
  dmaLast: hex,
  bytes: whole,
  bytesFrom: provenance,
  physAddr: hex.nullable(),
  mapped: point.nullable(),
  released: point.nullable(),
  ended: point.nullable(),
  state: z.enum(['live', 'ended', 'later']),
  owner: z.enum(['own', 'unnamed', 'other']),
  offset: z.number().int(),
  distance: whole,
  inside: z.boolean(),
  sinceMapped: span,
  sinceReleased: span,
  sinceEnded: span,
});

const reason = z.strictObject({
  code: z.string().regex(/^[a-z0-9-]+$/),
  confidence: z.enum(['strong', 'likely', 'possible']),
  text: z.string().min(1),
  evidence: z.array(z.strictObject({ line: whole.nullable(), time, text: z.string().min(1) })),
});

const story = z.strictObject({
  source: z.enum(['io_page_fault', 'amd-vi', 'dmar', 'asked']),
  device: z.string().nullable(),
  driver: z.string().nullable(),
  address: hex,
  addressLow: hex,
  addressHigh: hex,
  addressBytes: z.union([z.literal(1), z.literal(4096)]),
  access: z.enum(['read', 'write', 'unknown']),
  refusal: z.string(),
  count: whole,
  tellings: z.array(
    z.strictObject({
      source: z.string(),
      codeText: z.string(),
      words: z.string(),
      others: z.array(z.string()),
      count: whole,
    }),
  ),
  first: point,
  last: point,
  owner: sighting.nullable(),
  neighbours: z.strictObject({
    belowLive: sighting.nullable(),
    belowEnded: sighting.nullable(),
    aboveLive: sighting.nullable(),
    aboveEnded: sighting.nullable(),
  }),
  covering: z.array(sighting),
  coveringCount: whole,
  reasons: z.array(reason),
  notes: z.array(z.strictObject({ code: z.string(), text: z.string().min(1) })),
});

/** The document. */
export const blameSchema = z.strictObject({
  schema: z.literal('sgfree/blame/v1'),
  trace: z.strictObject({
    source: z.string(),
    damage: z.string().nullable(),
    lines: whole,
    events: whole,
    clock: z.enum(['seconds', 'ticks', 'mixed', 'none']),
    lostEvents: whole,
    overwrittenEvents: whole,
    firstTime: time,
    lastTime: time,
    problems: z.record(z.string(), z.strictObject({ count: whole, firstLine: whole })),
  }),
  faults: whole,
  notExplained: whole,
  otherFaults: whole,
  historyLimit: whole,
  forgotten: whole,
  liveMappings: whole,
  flushMode: z.enum(['strict', 'lazy', 'unknown']),
  inTicks: z.boolean(),
  stories: z.array(story),
});
