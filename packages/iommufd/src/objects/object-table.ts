// ObjectTable: the numbers of a context and the objects behind them.
// Source followed: the xarray of struct iommufd_ctx as drivers/iommu/iommufd/main.c uses it: numbers from 1 up to
// 2^31 - 1, always the lowest free one; a number that is taken but not published yet belongs to an invisible object.
// Simplified: none.

import { InternalError } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdObject } from './iommufd-object.ts';

/** Largest number: `xa_limit_31b`. */
const LAST_ID = 2 ** 31 - 1;

/**
 * The objects of a context by number.
 * @public
 */
export class ObjectTable {
  /** Null: taken, not published. */
  readonly #slots = new Map<number, IommufdObject | null>();
  readonly #lastId: number;
  /** No number below it is free. */
  #lowest = 1;

  /** @param lastId - the largest number it hands out */
  constructor(lastId: number = LAST_ID) {
    this.#lastId = lastId;
  }

  /** Takes the lowest free number; -EBUSY when all are taken. */
  reserve(): Outcome<number> {
    let id = this.#lowest;
    while (this.#slots.has(id)) id += 1;
    if (id > this.#lastId) return failure(Errno.EBUSY);
    this.#slots.set(id, null);
    this.#lowest = id + 1;
    return success(id);
  }

  /** Publishes `obj` under its number. */
  publish(obj: IommufdObject): void {
    if (this.#slots.get(obj.id) !== null) throw new InternalError(`number ${obj.id} was not taken`);
    this.#slots.set(obj.id, obj);
  }

  /** Frees a number. */
  erase(id: number): void {
    if (!this.#slots.delete(id)) throw new InternalError(`number ${id} is free already`);
    if (id < this.#lowest) this.#lowest = id;
  }

  /** The published object behind `id`. */
  at(id: number): IommufdObject | undefined {
    return this.#slots.get(id) ?? undefined;
  }

  /** The published objects, in ascending order of their numbers. */
  get objects(): readonly IommufdObject[] {
    const published = [...this.#slots.values()].filter((obj) => obj !== null);
    return published.sort((a, b) => a.id - b.id);
  }

  /** Numbers in use, invisible objects included. */
  get size(): number {
    return this.#slots.size;
  }
}
