// IommufdContext: one open of /dev/iommu: the objects, the account mode and the address space of the VFIO compatibility.
// Source followed: struct iommufd_ctx and iommufd_fops_open, iommufd_fops_release in drivers/iommu/iommufd/main.c.
// Simplified: one process at a time makes calls; no vIOMMU, no software MSI pages.

import type { ModelFile } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import type { IommufdPlatform } from '../iommufd-platform.ts';
import type { IommufdProcess } from '../iommufd-process.ts';
import type { IommuGroup } from './iommu-group.ts';
import type { IommufdGroup } from './iommufd-group.ts';
import type { IommufdObject } from './iommufd-object.ts';
import { ObjectTable } from './object-table.ts';

/**
 * What a context is opened with.
 * @public
 */
export interface IommufdContextOptions {
  readonly platform: IommufdPlatform;
  /** The process whose calls these are. */
  readonly process: IommufdProcess;
  /** The process may change resource limits (CAP_SYS_RESOURCE); default true. */
  readonly capSysResource?: boolean;
}

/**
 * How pinned pages are charged: to the user, or to the memory of the process.
 * @public
 */
export type IommufdAccountMode = 'user' | 'mm';

/**
 * An open of /dev/iommu.
 * @public
 */
export class IommufdContext implements ModelFile {
  readonly platform: IommufdPlatform;
  /** The process that makes the calls; set it when another one takes the open file over. */
  process: IommufdProcess;
  readonly capSysResource: boolean;
  readonly objects: ObjectTable = new ObjectTable();
  /** Isolation groups that devices of this context belong to. @internal */
  readonly groups: Map<IommuGroup, IommufdGroup> = new Map();
  accountMode: IommufdAccountMode = 'user';
  /** The address space that VFIO's old calls work on. */
  vfioIoas: IommufdObject | null = null;
  refs = 1;

  constructor(options: IommufdContextOptions) {
    this.platform = options.platform;
    this.process = options.process;
    this.capSysResource = options.capSysResource ?? true;
  }

  /** The last reference is gone: destroys what nothing depends on, again and again, until nothing is left. */
  *release(): ModelTask<void> {
    while (this.objects.size > 0) {
      let destroyed = 0;
      for (const obj of this.objects.objects) {
        if (obj.users !== 1) continue;
        obj.users = 0;
        destroyed += 1;
        this.objects.erase(obj.id);
        yield* obj.destroy();
      }
      if (destroyed > 0) continue;
      warnViolation(this.platform.log, 'iommufd-close-leaves-objects', { objects: this.objects.size });
      return;
    }
  }
}

/**
 * Opens /dev/iommu: a context with one reference.
 * @kernel iommufd_fops_open
 * @public
 */
export function iommufdFopsOpen(options: IommufdContextOptions): IommufdContext {
  return new IommufdContext(options);
}
