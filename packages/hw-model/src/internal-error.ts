// InternalError: a state the model itself promised cannot arise. Neither a kernel errno nor a hardware fault.
// Source followed: the project's five kinds of failure, of which this is the one that means a bug.
// Simplified: carries a message only; nobody is meant to catch it.

/**
 * Thrown for "cannot happen": a bug of the model or of code that builds machines by hand.
 * @public
 */
export class InternalError extends Error {
  override readonly name = 'InternalError';
}
