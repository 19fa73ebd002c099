// A buffer object that is shared in one of the three ways, with an importer of the kind that goes with it.
// Simplified: one importer.

import type { DmaBuf } from '@sgfree/dma-buf';
import type { Device } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import { type Outcome, success } from '@sgfree/mm';
import { amdgpuDmaBufOps } from '../src/legacy/amdgpu-exporter.ts';
import { xeDmaBufOps } from '../src/legacy/xe-exporter.ts';
import { exportBoMappings } from '../src/mapping/export-mappings.ts';
import { exportBo } from '../src/objects/export-bo.ts';
import type { GpuBo } from '../src/objects/gpu-bo.ts';
import type { GpuMachine } from './gpu-machine.ts';
import type { ImporterManners } from './peer-importer.ts';
import { RangeImporter } from './range-importer.ts';
import { TableImporter } from './table-importer.ts';

/** The ways. */
export type SharingWay = 'amdgpu' | 'xe' | 'mapping types';

/** An importer of whatever kind. */
export interface AnyImporter {
  readonly state: string;
  readonly told: number;
  join(): ModelTask<number>;
  access(bytes: Uint8Array, way: 'read' | 'write'): ModelTask<number>;
  leave(): ModelTask<void>;
}

/** A buffer and its importer. */
export interface SharedObject {
  readonly dmabuf: DmaBuf<never>;
  readonly importer: AnyImporter;
}

/** Exports `bo` and makes an importer on `dev`, which has not joined yet. */
export function shareObject(
  machine: GpuMachine,
  bo: GpuBo,
  way: SharingWay,
  dev: Device,
  manners: ImporterManners = {},
): Outcome<SharedObject> {
  if (way === 'mapping types') {
    const dmabuf = exportBoMappings(bo);
    if (!dmabuf.ok) return dmabuf;
    const importer = new RangeImporter(machine, dev, manners);
    return success({
      dmabuf: dmabuf.value as DmaBuf<never>,
      importer: joined(importer, () => importer.join(dmabuf.value as never)),
    });
  }
  const ops = way === 'xe' ? xeDmaBufOps(bo) : amdgpuDmaBufOps(bo);
  const dmabuf = exportBo(bo, ops);
  if (!dmabuf.ok) return dmabuf;
  const importer = new TableImporter(machine, dev, manners);
  return success({
    dmabuf: dmabuf.value as DmaBuf<never>,
    importer: joined(importer, () => importer.join(dmabuf.value)),
  });
}

function joined(importer: RangeImporter | TableImporter, join: () => ModelTask<number>): AnyImporter {
  return {
    join,
    access: (bytes, way) => importer.access(bytes, way),
    leave: () => importer.leave(),
    get state() {
      return importer.state;
    },
    get told() {
      return importer.told;
    },
  };
}
