// Errno: the error numbers that kernel calls of this house return, as Linux numbers them.
// Source followed: include/uapi/asm-generic/errno-base.h and errno.h.
// include/linux/errno.h for the one above 511, which a system call turns into a restart or EINTR.
// Simplified: only the values some modelled call can return.

/**
 * Linux error numbers (positive). Calls return them negated, as in the kernel.
 * @public
 */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  ENOSPC: 28,
  ERANGE: 34,
  EDEADLK: 35,
  EOVERFLOW: 75,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  ETIMEDOUT: 110,
  EREMOTEIO: 121,
  ERESTARTSYS: 512,
} as const;

/**
 * The name of an error number.
 * @public
 */
export type ErrnoName = keyof typeof Errno;

/**
 * A positive Linux error number.
 * @public
 */
export type Errno = (typeof Errno)[ErrnoName];

/**
 * The symbolic name of `errno` (either sign), or its number when the model does not know it.
 * @public
 */
export function errnoName(errno: number): string {
  const value = Math.abs(errno);
  for (const [name, number] of Object.entries(Errno)) if (number === value) return name;
  return String(value);
}
