// GuestMappings: what mapping into a guest's address space came to: the areas that iommufd made, whose choice their place was, and the
// memory that it asked the platform for meanwhile.
// Source followed: struct io_pagetable, whose areas are looked at after each ioctl; the platform's hook of allocations.
// Simplified: one mapping at a time; temporary memory of a mapping counts as held as long as its area lives.

import type { ModelTask } from '@sgfree/hw-model';
import type { IoPagetable, IoptArea } from '@sgfree/iommufd/stage-7';
import type { Outcome } from '@sgfree/mm';
import { HeldBytes } from '../held-bytes.ts';

/** @internal */
export class GuestMappings {
  /** Ranges of guest addresses that were handed to devices: areas. */
  rangesOut = 0;
  /** Mappings whose place iommufd chose. */
  placesChosen = 0;
  /** Bytes taken over the run, by what was mapped. */
  readonly takenBy: Record<string, number> = {};
  readonly #memory: HeldBytes<IoptArea> = new HeldBytes();
  readonly #spaces: IoPagetable[] = [];
  readonly #known = new Set<IoptArea>();
  readonly #allocated: () => number;

  /** @param allocated - bytes that the platform was asked for so far */
  constructor(allocated: () => number) {
    this.#allocated = allocated;
  }

  /** A new address space. */
  watch(space: IoPagetable): void {
    this.#spaces.push(space);
  }

  /** Runs an ioctl that maps; `chosen`: it leaves the place to iommufd. One that fails makes no area, and counts for nothing. */
  *counted(what: string, chosen: boolean, ioctl: ModelTask<Outcome<number>>): ModelTask<Outcome<number>> {
    const before = this.#allocated();
    const answer = yield* ioctl;
    const fresh = this.#fresh();
    const bytes = this.#allocated() - before;
    if (fresh.length > 0) this.takenBy[what] = (this.takenBy[what] ?? 0) + bytes;
    if (fresh.length > 0 && chosen) this.placesChosen += 1;
    for (const area of fresh) {
      this.#known.add(area);
      this.#memory.out(area, bytes / fresh.length);
      this.rangesOut += 1;
    }
    return answer;
  }

  /** Areas that live. */
  get live(): number {
    this.#forgetGone();
    return this.#known.size;
  }

  /** Bytes that their mappings took. */
  get memory(): Readonly<Pick<HeldBytes<IoptArea>, 'taken' | 'now' | 'peak'>> {
    this.#forgetGone();
    return this.#memory;
  }

  get #areas(): readonly IoptArea[] {
    return this.#spaces.flatMap(({ areas }) => areas.ranges);
  }

  #fresh(): IoptArea[] {
    this.#forgetGone();
    return this.#areas.filter((area) => !this.#known.has(area));
  }

  #forgetGone(): void {
    const areas = new Set(this.#areas);
    for (const area of this.#known) {
      if (areas.has(area)) continue;
      this.#known.delete(area);
      this.#memory.back(area);
    }
  }
}
