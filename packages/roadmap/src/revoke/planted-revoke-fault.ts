// PlantedRevokeFault: faults that are put into a run on purpose, so that each check of the verdict is seen to fail.
// Source followed: none; the mistakes that the checks are there for.
// Simplified: faults of registrations are planted where regions are made; here are those of the run itself.

import type { DmaAddr, ModelTask } from '@sgfree/hw-model';
import { ibUmemStartDmaAddr } from '@sgfree/rdma/stage-6';
import type { RevokeCast } from './revoke-cast.ts';
import type { RevokePlant } from './revoke-input.ts';
import type { RevokeWatch } from './revoke-watch.ts';

/** @internal */
export class PlantedRevokeFault {
  readonly #plant: RevokePlant | undefined;
  readonly #cast: RevokeCast;
  readonly #watch: RevokeWatch;

  constructor(plant: RevokePlant | undefined, cast: RevokeCast, watch: RevokeWatch) {
    this.#plant = plant;
    this.#cast = cast;
    this.#watch = watch;
  }

  /** Regions are not deregistered at the end. */
  get leaks(): boolean {
    return this.#plant === 'mapping-leaked';
  }

  /** Called when the traffic starts. */
  start(): void {
    const umem = this.#cast.roles[0]?.importer.region?.umem;
    if (this.#plant !== 'late-write' || umem === undefined) return;
    this.#cast.scene.scheduler.spawn('late write', this.#writeLate(ibUmemStartDmaAddr(umem)));
  }

  /** Called when everything has been moved: one byte of the memory is changed behind everybody's back. */
  spoil(): void {
    if (this.#plant !== 'wrong-byte') return;
    const { memory } = this.#cast;
    memory.poke(
      0,
      memory.peek(0, 1).map((byte) => byte + 1),
    );
  }

  /** The adapter uses an address that it was told to forget. */
  *#writeLate(address: DmaAddr): ModelTask<void> {
    yield { at: 'fault:late-write', until: () => this.#watch.waitReturned !== null };
    yield* this.#cast.scene.computer.nic.dma.write(address, Uint8Array.of(1, 2, 3, 4));
  }
}
