// The document of `sgfree compare --json`, schema sgfree/compare/v1, as its readers may rely on it: every field, no other.
// Source followed: `compareDocument`.
// Simplified: a document about a real machine (`--topology`) has a schema of its own name.

import { z } from 'zod';
import { COMPARE_SCHEMA } from '../../src/compare-json.ts';
import { count, hexNumber, verdict } from './basics.ts';
import { gpuExchangePart } from './gpu-exchange-schema.ts';
import { guestSpacePart } from './guest-space-schema.ts';
import { place, revokePart } from './revoke-schema.ts';
import { roadTable } from './road-schema.ts';
import { stageReport } from './stage-report-schema.ts';

const machine = z.strictObject({
  memoryBytes: count,
  ram: z.array(z.strictObject({ start: hexNumber, last: hexNumber })),
  iommu: z.literal('vt-d'),
  mode: z.literal('strict'),
});

const list = z.strictObject({
  requests: z.strictObject({
    source: z.string(),
    ios: count,
    skipped: count,
    bytes: count,
    pages: z.enum(['4K', '2M']),
    pagesReason: z.string(),
  }),
  stages: z.array(stageReport),
  verdict,
});

const peers = z.strictObject({
  requests: z.strictObject({ source: z.string(), ios: count, iosInList: count, bytes: count }),
  variants: z.array(
    z.strictObject({
      key: z.string(),
      peer: place,
      iommu: z.boolean(),
      stages: z.array(stageReport),
      verdict,
    }),
  ),
});

/** The whole document; null = nothing of the kind was run. */
export const compareSchema = z.strictObject({
  schema: z.literal(COMPARE_SCHEMA),
  machine,
  seed: count,
  lists: z.array(list),
  peers: peers.nullable(),
  rangeListRevoke: revokePart.nullable(),
  revoke: revokePart.nullable(),
  guestSpace: guestSpacePart.nullable(),
  gpuExchange: gpuExchangePart.nullable(),
  road: roadTable.nullable(),
  verdict,
});

/** The same as JSON Schema, the text of schema/compare.schema.json. */
export function compareJsonSchema(): string {
  const schema = z.toJSONSchema(compareSchema, { target: 'draft-2020-12', reused: 'ref' });
  return `${JSON.stringify({ ...schema, title: COMPARE_SCHEMA }, null, 2)}\n`;
}
