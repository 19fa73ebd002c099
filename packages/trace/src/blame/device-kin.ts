// DeviceKin: which devices may send requests in each other's name.
// Source followed: `iommu:add_device_to_group`; functions of one PCI slot share a requester id on some hardware.
// Simplified: the trace's group lines only, up to a bound; no topology.

const MOST_DEVICES = 65536;

/**
 * What the trace says about kinship.
 * @internal
 */
export class DeviceKin {
  readonly #groups = new Map<string, number>();

  joined(device: string, group: number): void {
    if (this.#groups.size < MOST_DEVICES) this.#groups.set(device, group);
  }

  /** Why the two may be mixed up; empty when nothing says so. */
  relation(one: string, two: string): string {
    const group = this.#groups.get(one);
    if (group !== undefined && group === this.#groups.get(two)) return `both are in IOMMU group ${group}`;
    return slotOf(one) !== '' && slotOf(one) === slotOf(two) ? 'both are functions of one slot' : '';
  }
}

const slotOf = (device: string): string => /^(.+:..:..)[.].$/.exec(device)?.[1] ?? '';
