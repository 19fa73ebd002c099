// GpuDevice: a graphics card as peers see it: VRAM behind BAR 0, all of it or a window on its first part, registers behind BAR 5
// on cards that have them there, and a copy engine.
// Source followed: PCI Express Base Specification 6.0, section 7.8.6 (resizable BAR), and what amdgpu and xe find on a card:
// a prefetchable BAR 0 that shows VRAM from offset 0 on.
// Simplified: no shaders, no display, no page tables of its own: copies name VRAM by offset. One function.

import { BarMemory } from '../../fabric/bar-memory.ts';
import type { BarSpec } from '../../fabric/pci-bar.ts';
import type { TlpSizes } from '../../fabric/pci-express-capability.ts';
import type { PciFabric, PlugPoint } from '../../fabric/pci-fabric.ts';
import type { PciFunction } from '../../fabric/pci-function.ts';
import { InternalError } from '../../internal-error.ts';
import type { Scheduler } from '../../scheduler.ts';
import { DmaEngine } from '../dma-engine.ts';
import { GpuCopyEngine } from './gpu-copy-engine.ts';

const GPU_CLASS_CODE = 0x030000;
const SMALLEST_BAR: number = 2 ** 20;
const REGISTER_BAR = 5;

/**
 * How a card is made.
 * @public
 */
export interface GpuDeviceSpec {
  /** Runs the copy engine. */
  readonly scheduler: Scheduler;
  /** Default `gpu`. */
  readonly name?: string;
  /** A power of two, at least 1 MiB. */
  readonly vramBytes: number;
  /** What BAR 0 shows of it at power-on; a power of two, default all. The BAR can be resized to any power of two up to all. */
  readonly visibleBytes?: number;
  /** Default false: BAR 0 has the size of `visibleBytes` for ever. */
  readonly resizable?: boolean;
  /** Bytes of registers behind BAR 5, a power of two of at least 4 KiB; default none. */
  readonly registerBytes?: number;
  /** PCI vendor and device id. Default 1002:0001. */
  readonly identity?: { readonly vendorId: number; readonly deviceId: number };
  /** Default 256 and 512 bytes. */
  readonly tlpSizes?: TlpSizes;
  /** Bits of the ACS capability; default none. */
  readonly acsCapability?: number;
}

/**
 * A GPU on a fabric.
 * @public
 */
export class GpuDevice {
  readonly endpoint: PciFunction;
  /** All of it, whatever BAR 0 shows: what the card itself reads and writes. */
  readonly vram: BarMemory;
  /** Null for a card without BAR 5. A register keeps what is written to it. */
  readonly registers: BarMemory | null;
  readonly dma: DmaEngine;
  readonly copies: GpuCopyEngine;

  /** Plugs the card in; enumerate the fabric afterwards. */
  constructor(fabric: PciFabric, under: PlugPoint, spec: GpuDeviceSpec) {
    const { scheduler, vramBytes, visibleBytes = vramBytes, name = 'gpu', tlpSizes, acsCapability } = spec;
    if (visibleBytes > vramBytes)
      throw new InternalError(`BAR 0 shows ${visibleBytes} of ${vramBytes} bytes`);
    const vram = new BarMemory(vramBytes);
    this.vram = vram;
    const { registerBytes = 0 } = spec;
    this.registers = registerBytes === 0 ? null : new BarMemory(registerBytes);
    const sizes: number[] = [];
    for (let size = SMALLEST_BAR; spec.resizable === true && size <= vramBytes; size *= 2) sizes.push(size);
    const identity = spec.identity ?? { vendorId: 0x1002, deviceId: 0x0001 };
    this.endpoint = fabric.addEndpoint(under, {
      name,
      identity: { ...identity, classCode: GPU_CLASS_CODE },
      bars: [
        { index: 0, bytes: visibleBytes, prefetchable: true, resizable: sizes, target: vram },
        ...registerBar(this.registers, registerBytes),
      ],
      ...(tlpSizes === undefined ? {} : { tlpSizes }),
      ...(acsCapability === undefined ? {} : { acsCapability }),
    });
    this.dma = new DmaEngine(fabric, this.endpoint);
    const { clock } = fabric;
    this.copies = new GpuCopyEngine({ name, scheduler, clock, dma: this.dma, vram });
  }

  /** What BAR 0 shows of VRAM now, in bytes. */
  get visibleBytes(): number {
    return this.endpoint.bar(0)?.bytes ?? 0;
  }
}

const registerBar = (target: BarMemory | null, bytes: number): BarSpec[] =>
  target === null ? [] : [{ index: REGISTER_BAR, bytes, width: 32, target }];
