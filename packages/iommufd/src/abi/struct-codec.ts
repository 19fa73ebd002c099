// StructBytes: the bytes of one call's structure, read and written field by field as the table of layouts says.
// Source followed: the general format of iommufd's calls (include/uapi/linux/iommufd.h): little-endian, fields at their
// natural alignment.
// Wide fields are bigint for whoever speaks bytes; the model itself gets them as page and offset.
// Simplified: none.

import { InternalError } from '@sgfree/hw-model';
import { bigintOfU64, type U64, u64OfBigint } from '../u64/u64.ts';
import { IOMMUFD_STRUCTS, type IommufdField, type IommufdStruct } from './struct-layouts.ts';

/**
 * Values of fields by name: wide ones as bigint.
 * @public
 */
export type IommufdFieldValues = Readonly<Record<string, number | bigint>>;

/**
 * The layout of the structure with the kernel's `name`; throws {@link @sgfree/hw-model#InternalError} for another name.
 * @public
 */
export function iommufdStruct(name: string): IommufdStruct {
  const layout = IOMMUFD_STRUCTS.find((struct) => struct.name === name);
  if (layout === undefined) throw new InternalError(`no call has a structure ${name}`);
  return layout;
}

/**
 * A structure in bytes. Its `size` says how many bytes there are.
 * @public
 */
export class StructBytes {
  readonly layout: IommufdStruct;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** @param bytes - as many as the layout has, at least */
  constructor(layout: IommufdStruct, bytes: Uint8Array = new Uint8Array(layout.bytes)) {
    this.layout = layout;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A field of up to 4 bytes. */
  get(name: string): number {
    const { offset, bytes, signed } = this.#field(name);
    if (bytes === 4) return signed ? this.#view.getInt32(offset, true) : this.#view.getUint32(offset, true);
    if (bytes > 4) throw new InternalError(`${name} is wide`);
    return bytes === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint8(offset);
  }

  /** Writes a field of up to 4 bytes; higher bits are dropped. */
  set(name: string, value: number): void {
    const { offset, bytes } = this.#field(name);
    if (bytes > 4) throw new InternalError(`${name} is wide`);
    if (bytes === 4) this.#view.setUint32(offset, value, true);
    else if (bytes === 2) this.#view.setUint16(offset, value, true);
    else this.#view.setUint8(offset, value);
  }

  /** A field of 8 bytes. */
  wide(name: string): U64 {
    return u64OfBigint(this.#view.getBigUint64(this.#wideField(name).offset, true));
  }

  /** Writes a field of 8 bytes. */
  setWide(name: string, value: U64): void {
    this.#view.setBigUint64(this.#wideField(name).offset, bigintOfU64(value), true);
  }

  /** True when every field that must be zero is. */
  get reservedClear(): boolean {
    return this.layout.fields.every(({ name, use }) => use !== 'reserved' || this.get(name) === 0);
  }

  #field(name: string): IommufdField {
    const field = this.layout.fields.find((candidate) => candidate.name === name);
    if (field === undefined) throw new InternalError(`${this.layout.name} has no field ${name}`);
    return field;
  }

  #wideField(name: string): IommufdField {
    const field = this.#field(name);
    if (field.bytes !== 8) throw new InternalError(`${name} is not wide`);
    return field;
  }
}

/**
 * The bytes of a structure with the given fields; the others are zero, and `size` is the structure's unless given.
 * @public
 */
export function encodeIommufdStruct(name: string, values: IommufdFieldValues = {}): Uint8Array {
  const struct = new StructBytes(iommufdStruct(name));
  struct.set('size', struct.layout.bytes);
  for (const [field, value] of Object.entries(values)) {
    if (typeof value === 'number') struct.set(field, value);
    else struct.setWide(field, u64OfBigint(value));
  }
  return struct.bytes;
}

/**
 * Every field of a structure in bytes.
 * @public
 */
export function decodeIommufdStruct(name: string, bytes: Uint8Array): IommufdFieldValues {
  const struct = new StructBytes(iommufdStruct(name), bytes);
  return Object.fromEntries(
    struct.layout.fields.map((field) => [
      field.name,
      field.bytes === 8 ? bigintOfU64(struct.wide(field.name)) : struct.get(field.name),
    ]),
  );
}
