// TextPool: the strings of a trace that come again and again (tasks, devices, attributes), made once.
// A word is looked up by its bytes; a place in the table is taken by whoever came last, so that the table never grows.
// Simplified: bytes that are no UTF-8 are taken as Latin-1.

const SLOTS = 2048;
/** Longer words are not kept. */
const LONGEST = 128;

interface Slot {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Text of bytes `from` up to `end`. */
export function textOf(bytes: Uint8Array, from: number, end: number): string {
  let text = '';
  let escaped = false;
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at] as number;
    escaped ||= byte >= 0x80;
    text += String.fromCharCode(byte);
  }
  return escaped ? fromUtf8(text) : text;
}

function fromUtf8(latin1: string): string {
  const percent = (char: string): string => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  try {
    return decodeURIComponent(latin1.replace(/[%\x80-\xff]/g, percent));
  } catch {
    return latin1;
  }
}

function holds(slot: Slot, bytes: Uint8Array, from: number, length: number): boolean {
  const kept = slot.bytes;
  if (kept.length !== length) return false;
  for (let index = 0; index < length; index += 1) {
    if (kept[index] !== bytes[from + index]) return false;
  }
  return true;
}

/** A bounded table of strings by their bytes. */
export class TextPool {
  readonly #slots: (Slot | undefined)[] = Array<Slot | undefined>(SLOTS).fill(undefined);

  /** The text of bytes `from` up to `end`, the same string for the same bytes; `make` makes another text of them. */
  text(
    bytes: Uint8Array,
    from: number,
    end: number,
    make: (bytes: Uint8Array, from: number, end: number) => string = textOf,
  ): string {
    const length = end - from;
    if (length <= 0) return '';
    if (length > LONGEST) return make(bytes, from, end);
    let hash = length;
    for (let at = from; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    const place = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const slot = this.#slots[place];
    if (slot !== undefined && holds(slot, bytes, from, length)) return slot.text;
    const text = make(bytes, from, end);
    this.#slots[place] = { bytes: bytes.slice(from, end), text };
    return text;
  }
}
