// The one table of structures against the sizes and places of the kernel's header, and the codec over it.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeIommufdStruct, encodeIommufdStruct, IOMMUFD_STRUCTS, iommufdStruct } from '../src/index.ts';
import { LAYOUT_ROWS } from './tables-abi/layout-rows.ts';

it('has a row for every structure, in the order of the numbers', () => {
  expect(IOMMUFD_STRUCTS.map(({ name }) => name)).toEqual(LAYOUT_ROWS.map(([name]) => name));
});

describe.each(LAYOUT_ROWS)('%s', (name, number, last, minBytes, bytes, fields) => {
  const layout = iommufdStruct(name);

  it('has the numbers of the kernel', () => {
    expect(layout.request).toBe(number);
    expect(layout.minBytes).toBe(minBytes);
    expect(layout.bytes).toBe(bytes);
    const ending = layout.fields.find((field) => field.name === last);
    expect((ending?.offset ?? 0) + (ending?.bytes ?? 0)).toBe(minBytes);
  });

  it('has its fields where they belong', () => {
    const places = layout.fields.map((field) => [field.name, field.offset, field.bytes]);
    expect(places).toEqual([['size', 0, 4], ...fields]);
  });

  it('covers every byte once, at natural alignment', () => {
    const owners = new Uint8Array(layout.bytes);
    for (const { offset, bytes: width } of layout.fields) {
      expect(offset % width).toBe(0);
      for (let at = offset; at < offset + width; at += 1) owners[at] = (owners[at] ?? 0) + 1;
    }
    expect([...owners].every((count) => count === 1)).toBe(true);
  });

  it('writes and reads every field in its own bytes', () => {
    for (const field of layout.fields) {
      const value = field.bytes === 8 ? 0x0807060504030201n : [0, 1, 0x201, 0, 0x04030201][field.bytes];
      const encoded = encodeIommufdStruct(name, { [field.name]: value ?? 0 });
      const expected = Array.from({ length: field.bytes }, (_, at) => at + 1);
      expect([...encoded.subarray(field.offset, field.offset + field.bytes)]).toEqual(expected);
      expect(decodeIommufdStruct(name, encoded)[field.name]).toBe(value);
    }
  });

  it('is undone by encoding what was decoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: bytes, maxLength: bytes }), (raw) => {
        expect(encodeIommufdStruct(name, decodeIommufdStruct(name, raw))).toEqual(raw);
      }),
      { numRuns: 50 },
    );
  });
});
