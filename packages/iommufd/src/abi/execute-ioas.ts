// The calls on address spaces, from and to bytes.
// Source followed: drivers/iommu/iommufd/ioas.c, main.c and vfio_compat.c as far as structures and user pointers go.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { allowIovasFrom, iommufdIoasAllocIoctl, iommufdIoasIovaRanges } from '../calls/ioas-calls.ts';
import { iommufdOption } from '../calls/option-call.ts';
import { IommuVfioIoasOp, iommufdVfioIoas } from '../calls/vfio-ioas-call.ts';
import { iommufdDestroy } from '../objects/object-life.ts';
import { bigintOfU64, type U64Range, u64, u64OfBigint } from '../u64/u64.ts';
import type { IommufdUcmd } from './iommufd-ucmd.ts';
import type { UserMemory } from './user-memory.ts';

/** Bytes of struct iommu_iova_range. */
const RANGE_BYTES = 16;

/** @internal */
export function* executeDestroy({ ctx, cmd }: IommufdUcmd): ModelTask<number> {
  return yield* iommufdDestroy(ctx, cmd.get('id'));
}

/** @internal */
export function* executeIoasAlloc(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const made = yield* iommufdIoasAllocIoctl(ctx, cmd.get('flags'), function* answer(id) {
    cmd.set('out_ioas_id', id);
    return yield* ucmd.respond();
  });
  return made.ok ? 0 : -made.errno;
}

function bytesOfRange({ first, last }: U64Range): Uint8Array {
  const bytes = new Uint8Array(RANGE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, bigintOfU64(first), true);
  view.setBigUint64(8, bigintOfU64(last), true);
  return bytes;
}

/** As many ranges as fit are written even when not all do; their number is told in any case, but for a fault. @internal */
export function* executeIovaRanges(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const offer = yield* iommufdIoasIovaRanges(ctx, cmd.get('ioas_id'));
  if (!offer.ok) return -offer.errno;
  const { ranges, alignment } = offer.value;
  const room = cmd.get('num_iovas');
  const user = ucmd.pointer('allowed_iovas');
  for (const [index, range] of ranges.slice(0, room).entries()) {
    const error = yield* user.write(index * RANGE_BYTES, bytesOfRange(range));
    if (error !== 0) return -Errno.EFAULT;
  }
  cmd.set('num_iovas', ranges.length);
  cmd.setWide('out_iova_alignment', u64(alignment));
  const error = yield* ucmd.respond();
  return error === 0 && ranges.length > room ? -Errno.EMSGSIZE : error;
}

function* readRange(user: UserMemory, index: number): ModelTask<Outcome<U64Range>> {
  const bytes = new Uint8Array(RANGE_BYTES);
  const error = yield* user.read(index * RANGE_BYTES, bytes);
  if (error !== 0) return failure(Errno.EFAULT);
  const view = new DataView(bytes.buffer);
  return success({
    first: u64OfBigint(view.getBigUint64(0, true)),
    last: u64OfBigint(view.getBigUint64(8, true)),
  });
}

/** @internal */
export function* executeAllowIovas(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const user = ucmd.pointer('allowed_iovas');
  const count = cmd.get('num_iovas');
  let index = 0;
  return yield* allowIovasFrom(ctx, cmd.get('ioas_id'), function* next() {
    if (index === count) return null;
    index += 1;
    return yield* readRange(user, index - 1);
  });
}

/** @internal */
export function* executeOption(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const value = yield* iommufdOption(ctx, {
    optionId: cmd.get('option_id'),
    op: cmd.get('op'),
    objectId: cmd.get('object_id'),
    value: cmd.wide('val64'),
  });
  if (!value.ok) return -value.errno;
  cmd.setWide('val64', value.value);
  return yield* ucmd.respondField('val64');
}

/** Only reading tells anything. @internal */
export function* executeVfioIoas(ucmd: IommufdUcmd): ModelTask<number> {
  const { ctx, cmd } = ucmd;
  const op = cmd.get('op');
  const id = iommufdVfioIoas(ctx, op, cmd.get('ioas_id'));
  if (!id.ok) return -id.errno;
  if (op !== IommuVfioIoasOp.GET) return 0;
  cmd.set('ioas_id', id.value);
  return yield* ucmd.respond();
}
