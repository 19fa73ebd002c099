// The options of a context and of an address space: how pins are charged, and whether large pages are used.
// Source followed: iommufd_option and iommufd_option_rlimit_mode in drivers/iommu/iommufd/main.c and ioas.c.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import { ioptDisableLargePages, ioptEnableLargePages } from '../io-pagetable/large-pages.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { iommufdGetIoas } from '../objects/lookup.ts';
import { iommufdPutObject } from '../objects/object-life.ts';
import { type U64, u64, u64IsZero } from '../u64/u64.ts';

/**
 * Options, and what is done with them.
 * @public
 */
export const IommuOption = { RLIMIT_MODE: 0, HUGE_PAGES: 1, OP_SET: 0, OP_GET: 1 } as const;

/**
 * Sets or reads an option.
 * @public
 */
export interface IommufdOptionCall {
  readonly optionId: number;
  readonly op: number;
  /** 0, or the address space whose option it is. */
  readonly objectId: number;
  readonly value: U64;
}

/**
 * Sets or reads an option; its value, of a set the one given. -EOPNOTSUPP (option, operation, a number where none belongs),
 * -EPERM, -EBUSY (there are objects already), -ENOENT, -EINVAL (value), -EADDRINUSE.
 * @kernel iommufd_option
 * @public
 */
export function* iommufdOption(ctx: IommufdContext, call: IommufdOptionCall): ModelTask<Outcome<U64>> {
  if (call.optionId === IommuOption.RLIMIT_MODE) return rlimitMode(ctx, call);
  if (call.optionId !== IommuOption.HUGE_PAGES) return failure(Errno.EOPNOTSUPP);
  const ioas = iommufdGetIoas(ctx, call.objectId);
  if (!ioas.ok) return ioas;
  const value = yield* hugePages(ioas.value.iopt, call);
  iommufdPutObject(ioas.value);
  return value;
}

/** 0 or 1; -1 for another value. */
const bit = ({ page, byte }: U64): number => (page === 0 && byte <= 1 ? byte : -1);

function rlimitMode(ctx: IommufdContext, { op, objectId, value }: IommufdOptionCall): Outcome<U64> {
  if (objectId !== 0) return failure(Errno.EOPNOTSUPP);
  if (op === IommuOption.OP_GET) return success(u64(ctx.accountMode === 'mm' ? 1 : 0));
  if (op !== IommuOption.OP_SET) return failure(Errno.EOPNOTSUPP);
  if (!ctx.capSysResource) return failure(Errno.EPERM);
  if (ctx.objects.size > 0) return failure(Errno.EBUSY);
  if (bit(value) < 0) return failure(Errno.EINVAL);
  ctx.accountMode = u64IsZero(value) ? 'user' : 'mm';
  return success(value);
}

function* hugePages(iopt: IoPagetable, { op, value }: IommufdOptionCall): ModelTask<Outcome<U64>> {
  if (op === IommuOption.OP_GET) return success(u64(iopt.disableLargePages ? 0 : 1));
  if (op !== IommuOption.OP_SET) return failure(Errno.EOPNOTSUPP);
  if (bit(value) < 0) return failure(Errno.EINVAL);
  const error = yield* u64IsZero(value) ? ioptDisableLargePages(iopt) : ioptEnableLargePages(iopt);
  return error === 0 ? success(value) : failure(-error as Errno);
}
