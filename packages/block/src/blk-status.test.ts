// Errno to block status, value for value.
import { Errno } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { errnoToBlkStatus } from './blk-status.ts';

it.each([
  [0, 'ok'],
  [-Errno.ENOMEM, 'resource'],
  [-Errno.EINVAL, 'invalid'],
  [-Errno.EREMOTEIO, 'target'],
  [-Errno.EOPNOTSUPP, 'not-supported'],
  [-Errno.EIO, 'io-error'],
  [-Errno.EADDRINUSE, 'io-error'],
] as const)('%i is %s', (errno, status) => {
  expect(errnoToBlkStatus(errno)).toBe(status);
});
