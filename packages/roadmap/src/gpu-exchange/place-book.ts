// PlaceBook: whose each page of VRAM and of the objects' system memory is at a moment, and each access of an importer held against that.
// Source followed: the contract of invalidation: once the fences have signaled importers use the old mapping no more, and before the
// fence of the copy has signaled they do not use the new one.
// Simplified: a page belongs to its old place until the copy out of it has ended.

import { DmaResvUsage, dmaResvTestSignaled } from '@sgfree/dma-buf';
import type { GpuBo, GpuResource } from '@sgfree/gpu-driver';
import type { Clock, PciFunction } from '@sgfree/hw-model';
import type { TappedAccess } from './bus-tap.ts';
import { pagesOf } from './object-places.ts';

/** A move as it was seen from outside; clock steps, null = not seen. @internal */
export interface SeenMove {
  readonly object: string;
  readonly from: GpuResource['kind'];
  readonly to: GpuResource['kind'];
  /** When importers began to be told. */
  readonly started: number;
  /** The last access of an importer to the old place after that. */
  lastAccess: number | null;
  /** The card began to copy: from here on nobody may use the old place. */
  copyBegan: number | null;
  /** The copy had ended. */
  ended: number | null;
  /** Accesses of importers to the old place after the copy began. */
  late: number;
}

/** Why somebody has a page. */
interface Claim {
  readonly object: string;
  /** Importers may use it. */
  readonly shared: boolean;
  /** Set while the object is on its way out of it. */
  readonly leaving: SeenMove | null;
}

/** An object that is followed. */
interface Followed {
  readonly bo: GpuBo;
  readonly shared: boolean;
  place: GpuResource;
  moves: SeenMove[];
}

/** @internal */
export class PlaceBook {
  readonly moves: SeenMove[] = [];
  /** Accesses of importers to memory that is nobody's or not shared, to new places before their bytes, and all. */
  stray = 0;
  early = 0;
  accesses = 0;
  readonly #clock: Clock;
  readonly #card: PciFunction;
  readonly #vram = new Map<number, Claim>();
  readonly #system = new Map<number, Claim>();
  readonly #followed: Followed[] = [];
  /** Since when importers of an object that has not moved yet have been told. */
  readonly #begun = new Map<GpuBo, number>();

  constructor(clock: Clock, card: PciFunction) {
    this.#clock = clock;
    this.#card = card;
  }

  /** Accesses of importers to an old place after the card began to copy out of it. */
  get late(): number {
    return this.moves.reduce((late, move) => late + move.late, 0);
  }

  /** Follows an object from now on. */
  follow(bo: GpuBo, shared: boolean): void {
    this.#followed.push({ bo, shared, place: bo.resource, moves: [] });
    this.#claim(bo.resource, { object: bo.spec.name, shared, leaving: null });
  }

  /** The object ends: nothing of it may be used. */
  forget(bo: GpuBo): void {
    const at = this.#followed.findIndex((one) => one.bo === bo);
    const [gone] = this.#followed.splice(at, at < 0 ? 0 : 1);
    for (const { vram, page } of gone === undefined ? [] : pagesOf(gone.place)) this.#book(vram).delete(page);
  }

  /** An importer is told that `bo` moves. */
  told(bo: GpuBo): void {
    if (!this.#begun.has(bo)) this.#begun.set(bo, this.#clock.step);
  }

  /** Looks at where the objects are; to be called between the steps of tasks. */
  look(): void {
    for (const one of this.#followed) {
      if (one.bo.resource !== one.place) this.#left(one);
      if (one.moves.length > 0 && settled(one.bo)) this.#arrived(one);
    }
  }

  /** An access that a bus analyser heard. */
  heard({ by, vram, page }: TappedAccess): void {
    const claim = this.#book(vram).get(page);
    const leaving = claim?.leaving ?? null;
    if (by === null || by === this.#card) {
      if (leaving !== null) leaving.copyBegan ??= this.#clock.step;
      return;
    }
    this.accesses += 1;
    if (claim === undefined || !claim.shared) this.stray += 1;
    else if (leaving !== null) this.#toOldPlace(leaving);
    else if (this.#isEarly(claim.object)) this.early += 1;
  }

  #toOldPlace(move: SeenMove): void {
    move.lastAccess = this.#clock.step;
    if (move.copyBegan !== null) move.late += 1;
  }

  #isEarly(object: string): boolean {
    const one = this.#followed.find(({ bo }) => bo.spec.name === object);
    return one !== undefined && one.moves.length > 0 && !settled(one.bo);
  }

  #left(one: Followed): void {
    const { bo, place, shared } = one;
    const object = bo.spec.name;
    const started = this.#begun.get(bo) ?? this.#clock.step;
    this.#begun.delete(bo);
    const { kind: from } = place;
    const seen = { started, lastAccess: null, copyBegan: null, ended: null, late: 0 };
    const move: SeenMove = { object, from, to: bo.resource.kind, ...seen };
    this.#claim(place, { object, shared, leaving: move });
    this.#claim(bo.resource, { object, shared, leaving: null });
    one.place = bo.resource;
    one.moves.push(move);
    this.moves.push(move);
  }

  /** The copy out of every old place has ended: they are free. */
  #arrived(one: Followed): void {
    for (const move of one.moves) move.ended ??= this.#clock.step;
    for (const book of [this.#vram, this.#system]) {
      for (const [page, { leaving }] of book) {
        if (leaving !== null && one.moves.includes(leaving)) book.delete(page);
      }
    }
    one.moves = [];
  }

  #claim(resource: GpuResource, claim: Claim): void {
    for (const { vram, page } of pagesOf(resource)) this.#book(vram).set(page, claim);
  }

  #book(vram: boolean): Map<number, Claim> {
    return vram ? this.#vram : this.#system;
  }
}

/** No copy of the object is under way. */
const settled = ({ resv }: GpuBo): boolean => dmaResvTestSignaled(resv, DmaResvUsage.KERNEL);
