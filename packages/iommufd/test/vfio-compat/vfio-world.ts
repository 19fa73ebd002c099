// VfioWorld: a machine whose context is told to be a VFIO container, with a mock device that can be made to read memory.
// Source followed: the fixture vfio_compat_mock_domain of tools/testing/selftests/iommu/iommufd.c.
// Simplified: for tests only; the device reads through its page table, a byte at a time.

import { type ModelTask, physOfFrame } from '@sgfree/hw-model';
import { copyToUser, type ProcessMemoryOptions } from '@sgfree/mm';
import {
  bigintOfU64,
  type IommufdContext,
  type IommufdFieldValues,
  type IommufdIoas,
  type IommufdStruct,
  iommufdFopsIoctl,
  type MockDevice,
  StructBytes,
  u64OfBigint,
  VFIO_COMPAT_STRUCTS,
  VfioRequest,
} from '../../src/index.ts';
import { CoreMachine } from '../core-machine.ts';

/** Bytes of a page. */
export const P = 4096;
/** Where the process has its memory, a multiple of 2 MiB. */
export const VA = 0x40000000;
/** The lowest IOVA of a mock device. */
export const BASE = 0x1000000;

/** The two kinds of IOMMU that a container may be. */
export const TYPES = { type1: 1, type1v2: 3 } as const;
/** One of them. */
export type VfioType = keyof typeof TYPES;

/** The structure with the kernel's name. */
export function vfioStruct(name: string): IommufdStruct {
  const found = VFIO_COMPAT_STRUCTS.find((struct) => struct.name === `vfio_${name}`);
  if (found === undefined) throw new Error(`there is no structure ${name}`);
  return found;
}

/** A structure with the given fields and its smallest size as `argsz`. */
export function encodeVfio(name: string, values: IommufdFieldValues = {}): StructBytes {
  const struct = new StructBytes(vfioStruct(name));
  if (struct.layout.fields[0]?.name === 'argsz') struct.set('argsz', struct.layout.minBytes);
  for (const [field, value] of Object.entries(values)) {
    if (typeof value === 'number') struct.set(field, value);
    else struct.setWide(field, u64OfBigint(value));
  }
  return struct;
}

/** What is asked for. */
export interface VfioWorldOptions extends Partial<ProcessMemoryOptions> {
  /** Kind of IOMMU; null: SET_IOMMU is not called. */
  readonly type?: VfioType | null;
  /** Default true. */
  readonly attached?: boolean;
  /** Default true: the address space is the container's. */
  readonly chosen?: boolean;
  /** Which task runs when several could. */
  readonly seed?: number;
}

/** The machine, and calls on its container. */
export class VfioWorld {
  readonly machine: CoreMachine;
  readonly ioas: IommufdIoas;
  readonly device: MockDevice;
  readonly stdevId: number;

  constructor({
    type = 'type1v2',
    attached = true,
    chosen = true,
    seed = 1,
    ...memory
  }: VfioWorldOptions = {}) {
    this.machine = new CoreMachine(memory, seed);
    this.ioas = this.machine.ioas();
    this.device = this.machine.mock();
    const ids = attached ? this.machine.attach(this.ioas, this.device) : null;
    this.stdevId = ids?.ok === true ? ids.value.stdevId : 0;
    if (!chosen) return;
    this.ctx.vfioIoas = this.ioas;
    if (type !== null && this.call(VfioRequest.SET_IOMMU, TYPES[type]) !== 0) throw new Error('wrong kind');
  }

  get ctx(): IommufdContext {
    return this.machine.ctx;
  }

  run<T>(task: ModelTask<T>): T {
    return this.machine.run(task);
  }

  /** A call with bytes, an address or a number; 0 or more, or a negative errno. */
  call(request: number, argument: Uint8Array | number | null): number {
    return this.run(iommufdFopsIoctl(this.ctx, request, argument));
  }

  /** Gives the process memory in which every page tells which one it is. */
  fill(pages: number, at = VA): void {
    this.machine.mmap(pages * P, at);
    for (let page = 0; page < pages; page += 1) {
      const bytes = new Uint8Array(P).fill(tagOf(page));
      if (this.run(copyToUser(this.machine.process.mm, at + page * P, bytes)) !== 0)
        throw new Error('no memory');
    }
  }

  map(vaddr: number, iova: number, size: number, flags = 3): number {
    const fields = { flags, vaddr: BigInt(vaddr), iova: BigInt(iova), size: BigInt(size) };
    return this.call(VfioRequest.IOMMU_MAP_DMA, encodeVfio('iommu_type1_dma_map', fields).bytes);
  }

  /** The error, and the size that stands in the structure afterwards. */
  unmap(iova: number | bigint, size: number | bigint, flags = 0): { error: number; size: bigint } {
    const fields = { flags, iova: BigInt(iova), size: BigInt(size) };
    const struct = encodeVfio('iommu_type1_dma_unmap', fields);
    const error = this.call(VfioRequest.IOMMU_UNMAP_DMA, struct.bytes);
    return { error, size: bigintOfU64(struct.wide('size')) };
  }

  /** The byte that the device reads at `iova`; null: its IOMMU blocks it. */
  deviceReads(iova: number): number | null {
    const at = u64OfBigint(BigInt(iova));
    const domain = this.device.domain;
    const frame = domain?.frameAt(at) ?? -1;
    if (domain === null || frame < 0) return null;
    const byte = new Uint8Array(1);
    this.machine.memory.read(physOfFrame(frame, domain.byteAt(at)), byte);
    return byte[0] ?? null;
  }

  /** Areas as first and last byte. */
  get areas(): (readonly [number, number])[] {
    return this.ioas.iopt.areas.ranges.map(({ first, last }) => [
      Number(bigintOfU64(first)),
      Number(bigintOfU64(last)),
    ]);
  }

  /** Closes the context; objects, pinned pages, table frames, locked pages and violations that are left. */
  close(): unknown[] {
    const left = this.machine.close();
    const { process, dmaBufs } = this.machine;
    return [...left, process.lockedVm + process.user.lockedVm, dmaBufs.order.allFree, this.machine.rules()];
  }
}

/** What every byte of page `page` of the process is. */
export const tagOf = (page: number): number => (page * 7 + 1) & 0xff;

/** What {@link VfioWorld.close} answers when nothing is lost. */
export const NOTHING_LEFT: readonly unknown[] = [0, 0, 0, 0, true, []];
