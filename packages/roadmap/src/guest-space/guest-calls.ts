// GuestCalls: what the monitor of a guest asks of iommufd, by bytes as it would: one structure, one ioctl.
// Source followed: IOMMU_IOAS_ALLOC, _MAP, _MAP_FILE, _UNMAP and IOMMU_DESTROY of include/uapi/linux/iommufd.h.
// Simplified: IOVAs stay below 2^52, so that plain numbers hold them on this side.

import type { ModelTask } from '@sgfree/hw-model';
import {
  decodeIommufdStruct,
  encodeIommufdStruct,
  type IommufdContext,
  type IommufdFieldValues,
  type IommufdIoas,
  IommuIoasMapFlag,
  iommufdFopsIoctl,
  iommufdStruct,
} from '@sgfree/iommufd/stage-7';
import { type Errno, failure, type Outcome, success } from '@sgfree/mm';
import { GuestMappings } from './guest-mappings.ts';

const { WRITEABLE, READABLE, FIXED_IOVA } = IommuIoasMapFlag;
const READ_WRITE: number = WRITEABLE + READABLE;

/** The calls on one context. @internal */
export class GuestCalls {
  /** What mapping came to. */
  readonly mappings: GuestMappings;
  readonly #ctx: IommufdContext;

  /** @param allocated - bytes that the platform was asked for so far */
  constructor(ctx: IommufdContext, allocated: () => number) {
    this.#ctx = ctx;
    this.mappings = new GuestMappings(allocated);
  }

  /** A new address space; its number. */
  *allocIoas(): ModelTask<Outcome<number>> {
    const made = yield* this.#call('iommu_ioas_alloc', {}, 'out_ioas_id');
    if (made.ok) this.mappings.watch((this.#ctx.objects.at(made.value) as IommufdIoas).iopt);
    return made;
  }

  /** Shows `length` bytes of the process from `userVa` on at `iova`; the IOVA. */
  *mapRam(ioas: number, userVa: number, length: number, iova: number): ModelTask<Outcome<number>> {
    const place = { user_va: BigInt(userVa), length: BigInt(length), iova: BigInt(iova) };
    const request = { ioas_id: ioas, flags: READ_WRITE + FIXED_IOVA, ...place };
    return yield* this.#map('mapped RAM', 'iommu_ioas_map', request);
  }

  /** Shows the first `length` bytes of the file or buffer behind `fd` where room is, or at `iova`; the IOVA. */
  *mapFile(ioas: number, fd: number, length: number, iova?: number): ModelTask<Outcome<number>> {
    const place = iova === undefined ? {} : { iova: BigInt(iova) };
    const flags = iova === undefined ? READ_WRITE : READ_WRITE + FIXED_IOVA;
    const request = { ioas_id: ioas, flags, fd, length: BigInt(length), ...place };
    return yield* this.#map('mapped dma-bufs', 'iommu_ioas_map_file', request);
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

  /** An ioctl that maps; the IOVA. */
  *#map(what: string, name: string, request: IommufdFieldValues): ModelTask<Outcome<number>> {
    const chosen = request['iova'] === undefined;
    return yield* this.mappings.counted(what, chosen, this.#call(name, request, 'iova'));
  }

  /** An ioctl, and field `answer` of the structure that comes back. */
  *#call(name: string, fields: IommufdFieldValues, answer: string): ModelTask<Outcome<number>> {
    const bytes = encodeIommufdStruct(name, fields);
    const errno = yield* iommufdFopsIoctl(this.#ctx, iommufdStruct(name).request, bytes);
    if (errno !== 0) return failure(-errno as Errno);
    return success(Number(decodeIommufdStruct(name, bytes)[answer]));
  }
}
