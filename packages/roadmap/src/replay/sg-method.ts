// SgMethod: any number of ranges through a scatterlist and dma_map_sg.
// Source followed: kernel/dma/mapping.c; lib/scatterlist.c for what a list costs.
// Simplified: the list is one array, whatever its length; lists are used again, as a driver's pool does.

import { dmaMapSgAttrs, dmaUnmapSgAttrs, Scatterlist } from '@sgfree/dma-sg';
import type { PageFrames } from '@sgfree/mm';
import { type MappingMethod, SCATTERLIST } from './mapping-method.ts';
import type { ReplayMapping } from './replay-mapping.ts';
import type { RunDevice } from './run-device.ts';
import { fillScatterlist } from './scatterlist-fill.ts';

/** Maps with dma_map_sg. */
export class SgMethod implements MappingMethod {
  readonly failure = 'map-sg-failed';
  readonly structure: number = SCATTERLIST;
  entries = 0;
  rangesOut = 0;
  readonly #frames: PageFrames;
  /** By slot. */
  readonly #lists: (Scatterlist | undefined)[] = [];
  readonly #segments: number[] = [];
  readonly #spare: Scatterlist[] = [];

  /** `frames` counts each `struct page` that is looked at. */
  constructor(frames: PageFrames) {
    this.#frames = frames;
  }

  map({ dev }: RunDevice, mapping: ReplayMapping): number {
    const { slot, direction, attrs } = mapping;
    const list = this.#spare.pop() ?? new Scatterlist(this.#frames);
    fillScatterlist(list, mapping);
    this.entries = list.entryCount;
    this.rangesOut = dmaMapSgAttrs(dev, list, list.entryCount, direction, attrs);
    if (this.rangesOut === 0) {
      this.#spare.push(list);
      return -1;
    }
    this.#lists[slot] = list;
    this.#segments[slot] = this.rangesOut;
    return list.dmaAddress[0] as number;
  }

  unmap({ dev }: RunDevice, { slot, direction, attrs }: ReplayMapping): void {
    const list = this.#lists[slot] as Scatterlist;
    dmaUnmapSgAttrs(dev, list, list.entryCount, direction, attrs);
    this.#lists[slot] = undefined;
    this.#spare.push(list);
  }

  lastByte({ slot }: ReplayMapping): number {
    const list = this.#lists[slot] as Scatterlist;
    const last = (this.#segments[slot] as number) - 1;
    return (list.dmaAddress[last] as number) + (list.dmaLength[last] as number) - 1;
  }
}
