// NvioLines: trace lines of one request without what depends on which IOVAs happened to be free. An IOVA is replaced by
// its place relative to the mapping it belongs to, so that offsets, ends, sizes and blocks stay; all else stays as it is.
// Mapping happens in the caller, in order: `map`, `cache_tag_flush_range_np` with its `qi_submit`, `dma_map_phys`.
// Unmapping happens as commands complete, in any order: one group for each `unmap`, which says which mapping it ends, with
// the flush and the `dma_unmap_phys` behind it. Pages that descriptor pools take are kept apart.
// Simplified: lines of other devices and domains are left out with the `map` or `unmap` that they explain; a two-step
// mapping of another device is explained by no line.

import {
  FLUSH,
  hexOf,
  holds,
  LIST,
  MAP,
  PAGE_FRAME,
  PHYS,
  placeIn,
  QI,
  relativeFlush,
  UNMAP,
} from './nvio-line-forms.ts';

const PAGE = 4096;
const ALL_ONES = 'ffffffffffffffff';

/** A line as it comes in. */
export interface IncomingLine {
  /** Line of the trace; 0 for the model's. */
  readonly number: number;
  readonly cpu: number;
  /** Task, soft or hard interrupt, as flags show it. */
  readonly context: string;
  readonly event: string;
  readonly payload: string;
}

/** A line of the mapping side. */
export interface MappedLine {
  readonly number: number;
  readonly text: string;
  /** A `map` that starts where the one before it ends. */
  readonly follows: boolean;
}

/** Whose lines are collected; null: the disk has no domain, and no flush is expected. */
export interface NvioOwner {
  readonly device: string;
  readonly domainId: number | null;
}

interface Mapped {
  readonly iova: number;
  readonly end: number;
  /** Its line and those of its flush. */
  readonly lines: MappedLine[];
}

/** Lines of the unmapping side that belong together. */
interface Group {
  readonly lines: string[];
  /** The line of the mapping that ends; absent where nothing is unmapped, null where none is known. */
  readonly ends?: MappedLine | null;
  /** The same of the call that ends. */
  call?: MappedLine | null;
}

interface UnmapGroup extends Group {
  readonly iova: number;
  readonly end: number;
  /** True once the call that unmapped has its own line. */
  closed: boolean;
}

/** Where a CPU is in one context: what an interrupt does does not mix with what it interrupted. */
interface CpuState {
  /** Mappings of this request, the latest last. */
  maps: Mapped[];
  group: UnmapGroup | null;
  /** True between the call of another device that unmaps a list and the `unmap` that it leads to. */
  unmapsForOther: boolean;
  /** Block of the last flush and where its commands belong; a null list: nowhere. */
  flush: { readonly block: number; readonly put: ((line: string) => void) | null };
}

/** The latest mapping that holds an address. */
const mapHolding = ({ maps }: CpuState, address: number): Mapped | null =>
  maps.findLast((map) => holds(map, address)) ?? null;

