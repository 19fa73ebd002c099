// GuestCalls: what the monitor of a guest asks of iommufd, by bytes as it would: one structure, one ioctl.
// Source followed: IOMMU_IOAS_ALLOC, _MAP, _MAP_FILE, _UNMAP and IOMMU_DESTROY of include/uapi/linux/iommufd.h.
// Simplified: IOVAs stay below 2^52, so that plain numbers hold them on this side.

import type { ModelTask } from '@sgfree/hw-model';
import {
  decodeIommufdStruct,
  encodeIommufdStruct,
  type IommufdContext,
  type IommufdFieldValues,
  IommuIoasMapFlag,
  iommufdFopsIoctl,
  iommufdStruct,
} from '@sgfree/iommufd/stage-7';
import { type Errno, failure, type Outcome, success } from '@sgfree/mm';

const { WRITEABLE, READABLE, FIXED_IOVA } = IommuIoasMapFlag;
const READ_WRITE: number = WRITEABLE + READABLE;

/** The calls on one context. @internal */
export class GuestCalls {
  readonly #ctx: IommufdContext;

  constructor(ctx: IommufdContext) {
    this.#ctx = ctx;
  }

  /** A new address space; its number. */
  *allocIoas(): ModelTask<Outcome<number>> {
    return yield* this.#call('iommu_ioas_alloc', {}, 'out_ioas_id');
  }

  /** Shows `length` bytes of the process from `userVa` on at `iova`; the IOVA. */
  *mapRam(ioas: number, userVa: number, length: number, iova: number): ModelTask<Outcome<number>> {
    const place = { user_va: BigInt(userVa), length: BigInt(length), iova: BigInt(iova) };
    return yield* this.#call(
      'iommu_ioas_map',
      { ioas_id: ioas, flags: READ_WRITE + FIXED_IOVA, ...place },
      'iova',
    );
  }

  /** Shows the first `length` bytes of the file or buffer behind `fd` where room is; the IOVA. */
  *mapFile(ioas: number, fd: number, length: number): ModelTask<Outcome<number>> {
    const request = { ioas_id: ioas, flags: READ_WRITE, fd, length: BigInt(length) };
    return yield* this.#call('iommu_ioas_map_file', request, 'iova');
  }

  /** Takes `length` bytes from `iova` on away; how many were taken. */
  *unmap(ioas: number, iova: number, length: number): ModelTask<Outcome<number>> {
    const request = { ioas_id: ioas, iova: BigInt(iova), length: BigInt(length) };
    return yield* this.#call('iommu_ioas_unmap', request, 'length');
  }

  /** 0 or a negative errno. */
  *destroy(id: number): ModelTask<number> {
    const done = yield* this.#call('iommu_destroy', { id }, 'id');
    return done.ok ? 0 : -done.errno;
  }

  /** An ioctl, and field `answer` of the structure that comes back. */
  *#call(name: string, fields: IommufdFieldValues, answer: string): ModelTask<Outcome<number>> {
    const bytes = encodeIommufdStruct(name, fields);
    const errno = yield* iommufdFopsIoctl(this.#ctx, iommufdStruct(name).request, bytes);
    if (errno !== 0) return failure(-errno as Errno);
    return success(Number(decodeIommufdStruct(name, bytes)[answer]));
  }
}
