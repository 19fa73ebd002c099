// P2pPlatform: what peer-to-peer DMA shares on one machine: its functions, the kernel's rules, page frames, the log.
// Source followed: what drivers/pci/p2pdma.c takes from globals (the device list, boot_cpu_data, get_random_u32_below).
// Simplified: allocations fail only when the machine's builder says so.

import {
  type ChoicePolicy,
  EventLog,
  firstChoice,
  type HostBridge,
  type PciBus,
  type PciFunction,
} from '@sgfree/hw-model';
import { PageFrames } from '@sgfree/mm';
import { HostRules, type P2pCpu } from './host-rules.ts';
import type { KnownKernel } from './kernel-version.ts';
import { mapTypesIndex, type P2pClient } from './p2p-client.ts';
import { PciDev } from './pci-dev.ts';

/**
 * How a machine does peer-to-peer DMA; only its host bridges are needed.
 * @public
 */
export interface P2pPlatformOptions {
  /** Those of the fabric. */
  readonly hosts: readonly HostBridge[];
  /** Default: an Intel CPU of family 6. */
  readonly cpu?: P2pCpu;
  /** Default 7.3.4. */
  readonly kernel?: KnownKernel;
  /** Where zone-device pages are registered; the DMA layer's own. */
  readonly frames?: PageFrames;
  readonly log?: EventLog;
  /** Chooses among equally near providers; default the first. */
  readonly choose?: ChoicePolicy;
  /** Asked before each allocation of so many bytes; false makes it fail. Default: all succeed. */
  readonly allocate?: (bytes: number) => boolean;
}

/**
 * Shared ground of all functions of one machine that take part in peer-to-peer DMA.
 * @public
 */
export class P2pPlatform {
  readonly rules: HostRules;
  readonly frames: PageFrames;
  readonly log: EventLog;
  readonly choose: ChoicePolicy;
  allocate: (bytes: number) => boolean;
  readonly #hosts: readonly HostBridge[];
  readonly #devs = new Map<PciFunction, PciDev>();

  constructor(options: P2pPlatformOptions) {
    this.#hosts = options.hosts;
    this.rules = new HostRules(
      options.kernel ?? '7.3.4',
      options.cpu ?? { vendor: 'GenuineIntel', family: 6 },
    );
    this.frames = options.frames ?? new PageFrames();
    this.log = options.log ?? new EventLog();
    this.choose = options.choose ?? firstChoice;
    this.allocate = options.allocate ?? (() => true);
  }

  /** The kernel's object for a function; the same one for every call. */
  devOf(fn: PciFunction): PciDev {
    const known = this.#devs.get(fn);
    if (known !== undefined) return known;
    const made = new PciDev(this, fn);
    this.#devs.set(fn, made);
    return made;
  }

  /** Every function of the machine, bus by bus from the top. */
  devices(): PciDev[] {
    const found: PciDev[] = [];
    const visit = (bus: PciBus): void => {
      for (const fn of bus.functions) {
        found.push(this.devOf(fn));
        if (fn.secondaryBus !== null) visit(fn.secondaryBus);
      }
    };
    for (const { childBus } of this.#hosts) visit(childBus);
    return found;
  }

  /** The PCI function that does the requests of `client`; null when none on this machine has its segment and id. */
  clientDev(client: P2pClient): PciDev | null {
    if (client instanceof PciDev) return client;
    const wanted = mapTypesIndex(client);
    return this.devices().find((dev) => mapTypesIndex(dev) === wanted) ?? null;
  }
}
