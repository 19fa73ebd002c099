// TraceWriter: a Perfetto trace as bytes: tracks, then events on them.
// Source followed: perfetto's public protos; "Writing TrackEvents" of its documentation.
// Simplified: one packet sequence; timestamps are nanoseconds of the trace's own clock; names are interned once each.

import { BinaryWriter } from '@bufbuild/protobuf/wire';
import {
  ANNOTATION,
  COUNTER,
  EVENT,
  EVENT_TYPE,
  EXPLICIT_ORDER,
  INTERNED,
  NAMED,
  PACKET,
  PROCESS,
  SEQUENCE,
  TRACE,
  TRACK,
  UNIT_BYTES,
} from './trace-fields.ts';

/** A track, by its uuid. */
export type TrackId = number;

/** What an event says besides its name: numbers, or text. */
export type Annotations = Readonly<Record<string, number | string>>;

const SEQUENCE_ID = 1;

/** The wire format: a number and the type of what follows. */
const VARINT = 0;
const DELIMITED = 2;

/** Writes one trace. */
export class TraceWriter {
  readonly #out = new BinaryWriter();
  readonly #eventNames = new Map<string, number>();
  readonly #annotationNames = new Map<string, number>();
  #tracks = 0;
  #started = false;

  /** A group of tracks, shown as a process. */
  group(name: string): TrackId {
    return this.#track((track, uuid) => {
      track.tag(TRACK.process, DELIMITED).fork();
      track.tag(PROCESS.pid, VARINT).int32(uuid);
      track.tag(PROCESS.name, DELIMITED).string(name).join();
      track.tag(TRACK.childOrdering, VARINT).int32(EXPLICIT_ORDER);
    });
  }

  /** A track of a group; tracks stand in the order in which they are made. */
  track(name: string, group: TrackId): TrackId {
    return this.#track((track, uuid) => {
      track.tag(TRACK.name, DELIMITED).string(name);
      track.tag(TRACK.parentUuid, VARINT).uint64(group);
      track.tag(TRACK.siblingOrderRank, VARINT).int32(uuid);
    });
  }

  /** A track of a group with a number of bytes that goes up and down. */
  byteCounter(name: string, group: TrackId): TrackId {
    return this.#track((track, uuid) => {
      track.tag(TRACK.name, DELIMITED).string(name);
      track.tag(TRACK.parentUuid, VARINT).uint64(group);
      track.tag(TRACK.counter, DELIMITED).fork().tag(COUNTER.unit, VARINT).int32(UNIT_BYTES).join();
      track.tag(TRACK.siblingOrderRank, VARINT).int32(uuid);
    });
  }

  begin(track: TrackId, ns: number, name: string, annotations: Annotations = {}): void {
    this.#event(track, ns, EVENT_TYPE.begin, name, annotations);
  }

  end(track: TrackId, ns: number): void {
    this.#event(track, ns, EVENT_TYPE.end, null, {});
  }

  instant(track: TrackId, ns: number, name: string, annotations: Annotations = {}): void {
    this.#event(track, ns, EVENT_TYPE.instant, name, annotations);
  }

  count(track: TrackId, ns: number, value: number): void {
    const event = (out: BinaryWriter): unknown => out.tag(EVENT.counterValue, VARINT).int64(value);
    this.#eventPacket(track, ns, EVENT_TYPE.counter, event);
  }

  /** Everything so far. */
  finish(): Uint8Array {
    return this.#out.finish();
  }

  #track(fill: (out: BinaryWriter, uuid: TrackId) => void): TrackId {
    this.#tracks += 1;
    const uuid = this.#tracks;
    this.#packet(null, (out) => {
      out.tag(PACKET.trackDescriptor, DELIMITED).fork();
      out.tag(TRACK.uuid, VARINT).uint64(uuid);
      fill(out, uuid);
      out.join();
    });
    return uuid;
  }

  #event(track: TrackId, ns: number, type: number, name: string | null, annotations: Annotations): void {
    const nameIid = name === null ? 0 : this.#iid(this.#eventNames, INTERNED.eventNames, name);
    const named = Object.entries(annotations).map(
      ([key, value]) => [this.#iid(this.#annotationNames, INTERNED.annotationNames, key), value] as const,
    );
    this.#eventPacket(track, ns, type, (out) => {
      if (nameIid > 0) out.tag(EVENT.nameIid, VARINT).uint64(nameIid);
      for (const [iid, value] of named) putAnnotation(out, iid, value);
    });
  }

  #eventPacket(track: TrackId, ns: number, type: number, fill: (out: BinaryWriter) => void): void {
    this.#packet(ns, (out) => {
      out.tag(PACKET.trackEvent, DELIMITED).fork();
      out.tag(EVENT.type, VARINT).int32(type);
      out.tag(EVENT.trackUuid, VARINT).uint64(track);
      fill(out);
      out.join();
    });
  }

  /** The number of a name, told to the reader when it is first used. */
  #iid(known: Map<string, number>, field: number, name: string): number {
    const found = known.get(name);
    if (found !== undefined) return found;
    const iid = known.size + 1;
    known.set(name, iid);
    this.#packet(null, (out) => {
      out.tag(PACKET.internedData, DELIMITED).fork().tag(field, DELIMITED).fork();
      out.tag(NAMED.iid, VARINT).uint64(iid).tag(NAMED.name, DELIMITED).string(name);
      out.join().join();
    });
    return iid;
  }

  #packet(ns: number | null, fill: (out: BinaryWriter) => void): void {
    const out = this.#out.tag(TRACE.packet, DELIMITED).fork();
    if (ns !== null) out.tag(PACKET.timestamp, VARINT).uint64(ns);
    out.tag(PACKET.sequenceId, VARINT).uint32(SEQUENCE_ID);
    const flags = this.#started ? SEQUENCE.needsState : SEQUENCE.stateCleared;
    this.#started = true;
    out.tag(PACKET.sequenceFlags, VARINT).uint32(flags);
    fill(out);
    out.join();
  }
}

function putAnnotation(out: BinaryWriter, iid: number, value: number | string): void {
  out.tag(EVENT.annotations, DELIMITED).fork().tag(ANNOTATION.nameIid, VARINT).uint64(iid);
  if (typeof value === 'number') out.tag(ANNOTATION.uint, VARINT).uint64(value);
  else out.tag(ANNOTATION.text, DELIMITED).string(value);
  out.join();
}
