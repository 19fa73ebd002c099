// DeviceKnowledge: what the lines of a trace tell of devices and their domains, so that the device of a two-step
// transfer, which has no line of its own, can be inferred from the domain id of its invalidation.
// Source followed: the cache tags of drivers/iommu/intel/cache.c; a domain id belongs to one unit.
// Simplified: a domain id that was seen with two devices stands for neither of them.

import type { MapLine } from './map-line.ts';
import type { ReconstructedMapping } from './reconstructed-mapping.ts';
import type { ReconstructionRule } from './reconstruction-rules.ts';
import { SEVERAL_DEVICES } from './trace-context.ts';

/** One device. */
export interface KnownDevice {
  readonly name: string;
  /** IOMMU group, -1 unknown. */
  group: number;
  /** The trace shows how the device was found, so it shows all its mappings. */
  fromStart: boolean;
  /** Some of its mappings have iommu:map lines. */
  translated: boolean;
  /** Some of its DMA addresses are not the physical ones, so that none need be. */
  remapped: boolean;
  /** A line of the DMA API names it. */
  usesDma: boolean;
}

const UNIT_DOMAINS = 2 ** 24;
/** Intel's rule of thumb: ids 0 and 1 are taken, groups get their default domains in order. */
const FIRST_GROUP_DOMAIN = 2;
const MOST_DEVICES = 65_536;

const newDevice = (name: string): KnownDevice => ({
  name,
  group: -1,
  fromStart: false,
  translated: false,
  remapped: false,
  usesDma: false,
});

export class DeviceKnowledge {
  /** Changes whenever more can be inferred than before. */
  version = 0;
  dmaSeen = false;
  /** Lines that end mappings of the DMA API are traced, too. */
  unmapSeen = false;
  readonly #devices = new Map<string, KnownDevice>();
  #last: KnownDevice = newDevice('');
  readonly #units = new Map<string, number>();
  readonly #domains = new Map<number, string>();
  readonly #groups = new Map<number, string>();
  #groupRuleHolds = 0;
  #groupRuleFails = 0;
  /** The one device of all DMA API lines. */
  #only = '';

  /** The entry of a device, made when it is new. */
  of(name: string): KnownDevice {
    if (this.#last.name === name) return this.#last;
    let device = this.#devices.get(name);
    if (device === undefined) {
      device = newDevice(name);
      if (this.#devices.size < MOST_DEVICES) this.#devices.set(name, device);
    }
    this.#last = device;
    return device;
  }

  /** A line of the DMA API names this device. */
  ofDmaLine(name: string): KnownDevice {
    const device = this.of(name);
    if (!device.usesDma) {
      device.usesDma = true;
      this.dmaSeen = true;
      this.#only = this.#only === '' ? name : SEVERAL_DEVICES;
      this.version += 1;
    }
    return device;
  }

  /** A device joined a group; nothing of it was mapped before. */
  joined(name: string, group: number, fromStart: boolean): void {
    const device = this.of(name);
    device.group = group;
    device.fromStart = fromStart;
    if (group < 0 || this.#groups.size > MOST_DEVICES) return;
    const known = this.#groups.get(group);
    this.#groups.set(group, known === undefined || known === name ? name : SEVERAL_DEVICES);
    this.version += 1;
  }

  /** A device gets another domain: the ids that were seen with it may be given to others. */
  attached(name: string): void {
    for (const [domain, device] of this.#domains) if (device === name) this.#domains.delete(domain);
  }

  /** A number for a domain of a unit. */
  domainKey(unit: string, id: number): number {
    let number = this.#units.get(unit);
    if (number === undefined) {
      number = this.#units.size;
      this.#units.set(unit, number);
    }
    return number * UNIT_DOMAINS + id;
  }

  /** A range of this domain belonged to this device. */
  learn(domain: number, device: string): void {
    if (domain < 0 || device === '') return;
    const known = this.#domains.get(domain);
    if (known === device || known === SEVERAL_DEVICES) return;
    this.#domains.set(domain, known === undefined ? device : SEVERAL_DEVICES);
    const { group } = this.of(device);
    if (group >= 0 && (domain % UNIT_DOMAINS) - FIRST_GROUP_DOMAIN === group) this.#groupRuleHolds += 1;
    else this.#groupRuleFails += 1;
    this.version += 1;
  }

  /** The device of a domain; empty when unknown or not one. */
  deviceOf(domain: number): string {
    const device = domain < 0 ? undefined : this.#domains.get(domain);
    return device === undefined || device === SEVERAL_DEVICES ? '' : device;
  }

  #deviceOfGroup(domain: number): string {
    if (domain < 0 || this.#groupRuleHolds === 0 || this.#groupRuleFails > 0) return '';
    const device = this.#groups.get((domain % UNIT_DOMAINS) - FIRST_GROUP_DOMAIN);
    return device === undefined || device === SEVERAL_DEVICES ? '' : device;
  }

  /**
   * Names the device of a mapping without API line, if a rule does; true when it did. A domain that is known to be none
   * of the known ones is not that of the only device seen, a device with something else there is not this one, and direct
   * users of the IOMMU have devices that the DMA API does not see.
   */
  infer(mapping: ReconstructedMapping, { domain, context, notDevice }: MapLine): boolean {
    const another = domain >= 0 && this.#domains.size > 0 && !this.#domains.has(domain);
    const isDirect = mapping.kind === 'iommu-api';
    const possible = (device: string): string =>
      isDirect || another || device === SEVERAL_DEVICES || device === notDevice ? '' : device;
    return (
      inferAs(mapping, this.deviceOf(domain), 'device-by-domain-id') ||
      inferAs(mapping, this.#deviceOfGroup(domain), 'device-by-group') ||
      inferAs(mapping, possible(this.#only), 'device-only-one') ||
      inferAs(mapping, possible(context.device), 'device-only-one-of-task')
    );
  }
}

/** Gives a mapping its device by a rule; false when there is none. */
export function inferAs(mapping: ReconstructedMapping, device: string, rule: ReconstructionRule): boolean {
  if (device === '' || mapping.device !== '') return false;
  mapping.device = device;
  mapping.deviceFrom = 'inferred';
  mapping.addRule(rule);
  return true;
}
