// PeerBuffers: the buffers of a list of I/Os moved into a peer's BAR: each page of memory becomes a page of the BAR.
// What the block layer looks at is kept: offsets in pages, which pages are adjacent, and which are not.
// Source followed: none; it makes the same I/O meet other memory.
// Simplified: a list that does not fit as a whole is laid out anew for each I/O, from the start of the BAR.

import { addOffset, frameOf, offsetWithin, PAGE_SIZE, type PhysAddr } from '@sgfree/hw-model';
import { type IoRecord, piecesOf } from './io-record.ts';

/** Page of the BAR by frame of memory. */
type PageMap = ReadonlyMap<number, number>;

/**
 * Where the I/Os of a list go.
 * @internal
 */
export class PeerBuffers {
  /** Pages of the BAR from its start that hold data at some time, gaps between them included. */
  readonly pages: number;
  /** I/Os that fit no BAR of this size. */
  readonly leftOut: number;
  readonly #ios: readonly (readonly [IoRecord, PageMap])[];

  /** Lays `ios` out in `capacity` bytes. */
  constructor(ios: readonly IoRecord[], capacity: number) {
    const most = Math.floor(capacity / PAGE_SIZE);
    const whole = layOut(ios);
    const laid = ios.map((io) => [io, whole.pages <= most ? whole : layOut([io])] as const);
    const fitting = laid.filter(([, { pages }]) => pages <= most);
    this.pages = fitting.reduce((highest, [, { pages }]) => Math.max(highest, pages), 0);
    this.leftOut = ios.length - fitting.length;
    this.#ios = fitting.map(([io, { map }]) => [io, map]);
  }

  /** The I/Os with their memory from `base`, a page boundary, on. */
  at(base: PhysAddr): IoRecord[] {
    return this.#ios.map(([io, map]) => ({
      ...io,
      iovecs: io.iovecs.map((pieces) =>
        pieces.map(({ phys, bytes }) => {
          const page = map.get(frameOf(phys)) as number;
          return { phys: addOffset(base, page * PAGE_SIZE + offsetWithin(phys, PAGE_SIZE)), bytes };
        }),
      ),
    }));
  }
}

/** Adjacent frames become adjacent pages; one page stays free where frames are not adjacent. */
function layOut(ios: readonly IoRecord[]): { readonly map: PageMap; readonly pages: number } {
  const map = new Map<number, number>();
  let page = -1;
  let last = Number.NaN;
  for (const frame of framesOf(ios)) {
    page += frame === last + 1 || map.size === 0 ? 1 : 2;
    map.set(frame, page);
    last = frame;
  }
  return { map, pages: page + 1 };
}

function framesOf(ios: readonly IoRecord[]): number[] {
  const frames = new Set<number>();
  for (const { phys, bytes } of ios.flatMap(piecesOf)) {
    const last = frameOf(addOffset(phys, bytes - 1));
    for (let frame = frameOf(phys); frame <= last; frame += 1) frames.add(frame);
  }
  return [...frames].sort((one, other) => one - other);
}
