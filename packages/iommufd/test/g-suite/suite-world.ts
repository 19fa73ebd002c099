// SuiteWorld: the surroundings of the kernel's own iommufd tests: a context, an address space, mock devices, and every call as an
// ioctl whose answer is a number or the name of an errno.
// Source followed: the fixtures of selftests/iommu/iommufd.c.
// Simplified: the test commands beside the ioctls are calls.

import type { ModelTask } from '@sgfree/hw-model';
import { copyFromUser, copyToUser, Errno } from '@sgfree/mm';
import {
  decodeIommufdStruct,
  encodeIommufdStruct,
  type IommufdFieldValues,
  IommufdIoas,
  IoptAccess,
  iommufdAccessAttach,
  iommufdFopsIoctl,
  iommufdStruct,
  iommufdTestAddReserved,
  iommufdTestMdCheckPa,
  iommufdTestMockDomain,
  type MockDevice,
  type U64,
  u64OfBigint,
} from '../../src/index.ts';
import { CoreMachine } from '../core-machine.ts';

export const P = 4096;
export const BUF: number = 16 * P;
/** First and last byte of what a mock device addresses. */
export const APERTURE = 0x1000000;
/** User addresses: memory to map, and a page for lists. */
export const VA = 2 ** 31;
export const LISTS: number = 2 ** 40;

/** An address, a count, bytes, 'ok', or an errno by name. */
export type Answer = number | string;

/** How a fixture is set up. */
export interface Variant {
  readonly name: string;
  readonly devices: number;
  /** Bytes that a batch may take; null = the default. */
  readonly batchBytes?: number;
  /** User memory is in pages of 2 MiB. */
  readonly huge?: boolean;
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Errno).map(([name, errno]) => [Number(errno), name]),
);
/** 'ok' or the name of an errno, of either sign. */
export const named = (errno: number): string =>
  errno === 0 ? 'ok' : (NAMES.get(Math.abs(errno)) ?? `errno ${errno}`);

const wide = (value: number | bigint): U64 => u64OfBigint(BigInt(value));

/** The surroundings; `ioas` is the address space under test. */
export class SuiteWorld {
  readonly machine: CoreMachine;
  readonly variant: Variant;
  readonly base: number;
  readonly ioas: number;
  /** Of each mock device: the object that ends it, the bound device, the page table. */
  readonly stdevs: number[] = [];
  readonly idevs: number[] = [];
  readonly hwpts: number[] = [];
  readonly lastDevices: MockDevice[] = [];

  constructor(variant: Variant, ramBytes?: number) {
    this.variant = variant;
    this.machine = new CoreMachine({ capIpcLock: true }, 1, ramBytes);
    this.base = variant.devices === 0 ? 0 : APERTURE;
    this.machine.mmap(P, LISTS);
    if (variant.batchBytes !== undefined) this.machine.platform.tempMemoryLimit = variant.batchBytes;
    this.ioas = this.newIoas();
    for (let device = 0; device < variant.devices; device += 1) this.mock(this.ioas);
  }

  /** The structure after a call, and what the call answered. */
  ioctl(
    name: string,
    fields: IommufdFieldValues = {},
  ): { answer: string; fields: Readonly<Record<string, number | bigint>> } {
    const bytes = encodeIommufdStruct(name, fields);
    const errno = this.machine.run(iommufdFopsIoctl(this.machine.ctx, iommufdStruct(name).request, bytes));
    return { answer: named(errno), fields: decodeIommufdStruct(name, bytes) };
  }

