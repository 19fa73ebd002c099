// The byte face of a context: one number, one pointer to a structure, 0 or an errno.
// Source followed: iommufd_fops_ioctl and its table in drivers/iommu/iommufd/main.c.
// A number outside the table may be one of VFIO's type 1 calls. In this order: neither (-ENOTTY), unreadable memory (-EFAULT), a number that is not the table's own
// (-ENOTTY), a structure that is too short (-EINVAL), more than the kernel knows (-E2BIG), then the call itself.
// Simplified: bytes given directly are at no address; where VFIO wants a number they are one that means nothing.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { iommufdIoasChangeProcess } from '../calls/change-process-call.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { u64 } from '../u64/u64.ts';
import { iommufdVfioIoctl } from '../vfio-compat/iommufd-vfio-ioctl.ts';
import { executeGetDirtyBitmap, executeSetDirtyTracking } from './execute-dirty.ts';
import {
  executeFaultAlloc,
  executeGetHwInfo,
  executeHwptAlloc,
  executeHwptInvalidate,
  executeHwQueueAlloc,
  executeVdeviceAlloc,
  executeVeventqAlloc,
  executeViommuAlloc,
} from './execute-hwpt.ts';
import {
  executeAllowIovas,
  executeDestroy,
  executeIoasAlloc,
  executeIovaRanges,
  executeOption,
  executeVfioIoas,
} from './execute-ioas.ts';
import { executeCopy, executeMap, executeMapFile, executeNoiommuGetPa, executeUnmap } from './execute-map.ts';
import { copyStructFromUser, IommufdUcmd } from './iommufd-ucmd.ts';
import { FIRST_REQUEST, IOMMUFD_STRUCTS } from './struct-layouts.ts';
import { ByteMemory, ProcessPointer, type UserMemory } from './user-memory.ts';

type Execute = (ucmd: IommufdUcmd) => ModelTask<number>;

function* executeChangeProcess({ ctx }: IommufdUcmd): ModelTask<number> {
  return yield* iommufdIoasChangeProcess(ctx);
}

/** In the order of {@link IOMMUFD_STRUCTS}. */
const EXECUTE: readonly Execute[] = [
  executeDestroy,
  executeIoasAlloc,
  executeAllowIovas,
  executeCopy,
  executeIovaRanges,
  executeMap,
  executeUnmap,
  executeOption,
  executeVfioIoas,
  executeHwptAlloc,
  executeGetHwInfo,
  executeSetDirtyTracking,
  executeGetDirtyBitmap,
  executeHwptInvalidate,
  executeFaultAlloc,
  executeMapFile,
  executeViommuAlloc,
  executeVdeviceAlloc,
  executeChangeProcess,
  executeVeventqAlloc,
  executeHwQueueAlloc,
  executeNoiommuGetPa,
];

/**
 * What an argument is given as: the bytes of the memory it points to, an address of the calling process, or null. For VFIO's
 * CHECK_EXTENSION and SET_IOMMU it is the number itself.
 * @public
 */
export type IommufdIoctlArgument = Uint8Array | number | null;

/**
 * An ioctl on a context. The structure is read from `argument` and the answer written to it. 0 or a negative errno;
 * of VFIO's CHECK_EXTENSION also 1.
 * @kernel iommufd_fops_ioctl
 * @public
 */
export function* iommufdFopsIoctl(
  ctx: IommufdContext,
  request: number,
  argument: IommufdIoctlArgument,
): ModelTask<number> {
  // Only the low byte of the number chooses the row.
  const row = (request & 0xff) - (FIRST_REQUEST & 0xff);
  const layout = IOMMUFD_STRUCTS[row];
  const execute = EXECUTE[row];
  const user = memoryOf(ctx, argument);
  if (layout === undefined || execute === undefined) {
    return yield* iommufdVfioIoctl(ctx, request, typeof argument === 'number' ? argument : 0, user);
  }
  const sizeBytes = new Uint8Array(4);
  const unreadable = yield* user.read(0, sizeBytes);
  if (unreadable !== 0) return -Errno.EFAULT;
  if (layout.request !== request) return -Errno.ENOTTY;
  const size = new DataView(sizeBytes.buffer).getUint32(0, true);
  if (size < layout.minBytes) return -Errno.EINVAL;
  const cmd = yield* copyStructFromUser(layout, user, size);
  if (!cmd.ok) return -cmd.errno;
  const ucmd = new IommufdUcmd(ctx, cmd.value, user, size);
  // An invalidation answers even when it refuses, so it looks at its reserved field itself.
  if (execute !== executeHwptInvalidate && !cmd.value.reservedClear) return -Errno.EOPNOTSUPP;
  return yield* execute(ucmd);
}

function memoryOf(ctx: IommufdContext, argument: IommufdIoctlArgument): UserMemory {
  if (typeof argument !== 'number') return new ByteMemory(argument);
  return new ProcessPointer(ctx.process.mm, u64(argument));
}
