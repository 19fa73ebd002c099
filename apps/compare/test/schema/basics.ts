// What every part of the document of `sgfree compare --json` is made of.
// Source followed: the reports of roadmap.
// Simplified: texts of people (titles, details, verdict lines) are open.

import { z } from 'zod';

/** A count. */
export const count: z.ZodInt = z.int().nonnegative();

/** A count that there need not be. */
export const maybe: z.ZodNullable<z.ZodInt> = count.nullable();

/** A number of hardware. */
export const hexNumber: z.ZodString = z.string().regex(/^0x[0-9a-f]+$/);

/** 0, or the negative number of an error. */
export const errno: z.ZodInt = z.int();

/** Counts by name. */
export const counts: z.ZodRecord<z.ZodString, z.ZodInt> = z.record(z.string(), count);

/** A judgement. */
export const verdict = z.strictObject({ ok: z.boolean(), line: z.string() });

/** `WorkCounts`. */
export const work = z.strictObject({
  iovaAllocations: count,
  mapCalls: count,
  unmapCalls: count,
  entriesWritten: count,
  entriesCleared: count,
  invalidationCommands: count,
  invalidationWaits: count,
  structPagesTouched: count,
});

const route = z.strictObject({ requests: count, bytes: count });

/** Requests by their way. */
export const fabric = z.strictObject({
  memory: route,
  switchLocal: route,
  hostBridge: route,
  refused: route,
});

/** `P2pdmaMapType`. */
export const mapType = z.enum(['not-supported', 'bus-addr', 'thru-host-bridge']);
