// The container of VFIO where iommufd stands in for it: the same context behind another name in /dev.
// Source followed: iommufd_fops_open and the device node vfio/vfio in drivers/iommu/iommufd/main.c
// (CONFIG_IOMMUFD_VFIO_CONTAINER).
// Simplified: none.

import {
  type IommufdContext,
  type IommufdContextOptions,
  iommufdFopsOpen,
} from '../objects/iommufd-context.ts';

/**
 * Opens /dev/vfio/vfio: a context like that of /dev/iommu, whose pins count against the memory of the process, as
 * VFIO's do, and not against the user. Every mapping of it counts so, however it is made.
 * @public
 */
export function openVfioContainer(options: IommufdContextOptions): IommufdContext {
  const ctx = iommufdFopsOpen(options);
  ctx.accountMode = 'mm';
  return ctx;
}
