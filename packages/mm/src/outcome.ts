// Outcome: what a kernel call that can fail hands back when neither a plain number nor a boolean says it all.
// Source followed: the kernel's ERR_PTR convention, made a type.
// Simplified: no nesting, no chaining; callers branch on `ok`.

import type { Errno } from './errno.ts';

/**
 * Success with a value, or a positive errno.
 * @public
 */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errno: Errno };

/**
 * A successful outcome.
 * @public
 */
export const success = <T>(value: T): Outcome<T> => ({ ok: true, value });

/**
 * A failed outcome with the kernel's errno.
 * @public
 */
export const failure = (errno: Errno): { readonly ok: false; readonly errno: Errno } => ({
  ok: false,
  errno,
});
