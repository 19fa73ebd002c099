// IbDevice: an RDMA device as verbs see it: a NIC, the device that does its DMA, and what it is capable of.
// Source followed: include/rdma/ib_verbs.h (struct ib_device, struct ib_device_attr).
// The capabilities are those of the modelled NIC; a test or a scenario may take some away.
// Simplified: one port; no clients, no GIDs, no ports going up and down.

import type { Device } from '@sgfree/dma-core';
import {
  EventLog,
  RDMA_ACCESS,
  RDMA_EVERY_PD,
  type RdmaAsyncEvent,
  type RdmaKeyEntry,
  type RdmaNic,
} from '@sgfree/hw-model';
import type { IbQp } from './ib-qp.ts';

/**
 * What a device can do.
 * @public
 */
export interface IbDeviceAttr {
  /** Pages that a fast registration may have. */
  readonly maxFastRegPageListLen: number;
  readonly maxQpWr: number;
  readonly maxSendSge: number;
  readonly maxRecvSge: number;
  readonly maxInlineData: number;
  readonly maxCqe: number;
  readonly maxPd: number;
  /** Page faults: regions whose blocks come on demand. */
  readonly onDemandPaging: boolean;
  readonly flushGlobal: boolean;
  readonly flushPersistent: boolean;
  /** The device has a key of its own for all DMA addresses (`IBK_LOCAL_DMA_LKEY`). */
  readonly localDmaLkey: boolean;
}

/** What the modelled NIC can do. */
const DEFAULT_ATTRS: IbDeviceAttr = {
  maxFastRegPageListLen: 4096,
  maxQpWr: 1024,
  maxSendSge: 30,
  maxRecvSge: 30,
  maxInlineData: 512,
  maxCqe: 65536,
  maxPd: 65536,
  onDemandPaging: true,
  flushGlobal: false,
  flushPersistent: false,
  localDmaLkey: false,
};

/**
 * How a device is made.
 * @public
 */
export interface IbDeviceOptions {
  readonly name?: string;
  /** Does the DMA; null for a software device, whose addresses are virtual. Default null. */
  readonly dmaDevice?: Device | null;
  readonly log?: EventLog;
  /** Asked before each allocation of so many bytes; false makes it fail. Default: all succeed. */
  readonly allocate?: (bytes: number) => boolean;
  readonly attrs?: Partial<IbDeviceAttr>;
}

/**
 * An RDMA device.
 * @kernel struct ib_device
 * @public
 */
export class IbDevice {
  readonly name: string;
  readonly nic: RdmaNic;
  readonly dmaDevice: Device | null;
  readonly log: EventLog;
  readonly attrs: IbDeviceAttr;
  allocate: (bytes: number) => boolean;
  /** Key for every DMA address, 0 without {@link IbDeviceAttr.localDmaLkey}. */
  readonly localDmaLkey: number;
  /** Queue pairs by number. */
  readonly qps: Map<number, IbQp> = new Map();
  /** Protection domains in use. */
  pdCount = 0;
  #nextPdn = 1;

  constructor(nic: RdmaNic, options: IbDeviceOptions = {}) {
    this.nic = nic;
    this.name = options.name ?? nic.name;
    this.dmaDevice = options.dmaDevice ?? null;
    this.log = options.log ?? new EventLog();
    this.allocate = options.allocate ?? (() => true);
    this.attrs = { ...DEFAULT_ATTRS, ...options.attrs };
    this.localDmaLkey = this.attrs.localDmaLkey ? ownKey(nic) : 0;
    nic.onAsyncEvent = (event, pair) => this.#event(event, pair.number);
  }

  /** A protection domain number that no other domain has. */
  takePdn(): number {
    const pdn = this.#nextPdn;
    this.#nextPdn += 1;
    return pdn;
  }

  #event(event: RdmaAsyncEvent, qpNumber: number): void {
    if (this.log.enabled) this.log.post({ kind: 'rdma:event', device: this.name, event, qp: qpNumber });
    const qp = this.qps.get(qpNumber);
    if (qp !== undefined) qp.eventHandler?.(event, qp);
  }
}

function ownKey(nic: RdmaNic): number {
  const entry: RdmaKeyEntry | null = nic.keys.allocate('dma', RDMA_EVERY_PD);
  if (entry === null) return 0;
  entry.validate({ access: RDMA_ACCESS.localWrite, iova: 0, length: 0, translation: null });
  return entry.lkey;
}
