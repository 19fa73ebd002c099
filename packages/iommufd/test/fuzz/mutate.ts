// Calls that are nearly right: a valid one, with fields, bytes, its size and its memory changed.
// Source followed: the values that the kernel's iommufd selftest tries, and the ends of every range.
// Simplified: for tests only.

import * as fc from 'fast-check';
import { iommufdStruct } from '../../src/index.ts';
import type { AbiWorld } from '../abi-world.ts';
import { VALID_CALLS, validBytes } from '../valid-calls.ts';

const MAX = 2n ** 64n - 1n;

/** Numbers of objects, flags, descriptors, counts. */
const NARROW = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99, 0x7fffffff, 0x80000000, 0xffffffff];

/** Addresses, lengths and page sizes of the world, and the ends of every range. */
const WIDE = [
  0n,
  1n,
  0x7ffn,
  0x800n,
  0xfffn,
  0x1000n,
  0x1800n,
  0x4000n,
  0x8000n,
  0x10000n,
  0x12000n,
  0x20000n,
  0x200000n,
  0xffffffn,
  0x1000000n,
  0x1010000n,
  0x1100000n,
  0x7fffffffn,
  0x80000000n,
  2n ** 32n,
  0x700000000000n,
  0x700000000123n,
  0x700000008000n,
  0x700001000000n,
  0x700002000000n,
  2n ** 47n - 1n,
  2n ** 47n,
  2n ** 52n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  MAX - 0x1000n,
  MAX - 0xfffn,
  MAX - 0x800n,
  MAX - 1n,
  MAX,
];

/** Where the areas of the world begin. */
const AREAS = [0x10000n, 0x20000n, 0x1010000n];

/** A change of the bytes; `overlap` asks for an IOVA at or beside an area. */
export type Mutation =
  | { readonly kind: 'bit'; readonly at: number; readonly bit: number }
  | { readonly kind: 'field'; readonly at: number; readonly narrow: number; readonly wide: bigint }
  | { readonly kind: 'nudge'; readonly at: number; readonly by: bigint }
  | { readonly kind: 'overlap'; readonly area: number; readonly by: bigint }
  | { readonly kind: 'size'; readonly value: number }
  | { readonly kind: 'tail'; readonly bytes: Uint8Array; readonly counted: boolean }
  | { readonly kind: 'cut'; readonly bytes: number };

/** A call by the index of the valid one, and what is changed. */
export interface FuzzedCall {
  readonly index: number;
  readonly mutations: readonly Mutation[];
}

const wide = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...WIDE) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: MAX }) },
);
const narrow = fc.oneof(
  { weight: 6, arbitrary: fc.nat(9) },
  { weight: 2, arbitrary: fc.constantFrom(...NARROW) },
  { weight: 1, arbitrary: fc.nat(0xffffffff) },
);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('bit' as const), at: fc.nat(63), bit: fc.nat(7) }) },
  {
    weight: 16,
    arbitrary: fc.record({ kind: fc.constant('field' as const), at: fc.nat(11), narrow, wide }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('nudge' as const),
      at: fc.nat(11),
      by: fc.constantFrom(-0x1000n, -0x800n, -1n, 1n, 0x800n, 0x1000n),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('overlap' as const),
      area: fc.nat(AREAS.length - 1),
      by: fc.constantFrom(-0x1000n, -0x800n, 0n, 0x800n, 0x3800n, 0x4000n),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('size' as const), value: narrow }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('tail' as const),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 24 }),
        fc.nat(24).map((count) => new Uint8Array(count)),
      ),
      counted: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), bytes: fc.nat(48) }) },
);

/** Any call, with up to four changes. */
export const fuzzedCall: fc.Arbitrary<FuzzedCall> = fc.record({
  index: fc.nat(VALID_CALLS.length - 1),
  mutations: fc.array(mutation, { maxLength: 4 }),
});

/** Writes the low bytes of `value` over a field. */
function putField(bytes: Uint8Array, offset: number, width: number, value: bigint): void {
  let rest = BigInt.asUintN(64, value);
  for (let at = offset; at < offset + width && at < bytes.length; at += 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

function readField(bytes: Uint8Array, offset: number, width: number): bigint {
  let value = 0n;
  for (let at = offset + width - 1; at >= offset; at -= 1) value = value * 256n + BigInt(bytes[at] ?? 0);
  return value;
}

function fieldValue(change: Mutation, width: number, old: bigint): bigint {
  if (change.kind === 'nudge') return old + change.by;
  if (change.kind !== 'field') return old;
  return width === 8 ? change.wide : BigInt(change.narrow);
}

/** Puts the window of a call at or beside an area; a call that may choose asks for exactly that IOVA. */
function overlap(name: string, bytes: Uint8Array, iova: bigint): void {
  for (const { name: field, offset, bytes: width } of iommufdStruct(name).fields) {
    if (field === 'iova' || field === 'dst_iova') putField(bytes, offset, width, iova);
    const chooses = field === 'flags' && /map|copy/.test(name);
    if (chooses) putField(bytes, offset, width, readField(bytes, offset, width) | 1n);
  }
}

function mutate(name: string, bytes: Uint8Array, change: Mutation): Uint8Array {
  const { fields } = iommufdStruct(name);
  if (change.kind === 'bit') {
    const at = change.at % Math.max(1, bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << change.bit);
  } else if (change.kind === 'overlap') overlap(name, bytes, (AREAS[change.area] ?? 0n) + change.by);
  else if (change.kind === 'size') putField(bytes, 0, 4, BigInt(change.value));
  else if (change.kind === 'cut') return bytes.slice(0, change.bytes);
  else if (change.kind === 'tail') {
    const longer = Uint8Array.from([...bytes, ...change.bytes]);
    if (change.counted) putField(longer, 0, 4, BigInt(longer.length));
    return longer;
  } else {
    // The size is changed by itself only.
    const field = fields[1 + (change.at % (fields.length - 1))];
    if (field === undefined) return bytes;
    const { offset, bytes: width } = field;
    putField(bytes, offset, width, fieldValue(change, width, readField(bytes, offset, width)));
  }
  return bytes;
}

/** The call in bytes. */
export function bytesOfCall(
  world: AbiWorld,
  call: FuzzedCall,
): { readonly name: string; readonly bytes: Uint8Array } {
  const { name, bytes } = validBytes(world, call.index);
  let changed: Uint8Array = bytes;
  for (const change of call.mutations) changed = mutate(name, changed, change);
  return { name, bytes: changed };
}