  #one(name: string, fields: IommufdFieldValues, out: string): Answer {
    const { answer, fields: after } = this.ioctl(name, fields);
    return answer === 'ok' ? Number(after[out]) : answer;
  }

  newIoas(): number {
    return Number(this.#one('iommu_ioas_alloc', {}, 'out_ioas_id'));
  }

  iopt(id: number = this.ioas): IommufdIoas['iopt'] {
    const ioas = this.machine.ctx.objects.at(id);
    if (!(ioas instanceof IommufdIoas)) throw new Error(`${id} is no address space`);
    return ioas.iopt;
  }

  /** Binds a mock device and attaches it; 'ok' or an errno. */
  mock(pt: number, device: MockDevice = this.machine.mock()): string {
    const made = this.machine.run(iommufdTestMockDomain(this.machine.ctx, pt, device));
    if (!made.ok) return named(made.errno);
    this.stdevs.push(made.value.stdevId);
    this.idevs.push(made.value.idevId);
    this.hwpts.push(made.value.hwptId);
    this.lastDevices.push(device);
    return 'ok';
  }

  destroy(id: number): string {
    return this.ioctl('iommu_destroy', { id }).answer;
  }

  /** Ends the mock device that came last. */
  endMock(): string {
    this.idevs.pop();
    this.hwpts.pop();
    this.lastDevices.pop();
    return this.destroy(this.stdevs.pop() ?? 0);
  }

  /** Maps user memory at `iova`, or anywhere; the IOVA. */
  map(
    bytes: number,
    iova: number | null = null,
    options: { readonly va?: number; readonly ioas?: number; readonly flags?: number } = {},
  ): Answer {
    const { va = VA, ioas = this.ioas, flags = 6 } = options;
    const fields = {
      ioas_id: ioas,
      flags: flags | (iova === null ? 0 : 1),
      user_va: BigInt(va),
      length: BigInt(bytes),
      iova: BigInt(iova ?? 0),
    };
    return this.#one('iommu_ioas_map', fields, 'iova');
  }

  mapFile(fd: number, start: number, bytes: number, iova: number | null = null): Answer {
    const fields = {
      ioas_id: this.ioas,
      flags: iova === null ? 6 : 7,
      fd,
      start: BigInt(start),
      length: BigInt(bytes),
      iova: BigInt(iova ?? 0),
    };
    return this.#one('iommu_ioas_map_file', fields, 'iova');
  }

  /** The bytes that were unmapped. */
  unmap(iova: number | bigint, bytes: number | bigint, ioas: number = this.ioas): Answer {
    const fields = { ioas_id: ioas, iova: BigInt(iova), length: BigInt(bytes) };
    return this.#one('iommu_ioas_unmap', fields, 'length');
  }

  copy(
    from: readonly [ioas: number, iova: number],
    bytes: number,
    to: readonly [ioas: number, iova: number | null],
    flags = 6,
  ): Answer {
    const fields = {
      src_ioas_id: from[0],
      src_iova: BigInt(from[1]),
      dst_ioas_id: to[0],
      dst_iova: BigInt(to[1] ?? 0),
      length: BigInt(bytes),
      flags: flags | (to[1] === null ? 0 : 1),
    };
    return this.#one('iommu_ioas_copy', fields, 'dst_iova');
  }

  /** Inclusive ranges. */
  allow(...ranges: readonly (readonly [number, number])[]): string {
    const words = ranges.flat().map(BigInt);
    this.poke(LISTS, new Uint8Array(BigUint64Array.from(words).buffer));
    const fields = { ioas_id: this.ioas, num_iovas: ranges.length, allowed_iovas: BigInt(LISTS) };
    return this.ioctl('iommu_ioas_allow_iovas', fields).answer;
  }

  reserve(start: number | bigint, bytes: number | bigint): string {
    return named(this.machine.run(iommufdTestAddReserved(this.iopt(), wide(start), wide(bytes))));
  }

  hugePages(op: 'get' | 'set', value = 0n): Answer {
    const fields = { option_id: 1, op: op === 'get' ? 1 : 0, object_id: this.ioas, val64: value };
    const { answer, fields: after } = this.ioctl('iommu_option', fields);
    return op === 'get' && answer === 'ok' ? Number(after['val64']) : answer;
  }

  poke(va: number, bytes: Uint8Array): void {
    this.machine.run(copyToUser(this.machine.process.mm, va, bytes));
  }

  peek(va: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    this.machine.run(copyFromUser(this.machine.process.mm, va, bytes));
    return bytes;
  }

  /** Compares the table of the latest mock device, or of another, with user memory. */
  check(iova: Answer, bytes: number, va = VA, hwpt: number = this.hwpts.at(-1) ?? 0): string {
    const { domain } = this.machine.hwpt(hwpt);
    if (domain === null) throw new Error('no page table');
    const { mm } = this.machine.process;
    return named(iommufdTestMdCheckPa(domain, mm, wide(Number(iova)), wide(bytes), wide(va)));
  }

  /** Pins of each of `pages` pages of user memory. */
  pins(pages: number, va = VA): number[] {
    const { ptes } = this.machine.process.mm;
    return Array.from({ length: pages }, (_, page) => ptes.get(va / P + page)?.folio.pins ?? 0);
  }

  /** An in-kernel user of an address space, which lets go what is about to be unmapped. */
  access(
    needsPinPages: boolean,
    unmap: (access: IoptAccess) => ModelTask<void> = nothing,
    ioas: number = this.ioas,
  ): IoptAccess {
    const access: IoptAccess = new IoptAccess(this.machine.platform, {
      needsPinPages,
      unmap: () => unmap(access),
    });
    if (this.machine.run(iommufdAccessAttach(access, this.iopt(ioas))) !== 0) throw new Error('not attached');
    return access;
  }
}

function* nothing(): ModelTask<void> {
  yield { at: 'suite:unmap' };
}
