// Field numbers of the messages of a Perfetto trace that are written here.
// Source followed: perfetto's public protos: trace.proto, trace_packet.proto, track_descriptor.proto, track_event.proto,
// debug_annotation.proto, interned_data.proto, process_descriptor.proto, counter_descriptor.proto.
// Simplified: only what the writer uses.

/** `Trace`. */
export const TRACE = { packet: 1 } as const;

/** `TracePacket`. */
export const PACKET = {
  timestamp: 8,
  sequenceId: 10,
  trackEvent: 11,
  internedData: 12,
  sequenceFlags: 13,
  trackDescriptor: 60,
} as const;

/** Bits of `TracePacket.sequence_flags`. */
export const SEQUENCE = { stateCleared: 1, needsState: 2 } as const;

/** `TrackDescriptor`. */
export const TRACK = {
  uuid: 1,
  name: 2,
  process: 3,
  parentUuid: 5,
  counter: 8,
  childOrdering: 11,
  siblingOrderRank: 12,
} as const;

/** `TrackDescriptor.ChildTracksOrdering.EXPLICIT`. */
export const EXPLICIT_ORDER = 3;

/** `ProcessDescriptor`. */
export const PROCESS = { pid: 1, name: 6 } as const;

/** `CounterDescriptor`, and the unit of bytes. */
export const COUNTER = { unit: 3 } as const;
export const UNIT_BYTES = 3;

/** `TrackEvent`. */
export const EVENT = {
  annotations: 4,
  type: 9,
  nameIid: 10,
  trackUuid: 11,
  counterValue: 30,
} as const;

/** `TrackEvent.Type`. */
export const EVENT_TYPE = { begin: 1, end: 2, instant: 3, counter: 4 } as const;

/** `DebugAnnotation`. */
export const ANNOTATION = { nameIid: 1, uint: 3, text: 6 } as const;

/** `InternedData`, and its entries. */
export const INTERNED = { eventNames: 2, annotationNames: 3 } as const;
export const NAMED = { iid: 1, name: 2 } as const;
