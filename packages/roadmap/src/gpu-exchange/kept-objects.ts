// KeptObjects: objects of the card that nobody shares: memory that no peer may touch, with bytes that must stay as they are.
// Source followed: none; what a stray write destroys.
// Simplified: they lie in VRAM until the card's driver takes all of it back.

import { destroyBo, type GpuBo } from '@sgfree/gpu-driver';
import { type GpuDevice, PAGE_SIZE, type PhysicalMemory } from '@sgfree/hw-model';
import { KeyedData } from '../keyed-data.ts';
import { bytesDiffering } from '../revoke/lent-slots.ts';
import { pagesOf, peekObject } from './object-places.ts';
import { newObject, type ObjectScene } from './shared-object.ts';

const COUNT = 2;
const BYTES: number = 2 ** 17;

/** @internal */
export class KeptObjects {
  /** Bytes that were looked at in the end, and those that had changed. */
  verified = 0;
  wrong = 0;
  readonly #scene: ObjectScene;
  readonly #objects: readonly GpuBo[];
  readonly #bytes: readonly Uint8Array[];

  constructor(scene: ObjectScene) {
    this.#scene = scene;
    const data = new KeyedData(scene.settings.seed, BYTES);
    this.#bytes = Array.from({ length: COUNT }, (_, index) => {
      const bytes = new Uint8Array(BYTES);
      data.fill(index, bytes);
      return bytes;
    });
    this.#objects = this.#bytes.map((bytes, index) => {
      const placements = ['vram', 'tt'] as const;
      const bo = newObject(scene, { name: `kept ${index}`, bytes: BYTES, placements }, false);
      for (const [at, page] of pagesIn(bo, scene.computer.gpu, scene.computer.memory).entries())
        page.set(bytes.subarray(at * PAGE_SIZE, (at + 1) * PAGE_SIZE));
      return bo;
    });
  }

  /** Compares every byte; with `spoil` one is changed before. */
  compare(spoil: boolean): void {
    const { gpu, memory } = this.#scene.computer;
    for (const [index, bo] of this.#objects.entries()) {
      const [first] = pagesIn(bo, gpu, memory);
      if (spoil && first !== undefined) first[0] = (first[0] ?? 0) ^ 1;
      const found = peekObject(bo, gpu, memory);
      this.verified += found.length;
      this.wrong += bytesDiffering(found, this.#bytes[index] ?? new Uint8Array(0));
    }
  }

  destroy(): void {
    for (const bo of this.#objects) {
      this.#scene.run(destroyBo(bo));
      this.#scene.book.forget(bo);
    }
  }
}

/** The bytes of each page, live. */
const pagesIn = ({ resource }: GpuBo, gpu: GpuDevice, memory: PhysicalMemory): Uint8Array[] =>
  pagesOf(resource).map(({ vram, page }) => (vram ? gpu.vram.pageBytes(page) : memory.frameBytes(page)));
