// The table of VFIO's structures against the sizes and places of the kernel's header.
import { describe, expect, it } from 'vitest';
import {
  StructBytes,
  u64OfBigint,
  VFIO_API_VERSION,
  VFIO_COMPAT_STRUCTS,
  VfioRequest,
} from '../../src/index.ts';
import { VFIO_LAYOUT_ROWS } from './layout-rows.ts';

it('has a row for every structure', () => {
  expect(VFIO_COMPAT_STRUCTS.map(({ name }) => name)).toEqual(VFIO_LAYOUT_ROWS.map(([name]) => name));
});

it('has the numbers of the kernel', () => {
  expect(VFIO_API_VERSION).toBe(0);
  expect(Object.values(VfioRequest)).toEqual([0x3b64, 0x3b65, 0x3b66, 0x3b70, 0x3b71, 0x3b72]);
});

describe.each(VFIO_LAYOUT_ROWS)('%s', (name, request, minBytes, bytes, fields) => {
  const layout = VFIO_COMPAT_STRUCTS.find((struct) => struct.name === name);

  it('has its fields where they belong', () => {
    expect([layout?.request, layout?.minBytes, layout?.bytes]).toEqual([request, minBytes, bytes]);
    expect(layout?.fields.map((field) => [field.name, field.offset, field.bytes])).toEqual(fields);
  });

  it('writes every field into its own bytes', () => {
    if (layout === undefined) throw new Error('no layout');
    for (const [field, offset, width] of fields) {
      const struct = new StructBytes(layout);
      if (width === 8) struct.setWide(field, u64OfBigint(0x0807060504030201n));
      else struct.set(field, width === 4 ? 0x04030201 : 0x0201);
      const expected = new Uint8Array(bytes);
      for (let at = 0; at < width; at += 1) expected[offset + at] = at + 1;
      expect(struct.bytes).toEqual(expected);
    }
  });
});