/** Collects lines in the order of a trace. */
export class NvioLines {
  #mapped: MappedLine[] = [];
  #groups: Group[] = [];
  /** The lines that each page of a descriptor pool left. */
  readonly poolPages: string[] = [];
  readonly #owner: NvioOwner;
  #number = 0;
  /** Calls of the disk that undid a mapping so far. */
  #undone = 0;
  /** What was mapped at an address, the latest last. */
  readonly #mappedAt = new Map<number, MappedLine[]>();
  /** The latest call of the disk that gave out an address. */
  readonly #calledAt = new Map<number, MappedLine>();
  readonly #cpus = new Map<string, CpuState>();
  readonly #readers: Readonly<Record<string, (cpu: CpuState, payload: string) => boolean>> = {
    map: (cpu, payload) => this.#map(cpu, payload),
    unmap: (cpu, payload) => this.#unmap(cpu, payload),
    cache_tag_flush_range_np: (cpu, payload) => this.#flushMapped(cpu, payload),
    cache_tag_flush_range: (cpu, payload) => this.#flushUnmapped(cpu, payload),
    qi_submit: (cpu, payload) => this.#command(cpu, payload),
    dma_map_phys: (cpu, payload) => this.#mapPhys(cpu, payload),
    dma_unmap_phys: (cpu, payload) => this.#unmapPhys(cpu, payload),
    dma_alloc: (cpu, payload) => this.#alloc(cpu, payload),
    dma_map_sg: (cpu, payload) => this.#mapListOfOther(cpu, payload),
    dma_unmap_sg: (cpu, payload) => this.#unmapListOfOther(cpu, payload),
  };

  constructor(owner: NvioOwner) {
    this.#owner = owner;
  }

  /** The lines of the mapping side, in order. */
  get mapped(): readonly MappedLine[] {
    return this.#mapped;
  }

  /** The groups of the unmapping side, sorted. */
  get unmapped(): string[] {
    const places = new Map(this.#mapped.map((line, at) => [line, at]));
    const text = (what: string, line: MappedLine | null | undefined): string =>
      line === undefined ? '' : `of ${what} line ${line === null ? 'none' : places.get(line)}: `;
    return this.#groups
      .map(({ lines, ends, call }) => `${text('mapping', ends)}${text('call', call)}${lines.join('; ')}`)
      .sort();
  }

  /** Adds a line; one of an unknown event or form is kept as it is, so that nothing equals it by accident. */
  add({ number, cpu, context, event, payload }: IncomingLine): void {
    this.#number = number;
    const reader = this.#readers[event];
    if (reader?.(this.#cpu(`${cpu}${context}`), payload) === true) return;
    if (reader === undefined && this.#isOfOtherDevice(payload)) return;
    this.#put(`${event}: ${payload}`);
  }

  #cpu(place: string): CpuState {
    let state = this.#cpus.get(place);
    if (state === undefined) {
      state = { maps: [], group: null, unmapsForOther: false, flush: { block: 0, put: null } };
      this.#cpus.set(place, state);
    }
    return state;
  }

  #isOfOtherDevice(payload: string): boolean {
    const device = /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b/.exec(payload)?.[0];
    return device !== undefined && device !== this.#owner.device;
  }

  #put(text: string, follows: boolean = false): MappedLine {
    const line = { number: this.#number, text, follows };
    this.#mapped.push(line);
    return line;
  }

  #map(cpu: CpuState, payload: string): boolean {
    const [, first, last, rest = ''] = MAP.exec(payload) ?? [];
    if (first === undefined) return false;
    const [iova, end] = [hexOf(first), hexOf(last)];
    const follows = cpu.maps.at(-1)?.end === iova;
    const line = this.#put(`map: ${end - iova} at ${rest}`, follows);
    cpu.maps.push({ iova, end, lines: [line] });
    this.#mappedAt.set(iova, [...(this.#mappedAt.get(iova) ?? []), line]);
    return true;
  }

  #unmap(cpu: CpuState, payload: string): boolean {
    const [, first, last, rest = ''] = UNMAP.exec(payload) ?? [];
    if (first === undefined) return false;
    const [iova, end] = [hexOf(first), hexOf(last)];
    const ends = this.#mappedAt.get(iova)?.at(-1) ?? null;
    const group: UnmapGroup = { iova, end, ends, lines: [`unmap: ${end - iova} ${rest}`], closed: false };
    cpu.group = cpu.unmapsForOther ? null : group;
    // Commands of a flush come before the next unmapping.
    cpu.flush = { block: 0, put: (line) => group.lines.push(line) };
    if (!cpu.unmapsForOther) this.#groups.push(group);
    cpu.unmapsForOther = false;
    return true;
  }

  /** A flush after mapping ends where the mapping ends. */
  #flushMapped(cpu: CpuState, payload: string): boolean {
    const flush = FLUSH.exec(payload);
    if (flush === null) return false;
    if (!this.#isOwnDomain(cpu, flush)) return true;
    const map = cpu.maps.at(-1);
    const put = (text: string): void => {
      const line = this.#put(text);
      map?.lines.push(line);
    };
    cpu.flush = { block: hexOf(flush[5]), put };
    put(`cache_tag_flush_range_np: ${relativeFlush(flush, map?.end ?? 0)}`);
    return true;
  }

  #flushUnmapped(cpu: CpuState, payload: string): boolean {
    const flush = FLUSH.exec(payload);
    if (flush === null) return false;
    if (!this.#isOwnDomain(cpu, flush)) {
      if (flush[4] !== ALL_ONES) this.#dropGroup(cpu.group);
      return true;
    }
    if (flush[4] === ALL_ONES) {
      const lines = [`behind ${this.#undone} dma_unmap_phys: cache_tag_flush_range: ${payload}`];
      this.#groups.push({ lines });
      cpu.flush = { block: 0, put: (line) => lines.push(line) };
      return true;
    }
    const { lines, end } = cpu.group ?? { ...this.#strayGroup(), end: 0 };
    lines.push(`cache_tag_flush_range: ${relativeFlush(flush, end)}`);
    cpu.flush = { block: hexOf(flush[5]), put: (line) => lines.push(line) };
    return true;
  }

  #isOwnDomain(cpu: CpuState, flush: RegExpExecArray): boolean {
    const { domainId } = this.#owner;
    if (domainId === null || Number(flush[2]) === domainId) return true;
    cpu.flush = { block: 0, put: null };
    return false;
  }

  #command(cpu: CpuState, payload: string): boolean {
    const [, start, address, rest] = QI.exec(payload) ?? [];
    if (start === undefined) return false;
    cpu.flush.put?.(`qi_submit: ${start} +${hexOf(address) - cpu.flush.block} ${rest}`);
    return true;
  }

  #mapPhys(cpu: CpuState, payload: string): boolean {
    const [, device, direction, address, rest] = PHYS.exec(payload) ?? [];
    if (device === undefined) return false;
    const dma = hexOf(address);
    if (device !== this.#owner.device) this.#forgetMap(cpu, dma);
    else {
      const place = placeIn(mapHolding(cpu, dma), dma);
      this.#calledAt.set(dma, this.#put(`dma_map_phys: ${device} ${direction} ${place} ${rest}`));
    }
    return true;
  }

  #unmapPhys(cpu: CpuState, payload: string): boolean {
    const [, device, direction, address, rest] = PHYS.exec(payload) ?? [];
    if (device === undefined) return false;
    const dma = hexOf(address);
    const open = cpu.group !== null && !cpu.group.closed && holds(cpu.group, dma) ? cpu.group : null;
    if (device !== this.#owner.device) {
      this.#dropGroup(open);
      return true;
    }
    this.#undone += 1;
    const group: Group = open ?? this.#strayGroup();
    group.lines.push(`dma_unmap_phys: ${device} ${direction} ${placeIn(open, dma)} ${rest}`);
    group.call = this.#calledAt.get(dma) ?? null;
    if (open !== null) open.closed = true;
    return true;
  }

  /** A group without an `unmap`. */
  #strayGroup(): Group {
    const group: Group = { lines: [] };
    this.#groups.push(group);
    return group;
  }

  #dropGroup(group: UnmapGroup | null): void {
    this.#groups = this.#groups.filter((other) => other !== group);
  }

  /** The disk maps no lists: one of its own is kept as it is. */
  #mapListOfOther(cpu: CpuState, payload: string): boolean {
    if (!this.#isOfOtherDevice(payload)) return false;
    const addresses = LIST.exec(payload)?.[1] ?? '';
    for (const address of addresses.split(',')) this.#forgetMap(cpu, hexOf(address.replace('0x', '')));
    return true;
  }

  #unmapListOfOther(cpu: CpuState, payload: string): boolean {
    cpu.unmapsForOther = this.#isOfOtherDevice(payload);
    return cpu.unmapsForOther;
  }

  /** A page for a descriptor pool: its lines stand right before this one. Pointer and flags differ from boot to boot. */
  #alloc(cpu: CpuState, payload: string): boolean {
    const [, device, direction, address, rest = ''] = PHYS.exec(payload) ?? [];
    if (device === undefined) return false;
    const dma = hexOf(address);
    const lines = this.#forgetMap(cpu, dma);
    const said = rest.replace(/\bvirt_addr=[0-9a-f]+ flags=\S+/, '');
    const page = `dma_alloc: ${direction} +${dma % PAGE} ${said}`;
    if (device === this.#owner.device) this.poolPages.push([...lines, page].join('; '));
    return true;
  }

  /** Takes the lines of the mapping that holds an address away. */
  #forgetMap(cpu: CpuState, dma: number): string[] {
    const map = mapHolding(cpu, dma);
    if (map === null) return [];
    const { iova, lines } = map;
    cpu.maps = cpu.maps.filter((other) => other !== map);
    this.#mapped = this.#mapped.filter((line) => !lines.includes(line));
    this.#mappedAt.set(
      iova,
      (this.#mappedAt.get(iova) ?? []).filter((line) => line !== lines[0]),
    );
    return lines.map(({ text }) => text.replace(PAGE_FRAME, 'paddr=*'));
  }
}
