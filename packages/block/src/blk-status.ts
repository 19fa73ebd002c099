// BlkStatus: how the block layer says that a request failed.
// Source followed: include/linux/blk_types.h (blk_status_t), block/blk-core.c (errno_to_blk_status).
// Simplified: the values that mapping a request can produce.

import { Errno } from '@sgfree/mm';

/**
 * Outcome of a request (`blk_status_t`).
 * @public
 */
export type BlkStatus = 'ok' | 'resource' | 'invalid' | 'target' | 'not-supported' | 'io-error';

/**
 * The status of a request whose mapping failed with `errno` (0 or negative).
 * @public
 * @kernel errno_to_blk_status
 */
export function errnoToBlkStatus(errno: number): BlkStatus {
  switch (-errno) {
    case 0:
      return 'ok';
    case Errno.ENOMEM:
      return 'resource';
    case Errno.EINVAL:
      return 'invalid';
    case Errno.EREMOTEIO:
      return 'target';
    case Errno.EOPNOTSUPP:
      return 'not-supported';
    default:
      return 'io-error';
  }
}
