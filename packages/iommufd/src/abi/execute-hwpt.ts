// The calls on devices and page tables, from and to bytes.
// Source followed: drivers/iommu/iommufd/hw_pagetable.c, device.c, eventq.c and viommu.c as far as structures go.
// Simplified: no IOMMU of the model offers a vIOMMU to guests, and none takes invalidations of nested tables.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { iommufdGetHwInfo } from '../calls/hw-info-call.ts';
import { iommufdHwptAlloc } from '../calls/hwpt-alloc-call.ts';
import { iommufdFaultAlloc } from '../objects/fault-queue.ts';
import { iommufdGetDevice } from '../objects/lookup.ts';
import { iommufdGetObject, iommufdPutObject } from '../objects/object-life.ts';
import { u64, u64IsZero } from '../u64/u64.ts';
import type { IommufdUcmd } from './iommufd-ucmd.ts';

/** @internal */
export function* executeHwptAlloc(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const user = ucmd.pointer('data_uptr');
  const made = yield* iommufdHwptAlloc(
    ctx,
    {
      flags: cmd.get('flags'),
      devId: cmd.get('dev_id'),
      ptId: cmd.get('pt_id'),
      data: {
        type: cmd.get('data_type'),
        length: cmd.get('data_len'),
        read: (bytes) => user.read(0, bytes),
      },
      faultId: cmd.get('fault_id'),
    },
    function* answer(id) {
      cmd.set('out_hwpt_id', id);
      return yield* ucmd.respond();
    },
  );
  return made.ok ? 0 : -made.errno;
}

/** @internal */
export function* executeGetHwInfo(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const info = iommufdGetHwInfo(ctx, cmd.get('flags'), cmd.get('dev_id'), cmd.get('data_type'));
  if (!info.ok) return -info.errno;
  const { data, dataType, maxPasidLog2, capabilities } = info.value;
  const error = yield* writeInfo(ucmd, data, cmd.get('data_len'));
  if (error !== 0) return error;
  cmd.set('data_len', data.length);
  cmd.set('data_type', dataType);
  cmd.set('out_max_pasid_log2', maxPasidLog2);
  cmd.setWide('out_capabilities', u64(capabilities));
  return yield* ucmd.respond();
}

/** As much data as there is room for, and zeros in what is left of it, a page at a time. */
function* writeInfo(ucmd: IommufdUcmd, data: Uint8Array, room: number): ModelTask<number> {
  const user = ucmd.pointer('data_uptr');
  const copied = Math.min(room, data.length);
  let error = yield* user.write(0, data.subarray(0, copied));
  for (let at = copied; at < room && error === 0; at += PAGE_SIZE) {
    error = yield* user.write(at, new Uint8Array(Math.min(PAGE_SIZE, room - at)));
  }
  return error === 0 ? 0 : -Errno.EFAULT;
}

/** Whatever happens, the number of invalidations that were carried out is told. @internal */
export function* executeHwptInvalidate(ucmd: IommufdUcmd): ModelTask<number> {
  const error = refuseInvalidate(ucmd);
  ucmd.cmd.set('entry_num', 0);
  const unanswered = yield* ucmd.respond();
  return unanswered === 0 ? error : -Errno.EFAULT;
}

function refuseInvalidate({ ctx, cmd }: IommufdUcmd): number {
  if (!cmd.reservedClear) return -Errno.EOPNOTSUPP;
  const asked = cmd.get('entry_num') !== 0;
  if (asked && (u64IsZero(cmd.wide('data_uptr')) || cmd.get('entry_len') === 0)) return -Errno.EINVAL;
  const pt = iommufdGetObject(ctx, cmd.get('hwpt_id'), 'any');
  if (!pt.ok) return -pt.errno;
  iommufdPutObject(pt.value);
  return pt.value.type === 'hwpt-nested' ? -Errno.EOPNOTSUPP : -Errno.EINVAL;
}

/** @internal */
export function* executeFaultAlloc(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  if (cmd.get('flags') !== 0) return -Errno.EOPNOTSUPP;
  const made = yield* iommufdFaultAlloc(ctx, function* answer(id, fd) {
    cmd.set('out_fault_id', id);
    cmd.set('out_fault_fd', fd);
    return yield* ucmd.respond();
  });
  return made.ok ? 0 : -made.errno;
}

/** @internal */
export function* executeViommuAlloc({ ctx, cmd }: IommufdUcmd): ModelTask<number> {
  yield* [];
  if (cmd.get('flags') !== 0 || cmd.get('type') === 0) return -Errno.EOPNOTSUPP;
  const idev = iommufdGetDevice(ctx, cmd.get('dev_id'));
  if (!idev.ok) return -idev.errno;
  iommufdPutObject(idev.value);
  return -Errno.EOPNOTSUPP;
}

/** There is no vIOMMU to be found. @internal */
export function* executeVdeviceAlloc(): ModelTask<number> {
  yield* [];
  return -Errno.ENOENT;
}

/** @internal */
export function* executeVeventqAlloc({ cmd }: IommufdUcmd): ModelTask<number> {
  yield* [];
  if (cmd.get('flags') !== 0 || cmd.get('type') === 0) return -Errno.EOPNOTSUPP;
  return cmd.get('veventq_depth') === 0 ? -Errno.EINVAL : -Errno.ENOENT;
}

/** @internal */
export function* executeHwQueueAlloc({ cmd }: IommufdUcmd): ModelTask<number> {
  yield* [];
  return cmd.get('flags') !== 0 || cmd.get('type') === 0 ? -Errno.EOPNOTSUPP : -Errno.ENOENT;
}
