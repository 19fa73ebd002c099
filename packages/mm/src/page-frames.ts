// PageFrames: what the kernel knows about each 4 KiB frame through its struct page, and how often that was asked.
// Source followed: include/linux/mmzone.h, include/linux/memremap.h (struct dev_pagemap, zone device pages).
// Roadmap step 2 is about doing without struct page, so every look at one is counted.
// Simplified: a frame outside every zone-device range is ordinary RAM; no flags, no reference counts.

import { InternalError } from '@sgfree/hw-model';

/**
 * What a zone-device range of frames is made of.
 * @public
 */
export type ZoneDeviceKind = 'pci-p2pdma' | 'generic';

/**
 * A range of frames that a driver registered with `memremap_pages` (`struct dev_pagemap`).
 * @public
 */
export interface DevPagemap {
  /** Identity of the pagemap within its {@link PageFrames}, 1 and up; ordinary RAM answers 0. */
  readonly id: number;
  readonly kind: ZoneDeviceKind;
  readonly firstFrame: number;
  readonly frameCount: number;
}

/**
 * Frame facts of one machine and the count of `struct page` looked at.
 * @public
 */
export class PageFrames {
  /** Times that software needed a `struct page` to get its answer. */
  touched = 0;
  readonly #ranges: DevPagemap[] = [];
  #nextId = 1;
  #lowest = Number.POSITIVE_INFINITY;
  #highest = -1;

  /** Gives `frameCount` frames from `firstFrame` up a pagemap; the range must overlap no other. */
  addZoneDevice(kind: ZoneDeviceKind, firstFrame: number, frameCount: number): DevPagemap {
    for (const range of this.#ranges) {
      if (firstFrame < range.firstFrame + range.frameCount && range.firstFrame < firstFrame + frameCount) {
        throw new InternalError(`frames ${firstFrame}+${frameCount} already have a pagemap`);
      }
    }
    const pagemap: DevPagemap = { id: this.#nextId, kind, firstFrame, frameCount };
    this.#nextId += 1;
    this.#ranges.push(pagemap);
    this.#measure();
    return pagemap;
  }

  /** Withdraws a pagemap; its frames are ordinary again. */
  removeZoneDevice(pagemap: DevPagemap): void {
    const at = this.#ranges.indexOf(pagemap);
    if (at < 0) throw new InternalError(`pagemap ${pagemap.id} is not registered`);
    this.#ranges.splice(at, 1);
    this.#measure();
  }

  /** The pagemap a frame belongs to, or undefined for ordinary RAM. Counts nothing. */
  pagemapOf(frame: number): DevPagemap | undefined {
    if (frame < this.#lowest || frame > this.#highest) return undefined;
    for (const range of this.#ranges) {
      if (frame >= range.firstFrame && frame - range.firstFrame < range.frameCount) return range;
    }
    return undefined;
  }

  /** True when both frames are ordinary, or zone-device frames of one pagemap. Counts nothing. */
  samePagemap(frame: number, other: number): boolean {
    if (this.#highest < 0) return true;
    return this.pagemapOf(frame) === this.pagemapOf(other);
  }

  #measure(): void {
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#highest = -1;
    for (const range of this.#ranges) {
      this.#lowest = Math.min(this.#lowest, range.firstFrame);
      this.#highest = Math.max(this.#highest, range.firstFrame + range.frameCount - 1);
    }
  }
}
