// ProtectionDomain: what an address space is to the AMD driver: a number, the devices in it, and the units behind them.
// Source followed: drivers/iommu/amd/iommu.c (__domain_flush_pages, amd_iommu_domain_flush_pages, domain_flush_complete,
// attach_device, detach_device, set_dte_entry, amd_iommu_change_top, amd_iommu_set_dirty_tracking).
// Flushes are done when the call returns. Where entries that are not present are cached (a hypervisor's unit) a range is
// covered by aligned blocks exactly, else one command covers the block around it.
// Simplified: host tables only; no nested domains.

import {
  type AmdAttachedDevice,
  type AmdTarget,
  amdIommuFlushTlbDomid,
  deviceFlushDte,
} from './amd-target.ts';
import { buildInvIommuPages, buildInvIotlbPages, COMMAND_WORDS } from './command-words.ts';
import { exactBlockOrder } from './invalidation-address.ts';

/**
 * The page table of a domain as device table entries name it; `levels` 0 = none.
 * @internal
 */
export interface TableTop {
  readonly rootFrame: number;
  readonly levels: number;
}

const LAST_FRAME = 2 ** 52 - 1;

/**
 * A domain of the AMD driver.
 * @internal
 */
export class ProtectionDomain {
  readonly id: number;
  readonly #notPresentCache: boolean;
  readonly #top: () => TableTop;
  /** Newest first. */
  readonly #devices: AmdAttachedDevice[] = [];
  /** Units with a device of the domain, by index, and how many. */
  readonly #units: { readonly target: AmdTarget; devices: number }[] = [];
  #dirtyTracking = false;
  readonly #command = new Uint32Array(COMMAND_WORDS);

  constructor(id: number, notPresentCache: boolean, top: () => TableTop) {
    this.id = id;
    this.#notPresentCache = notPresentCache;
    this.#top = top;
  }

  get devices(): readonly AmdAttachedDevice[] {
    return this.#devices;
  }

  /** Sends a device, whose entry is clear, through the domain (attach_device). */
  attach(device: AmdAttachedDevice): void {
    this.#countUnit(device.target);
    this.#devices.unshift(device);
    this.#setEntry(device);
  }

  /** Blocks a device of the domain and drops whatever the domain has cached (detach_device). */
  detach(device: AmdAttachedDevice): void {
    const at = this.#devices.indexOf(device);
    // Its TLB has been switched off before.
    const silent = { ...device, queueDepth: -1 };
    this.#devices[at] = silent;
    clearEntry(silent);
    this.flushAll();
    this.#devices.splice(at, 1);
    this.#uncountUnit(device.target);
  }

  /** The page table has a new top: every entry follows (amd_iommu_change_top). */
  changeTop(): void {
    for (const device of this.#devices) this.#setEntry(device);
    for (const device of this.#devices) deviceFlushDte(device);
    this.#flushComplete();
  }

  /** Makes the units record writes of the domain's devices, or stop; whatever they have cached is read anew. */
  setDirtyTracking(enable: boolean): void {
    if (this.#dirtyTracking === enable) return;
    for (const device of this.#devices) {
      device.target.table.setDirtyTracking(device.deviceId, enable);
      deviceFlushDte(device);
    }
    if (this.#devices.length > 0) this.flushAll();
    this.#dirtyTracking = enable;
  }

  /** Drops what caches hold of the pages `first` to `last`; with `directory` also of tables that were taken out. */
  flushPages(first: number, last: number, directory: boolean): void {
    if (!this.#notPresentCache) this.#flushBlock(first, last, directory);
    else {
      for (let at = first; at <= last; ) {
        const next = at + 2 ** exactBlockOrder(at, last);
        this.#flushBlock(at, next - 1, directory);
        at = next;
      }
    }
    this.#flushComplete();
  }

  /** Drops everything of the domain. */
  flushAll(): void {
    this.flushPages(0, LAST_FRAME, true);
  }

  #flushBlock(first: number, last: number, directory: boolean): void {
    const command = this.#command;
    buildInvIommuPages(command, this.id, first, last, directory);
    for (const { target } of this.#units) target.queue.queue(command);
    for (const { deviceId, target, queueDepth } of this.#devices) {
      if (queueDepth < 0) continue;
      buildInvIotlbPages(command, deviceId, queueDepth, first, last);
      target.queue.queue(command);
    }
  }

  #flushComplete(): void {
    for (const { target } of this.#units) target.queue.completionWait();
  }

  #setEntry(device: AmdAttachedDevice): void {
    const { deviceId, target, queueDepth } = device;
    const old = target.table.domainIdOf(deviceId);
    const { rootFrame, levels } = this.#top();
    const deviceTlb = queueDepth >= 0;
    const dirtyTracking = this.#dirtyTracking;
    target.table.set(deviceId, { domainId: this.id, rootFrame, levels, deviceTlb, dirtyTracking });
    deviceFlushDte(device);
    target.queue.completionWait();
    // Meant for entries taken over from a crashed kernel, but a rewritten entry looks the same.
    if (old !== 0) amdIommuFlushTlbDomid(target, old);
  }

  #countUnit(target: AmdTarget): void {
    const use = this.#units.find((held) => held.target === target);
    if (use !== undefined) use.devices += 1;
    else {
      this.#units.push({ target, devices: 1 });
      this.#units.sort((one, other) => one.target.index - other.target.index);
    }
  }

  #uncountUnit(target: AmdTarget): void {
    const at = this.#units.findIndex((held) => held.target === target);
    const use = this.#units[at];
    if (use === undefined) return;
    use.devices -= 1;
    if (use.devices === 0) this.#units.splice(at, 1);
  }
}

/**
 * Blocks a device: its entry keeps V alone, and the unit has taken note when the call returns.
 * @internal
 */
export function clearEntry(device: AmdAttachedDevice): void {
  device.target.table.clear(device.deviceId);
  deviceFlushDte(device);
  device.target.queue.completionWait();
}
