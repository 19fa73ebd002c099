// TraceTime: what a clock step is on the time line of a trace.
// Source followed: none.
// Simplified: a step is a bus request and has an order, no duration; it is drawn as 1 µs.

/** Nanoseconds of the trace that a clock step takes. */
export const STEP_NS = 1000;
