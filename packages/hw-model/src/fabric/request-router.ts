// RequestRouter: where a memory request of a function goes: to a peer inside a switch, or up to the root complex
// and from there to memory or down to another BAR. By address, with the configuration bytes of this moment.
// On a conventional bus whoever decodes an address takes the request; the bridge above takes what nobody there does.
// Source followed: PCI Express Base Specification 6.0, sections 2.2.4.1 (address routing), 6.12.1.1 (ACS P2P), 1.3.1.
// Simplified: no ATS translation requests, no multicast, no traffic between functions of one device;
// a root complex refuses with Unsupported Request where it may choose; all switches route within one step.

import {
  ADDRESS_LIMIT,
  byteDistance,
  type DmaAddr,
  type PciBusAddr,
  type PhysAddr,
  pciBusAddr,
  physAddr,
  rawOffset,
} from '../addresses.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import { ACS, type AddressType, acsPeerDecision } from './access-control-services.ts';
import type { CompletionStatus } from './completion-status.ts';
import type { HostBridge } from './host-bridge.ts';
import type { PciBar } from './pci-bar.ts';
import type { PciBridge } from './pci-bridge.ts';
import { portNumberOf } from './pci-express-capability.ts';
import type { PciFunction } from './pci-function.ts';
import type { Route } from './route-counters.ts';

/**
 * Finds the completer of a request. The answer stands in its fields until the next call: no allocation per request.
 * @internal
 */
export class RequestRouter {
  /** Set by `resolve`; anything but `success` goes with route `refused`. */
  status: CompletionStatus = 'success';
  /** The BAR that answers; null when memory does. */
  bar: PciBar | null = null;
  /** Offset in that BAR, in bytes. */
  barOffset = 0;
  /** The physical address, for route `memory`. */
  phys: PhysAddr = physAddr(0);
  readonly #memory: PhysicalMemory;
  readonly #hosts: readonly HostBridge[];

  constructor(memory: PhysicalMemory, hosts: readonly HostBridge[]) {
    this.#memory = memory;
    this.#hosts = hosts;
  }

  /** Routes a request for [address, address + bytes), which lies in one 4 KiB page. */
  resolve(
    requester: PciFunction,
    address: DmaAddr,
    bytes: number,
    write: boolean,
    addressType: AddressType,
  ): Route {
    this.bar = null;
    const end = rawOffset(address, bytes);
    if (!requester.busMaster) return this.#refuse('unsupported-request');
    let port = requester.bus.bridge;
    if (port !== null && requester.bus.isShared) {
      const bar = claimBeside(requester, address, end);
      if (bar !== null) return this.#reach(bar, pciBusAddr(address), true);
    }
    while (port !== null) {
      if (!port.busMaster) return this.#refuse('unsupported-request');
      if (!port.admitsSource(requester.bus.number) || !port.admitsAddressType(addressType)) {
        return this.#refuse('completer-abort');
      }
      if (port.covers(address, end)) {
        // Target below the port the request came from: only upstream forwarding lets it pass (6.12.1.1).
        if ((port.acsControl & ACS.upstreamForwarding) === 0) return this.#refuse('unsupported-request');
      } else if (port.kind === 'downstream') {
        const peer = peerCovering(port, address, end);
        const decision =
          peer === null
            ? 'redirect'
            : acsPeerDecision(port.config, port.acsAt, portNumberOf(peer.config), addressType);
        if (decision === 'violation') return this.#refuse('completer-abort');
        if (decision === 'direct' && peer !== null)
          return this.#reach(peer.claim(address, end), pciBusAddr(address), true);
      } else if (port.bus.isShared && port.kind !== 'upstream') {
        const bar = claimBeside(port, address, end);
        if (bar !== null) return this.#reach(bar, pciBusAddr(address), true);
      }
      const above = port.bus.bridge;
      if (port.kind !== 'downstream' || above === null) {
        port = above;
        continue;
      }
      // Inside a switch the upstream port only forwards.
      if (!above.busMaster) return this.#refuse('unsupported-request');
      port = above.bus.bridge;
    }
    return this.#atRootComplex(requester, address, bytes, write, addressType);
  }

  #atRootComplex(
    requester: PciFunction,
    address: DmaAddr,
    bytes: number,
    write: boolean,
    addressType: AddressType,
  ): Route {
    const from = requester.bus.host;
    const agent = requester.translationAgent;
    let phys = rawOffset(address, -from.busOffset);
    if (agent !== null && addressType === 'untranslated') {
      phys = agent.translate(requester.requesterId, address, write);
    } else if (agent !== null && agent.admitsTranslated?.(requester.requesterId) !== true) {
      return this.#refuse('unsupported-request');
    }
    // The agent blocked it (and recorded why), or the offset leads outside the physical space.
    if (phys < 0 || phys >= ADDRESS_LIMIT) return this.#refuse('unsupported-request');
    this.phys = physAddr(phys);
    if (this.#memory.isRam(this.phys, bytes)) {
      this.status = 'success';
      return 'memory';
    }
    for (const host of this.#hosts) {
      if (!host.holds(this.phys, bytes)) continue;
      if (!forwardsPeer(from, host)) return this.#refuse('unsupported-request');
      const busAddress = pciBusAddr(phys + host.busOffset);
      return this.#reach(host.childBus.claim(busAddress, rawOffset(busAddress, bytes)), busAddress, false);
    }
    return this.#refuse('unsupported-request');
  }

  #reach(bar: PciBar | null, busAddress: PciBusAddr, insideSwitch: boolean): Route {
    if (bar === null) return this.#refuse('unsupported-request');
    this.status = 'success';
    this.bar = bar;
    this.barOffset = byteDistance(bar.address, busAddress);
    return insideSwitch ? 'switch-local' : 'host-bridge';
  }

  #refuse(status: CompletionStatus): Route {
    this.status = status;
    return 'refused';
  }
}

/** The other port of the switch, or the function inside it, that a request of `port` is for. */
function peerCovering(port: PciBridge, address: number, end: number): PciFunction | null {
  for (const sibling of port.bus.functions) {
    if (sibling === port) continue;
    if (sibling.secondaryBus === null) {
      if (sibling.claim(address, end) !== null) return sibling;
    } else if ((sibling as PciBridge).covers(address, end)) return sibling;
  }
  return null;
}

/** The BAR that answers on the bus of `from`, other than its own or one behind it. */
function claimBeside(from: PciFunction, address: number, end: number): PciBar | null {
  for (const sibling of from.bus.functions) {
    const bar = sibling === from ? null : sibling.claim(address, end);
    if (bar !== null) return bar;
  }
  return null;
}

function forwardsPeer(from: HostBridge, to: HostBridge): boolean {
  if (from === to) return from.peerToPeer !== 'none';
  return from.peerToPeer === 'any' && to.peerToPeer === 'any';
}
