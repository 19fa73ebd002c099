// An object that may lie nowhere but in VRAM: whether importers get it at all.
// Source followed: gpuMappingOps, amdgpu_dma_buf_attach, xe_dma_buf_attach; what each says to a peer without a way to the card.
// Simplified: it is mapped and given back; nothing is moved.

import { destroyBo } from '@sgfree/gpu-driver';
import type { ExchangeScene } from './exchange-scene.ts';
import { exportObject, newObject, SharedObject } from './shared-object.ts';

const BYTES = 16384;
const GOOD = { deaf: false, unfenced: false, hasty: false } as const;

/** 0 or the errno of attaching the disk, of mapping for it, and of registering for the adapter. @internal */
export interface VramOnlyProbe {
  readonly attach: number;
  readonly map: number | null;
  readonly register: number;
}

/** @internal */
export function probeVramOnly<M extends object>(scene: ExchangeScene<M>): VramOnlyProbe {
  const bo = newObject(scene, { name: 'VRAM only', bytes: BYTES, placements: ['vram'] }, true);
  const probe = new SharedObject(scene, 0, bo, exportObject(scene, bo), GOOD);
  const attach = Math.abs(scene.run(probe.joinDisk()));
  const map = attach === 0 ? Math.abs(scene.run(probe.disk.probe())) : null;
  const register = Math.abs(scene.run(probe.joinPeer()));
  scene.run(probe.leave(attach === 0));
  scene.run(destroyBo(bo));
  scene.book.forget(bo);
  return { attach, map, register };
}
