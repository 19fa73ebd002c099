// The calls that map and unmap, from and to bytes.
// Source followed: drivers/iommu/iommufd/ioas.c as far as structures go. An answer that cannot be written leaves the
// mapping, or its absence, as it is.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, type Outcome } from '@sgfree/mm';
import { iommufdIoasCopy, iommufdIoasMap, iommufdIoasMapFile, iommufdIoasUnmap } from '../calls/map-calls.ts';
import { iommufdGetIoas } from '../objects/lookup.ts';
import { iommufdPutObject } from '../objects/object-life.ts';
import type { U64 } from '../u64/u64.ts';
import type { IommufdUcmd } from './iommufd-ucmd.ts';

function* answerWide(ucmd: IommufdUcmd, field: string, value: Outcome<U64>): ModelTask<number> {
  if (!value.ok) return -value.errno;
  ucmd.cmd.setWide(field, value.value);
  return yield* ucmd.respond();
}

/** @internal */
export function* executeMap(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const iova = yield* iommufdIoasMap(ctx, {
    flags: cmd.get('flags'),
    ioasId: cmd.get('ioas_id'),
    userVa: cmd.wide('user_va'),
    length: cmd.wide('length'),
    iova: cmd.wide('iova'),
  });
  return yield* answerWide(ucmd, 'iova', iova);
}

/** @internal */
export function* executeMapFile(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const iova = yield* iommufdIoasMapFile(ctx, {
    flags: cmd.get('flags'),
    ioasId: cmd.get('ioas_id'),
    fd: cmd.get('fd'),
    start: cmd.wide('start'),
    length: cmd.wide('length'),
    iova: cmd.wide('iova'),
  });
  return yield* answerWide(ucmd, 'iova', iova);
}

/** @internal */
export function* executeCopy(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const iova = yield* iommufdIoasCopy(ctx, {
    flags: cmd.get('flags'),
    dstIoasId: cmd.get('dst_ioas_id'),
    srcIoasId: cmd.get('src_ioas_id'),
    length: cmd.wide('length'),
    dstIova: cmd.wide('dst_iova'),
    srcIova: cmd.wide('src_iova'),
  });
  return yield* answerWide(ucmd, 'dst_iova', iova);
}

/** @internal */
export function* executeUnmap(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const bytes = yield* iommufdIoasUnmap(ctx, cmd.get('ioas_id'), cmd.wide('iova'), cmd.wide('length'));
  return yield* answerWide(ucmd, 'length', bytes);
}

/** No device without an IOMMU can be bound, so no address space has physical addresses to tell. @internal */
export function* executeNoiommuGetPa({ ctx, cmd }: IommufdUcmd): ModelTask<number> {
  yield* [];
  if (cmd.get('flags') !== 0) return -Errno.EOPNOTSUPP;
  const ioas = iommufdGetIoas(ctx, cmd.get('ioas_id'));
  if (!ioas.ok) return -ioas.errno;
  iommufdPutObject(ioas.value);
  return -Errno.EINVAL;
}
