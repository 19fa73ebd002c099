// Truth: what is known of a yes-or-no question when a machine is known in part only, as from a dump.
// Source followed: strong three-valued logic (Kleene); "unknown" means that both answers are possible.
// A live machine never answers "unknown", so the same rules serve both.
// Simplified: unknowns are independent of one another.

/**
 * Yes, no, or not to be told from what is known.
 * @public
 */
export type Truth = boolean | 'unknown';

/** True when both are. @internal */
export function bothOf(left: Truth, right: Truth): Truth {
  if (left === false || right === false) return false;
  return left === true && right === true ? true : 'unknown';
}

/** True when one of them is. @internal */
export function eitherOf(left: Truth, right: Truth): Truth {
  if (left === true || right === true) return true;
  return left === false && right === false ? false : 'unknown';
}

/** What is known when one of two answers holds, and nobody knows which. @internal */
export const oneOf = (left: Truth, right: Truth): Truth => (left === right ? left : 'unknown');
