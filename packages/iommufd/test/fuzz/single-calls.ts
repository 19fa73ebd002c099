// Fuzzing one call after the other against the oracle: the errno is the oracle's, and a refused call changes nothing. The one
// that may is an unmap that cuts an area: what lies before that area is gone, and exactly that.
// Source followed: none.
// Simplified: for tests only.

import { Errno } from '@sgfree/mm';
import { iommufdStruct } from '../../src/index.ts';
import { AbiWorld, NOTHING_LEFT } from '../abi-world.ts';
import { expectedAnswer } from '../oracle/abi-oracle.ts';
import { areasAfterRefusal, areasOf } from './known-areas.ts';
import { bytesOfCall, type FuzzedCall } from './mutate.ts';

const text = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** What of a world a refused call must leave alone. */
function digest(world: AbiWorld): string {
  const objects = world.ctx.objects.objects.map(({ id, type, users, waitCount }) => [
    id,
    type,
    users,
    waitCount,
  ]);
  const { mm, process, frames, dmaBufs } = world;
  return JSON.stringify([
    objects,
    mm.pinnedVm,
    process.user.lockedVm,
    frames.liveFrames,
    dmaBufs.files.count,
    dmaBufs.buffers.size,
    [world.lent, world.takenBack].map(({ dmabuf }) => dmabuf.attachments.length),
  ]);
}

/** Keeps a world for as long as calls are refused. */
export class SingleCalls {
  #world: AbiWorld = new AbiWorld().populate();
  /** How often each errno was the answer. */
  readonly answers: Map<string, number> = new Map();
  /** How often a buffer was imported. */
  imports = 0;

  /** Makes the call; throws when the answer is not the oracle's, or something is left over. */
  try(call: FuzzedCall): void {
    try {
      this.#make(call);
    } catch (error) {
      this.#world = new AbiWorld().populate();
      throw error;
    }
  }

  #make(call: FuzzedCall): void {
    const world = this.#world;
    const { name, bytes } = bytesOfCall(world, call);
    const before = digest(world);
    const given = text(bytes);
    const expected = expectedAnswer(world, name, bytes);
    const got = world.raw(iommufdStruct(name).request, bytes);
    const wanted = expected === null ? 0 : Errno[expected];
    if (got !== wanted) throw new Error(`${name} ${given}: expected ${wanted}, got ${got}`);
    this.answers.set(expected ?? 'success', (this.answers.get(expected ?? 'success') ?? 0) + 1);
    this.imports += world.lent.dmabuf.attachments.length;
    if (got === 0) this.#replace(given);
    else this.#refused(name, bytes, before);
  }

  /** A world that lost an area is replaced as well: the oracle knows a full one only. */
  #refused(name: string, bytes: Uint8Array, before: string): void {
    const world = this.#world;
    const call = `${name} ${text(bytes)}`;
    if (!world.dmaBufs.order.allFree) throw new Error(`${call}: a lock is still held`);
    if (digest(world) !== before) throw new Error(`${call}: refused, but it changed something`);
    const left = JSON.stringify(areasOf(world));
    if (left !== JSON.stringify(areasAfterRefusal(name, bytes))) throw new Error(`${call}: leaves ${left}`);
    if (left !== JSON.stringify(areasAfterRefusal('', bytes))) this.#replace(call);
  }

  #replace(given: string): void {
    this.#world.unmapAll();
    const left = this.#world.close();
    if (JSON.stringify(left) !== JSON.stringify(NOTHING_LEFT)) {
      throw new Error(`${given} leaves ${JSON.stringify(left)}`);
    }
    this.#world = new AbiWorld().populate();
  }
}
