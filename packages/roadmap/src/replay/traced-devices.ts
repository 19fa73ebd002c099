// TracedDevices: the devices of a trace, numbered as they appear, with what the trace says of each.
// A direct user of the IOMMU (VFIO) names no device: each of its tasks counts as one, under the task's name.
// Source followed: dev_name() in the trace lines.
// Simplified: so many devices are followed; mappings of further ones are counted together under no name.

import type { TracedMapping, TraceFinding } from '@sgfree/trace';
import type { TracedDeviceReport } from './replay-report.ts';
import type { ReplayUser } from './run-device.ts';
import { TracedTally } from './traced-tally.ts';

const MOST_DEVICES = 256;
const MOST_OTHERS = 16;
const FOUR_GIB = 2 ** 32;

/** One device of the trace. */
export class TracedDevice {
  /** Among the devices of each run; -1 before its first mapping that is replayed. */
  index = -1;
  readonly name: string;
  readonly user: ReplayUser;
  readonly tally: TracedTally = new TracedTally();
  /** True once the device was seen with streaming, or coherent, memory beyond 4 GiB. */
  wideStreaming = false;
  wideCoherent = false;

  constructor(name: string, user: ReplayUser) {
    this.name = name;
    this.user = user;
  }

  /** Looks at the addresses of a mapping; true when the masks have to grow. */
  widensWith({ kind, dmaAddr, bytes }: TracedMapping, phys: readonly number[]): boolean {
    const beyond = dmaAddr + bytes > FOUR_GIB;
    if (kind === 'coherent') {
      const grows = beyond && !this.wideCoherent;
      this.wideCoherent ||= beyond;
      return grows;
    }
    if (this.wideStreaming) return false;
    this.wideStreaming = beyond || phys.some((start) => start >= FOUR_GIB);
    return this.wideStreaming;
  }

  report(): TracedDeviceReport {
    return {
      device: this.name,
      user: this.user,
      streamingMaskBits: this.wideStreaming ? 64 : 32,
      coherentMaskBits: this.wideCoherent ? 64 : 32,
      ...this.tally.report(),
    };
  }
}

/** All devices of a trace, or the one that was asked for. */
export class TracedDevices {
  /** Mappings of devices beyond the number that is followed. */
  readonly beyond: TracedTally = new TracedTally();
  /** Some names of devices that are not followed. */
  readonly others: Set<string> = new Set();
  /** Mappings that are not followed because no line names their device. */
  unnamedLeftOut = 0;
  readonly #byName = new Map<string, TracedDevice>();
  readonly #users = new Map<string, TracedDevice>();
  readonly #only: string | null;
  #last: TracedDevice | null = null;

  /** `only`: the device to follow, or the task of a direct user; null = all. */
  constructor(only: string | null) {
    this.#only = only;
  }

  get all(): TracedDevice[] {
    return [...this.#byName.values(), ...this.#users.values()];
  }

  /** All that was followed, and what was beyond. */
  total(): TracedTally {
    const total = new TracedTally();
    for (const { tally } of this.all) total.addAll(tally);
    total.addAll(this.beyond);
    return total;
  }

  /** Whose mapping it is: null when that is not followed, `full` when there are too many already. */
  ofMapping({ kind, device, mappedTask }: TracedMapping): TracedDevice | 'full' | null {
    if (kind === 'iommu-api') return this.#user(mappedTask, device);
    const found = this.of(device);
    if (found === null && device === '') this.unnamedLeftOut += 1;
    return found;
  }

  /** Whom a finding concerns. */
  ofFinding({ mapping, device, task }: TraceFinding): TracedDevice | 'full' | null {
    if (mapping?.kind === 'iommu-api') return this.#user(mapping.mappedTask, mapping.device);
    return (device === '' ? this.#users.get(task) : undefined) ?? this.of(device);
  }

  /** The device called `name`. */
  of(name: string): TracedDevice | 'full' | null {
    if (this.#last?.name === name) return this.#last;
    if (!this.#follows(name)) return null;
    const device = this.#byName.get(name) ?? this.#add(this.#byName, name, 'dma-api');
    if (device !== 'full') this.#last = device;
    return device;
  }

  #user(task: string, device: string): TracedDevice | 'full' | null {
    if (this.#only !== device && !this.#follows(task)) return null;
    return this.#users.get(task) ?? this.#add(this.#users, task, 'iommu-api');
  }

  #follows(name: string): boolean {
    if (this.#only === null || this.#only === name) return true;
    if (name !== '' && this.others.size < MOST_OTHERS) this.others.add(name);
    return false;
  }

  #add(names: Map<string, TracedDevice>, name: string, user: ReplayUser): TracedDevice | 'full' {
    if (this.#byName.size + this.#users.size >= MOST_DEVICES) return 'full';
    const device = new TracedDevice(name, user);
    names.set(name, device);
    return device;
  }
}
