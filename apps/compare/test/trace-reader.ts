// TraceReader: reads a Perfetto trace by the field numbers of the public protos, knowing nothing of the program that wrote it.
// Source followed: perfetto's trace_packet.proto, track_descriptor.proto, track_event.proto.
// Simplified: one packet sequence; fields that tests do not look at are skipped.

import { BinaryReader } from '@bufbuild/protobuf/wire';

/** A message: its values by field number. */
type Message = Map<number, (number | Uint8Array)[]>;

/** A track of the trace. */
export interface ReadTrack {
  readonly name: string;
  readonly parent: number | null;
}

/** An event. `type`: 1 begin, 2 end, 3 instant, 4 counter. */
export interface ReadEvent {
  readonly track: number;
  readonly type: number;
  readonly ns: number;
  readonly name: string | null;
  readonly value: number | null;
  readonly annotations: Readonly<Record<string, string | number>>;
}

function messageOf(bytes: Uint8Array): Message {
  const reader = new BinaryReader(bytes);
  const fields: Message = new Map();
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (wire !== 0 && wire !== 2) throw new Error(`field ${field} has wire type ${wire}`);
    const value = wire === 0 ? Number(reader.uint64()) : reader.bytes();
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

const all = (message: Message, field: number): Message[] =>
  (message.get(field) ?? []).map((bytes) => messageOf(bytes as Uint8Array));
const number = (message: Message, field: number): number | null =>
  (message.get(field)?.[0] as number | undefined) ?? null;
function text(message: Message, field: number): string | null {
  const bytes = message.get(field)?.[0];
  return bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : null;
}

/** A trace that has been read. */
export class TraceReader {
  readonly tracks = new Map<number, ReadTrack>();
  /** Flags of each packet: 1 = the sequence begins, 2 = it goes on. */
  readonly sequenceFlags: number[] = [];
  readonly events: ReadEvent[] = [];
  readonly #names = new Map<number, string>();
  readonly #annotationNames = new Map<number, string>();

  constructor(bytes: Uint8Array) {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, wire] = reader.tag();
      if (field !== 1 || wire !== 2) throw new Error(`a trace has packets, not field ${field}`);
      this.#packet(messageOf(reader.bytes()));
    }
  }

  /** The group that a track belongs to, by name. */
  groupOf(track: number): string {
    const { parent } = this.tracks.get(track) ?? { parent: null };
    return parent === null ? '' : (this.tracks.get(parent)?.name ?? '');
  }

  #packet(packet: Message): void {
    this.sequenceFlags.push(number(packet, 13) ?? 0);
    for (const interned of all(packet, 12)) {
      for (const entry of all(interned, 2)) this.#names.set(number(entry, 1) ?? 0, text(entry, 2) ?? '');
      for (const entry of all(interned, 3))
        this.#annotationNames.set(number(entry, 1) ?? 0, text(entry, 2) ?? '');
    }
    for (const track of all(packet, 60)) {
      const [process] = all(track, 3);
      const name = process === undefined ? text(track, 2) : text(process, 6);
      this.tracks.set(number(track, 1) ?? 0, { name: name ?? '', parent: number(track, 5) });
    }
    for (const event of all(packet, 11)) this.#event(event, number(packet, 8) ?? -1);
  }

  #event(event: Message, ns: number): void {
    const annotations = all(event, 4).map(
      (one) =>
        [this.#annotationNames.get(number(one, 1) ?? 0) ?? '?', text(one, 6) ?? number(one, 3) ?? 0] as const,
    );
    const iid = number(event, 10);
    this.events.push({
      track: number(event, 11) ?? 0,
      type: number(event, 9) ?? 0,
      ns,
      name: iid === null ? null : (this.#names.get(iid) ?? '?'),
      value: number(event, 30),
      annotations: Object.fromEntries(annotations),
    });
  }
}
