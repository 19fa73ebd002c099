// TraceContext: what makes one call of the kernel after another, so that lines of one call are found together: a task,
// or a CPU for the idle task and where the trace names no task.
// Simplified: an interrupt counts as the task that it interrupts; searches go a bounded way back.

import type { Expectation } from './expectation.ts';
import type { BouncedRange, MapLine } from './map-line.ts';
import type { UnmapLine } from './unmap-line.ts';

/** Devices of a task: none yet, one by name, or several. */
export const SEVERAL_DEVICES = '(several)';

/** Tasks that map for virtual machines and user-space drivers. */
const IOMMU_USERS =
  /^(qemu|kvm|CPU \d+\/KVM|vfio|cloud-hypervis|crosvm|firecracker|vhost|dpdk|spdk|reactor_)/i;

/** One task or CPU. */
export class TraceContext {
  readonly task: string;
  readonly cpu: number;
  /** The open iommu:map lines, oldest and newest. */
  oldest: MapLine | null = null;
  newest: MapLine | null = null;
  /** Unmap lines whose owner is not known yet: the last one and the one before. */
  pending: UnmapLine | null = null;
  earlierPending: UnmapLine | null = null;
  /** API lines that announced the unmap line that comes next: the last one and the one before. */
  expecting: Expectation | null = null;
  earlierExpecting: Expectation | null = null;
  /** Memory that was bounced, for the map line that comes next. */
  bounced: BouncedRange | null = null;
  /** The last unmap line whose owner was announced before it, for the invalidation behind it. */
  named: { readonly unmap: UnmapLine; readonly device: string } | null = null;
  /** It maps for virtual machines and user-space drivers; known by its name. */
  readonly usesIommu: boolean;
  /** Device of the DMA API map lines of this context. */
  device = '';

  constructor(task: string, cpu: number) {
    this.task = task;
    this.cpu = cpu;
    this.usesIommu = IOMMU_USERS.test(task);
  }

  /** True when nothing refers to a coming line. */
  get idle(): boolean {
    const { newest, pending, earlierPending, expecting, earlierExpecting } = this;
    const isHeld = [expecting, earlierExpecting].some((one) => one !== null && one.live !== null);
    return newest === null && isDone(pending) && isDone(earlierPending) && !isHeld;
  }

  addOpen(line: MapLine): void {
    line.before = this.newest;
    if (this.newest === null) this.oldest = line;
    else this.newest.after = line;
    this.newest = line;
  }

  removeOpen(line: MapLine): void {
    if (line.before === null) this.oldest = line.after;
    else line.before.after = line.after;
    if (line.after === null) this.newest = line.before;
    else line.after.before = line.before;
    line.before = null;
    line.after = null;
  }

  noteDevice(device: string): void {
    if (this.device === '') this.device = device;
    else if (this.device !== device) this.device = SEVERAL_DEVICES;
  }
}

const isDone = (unmap: UnmapLine | null): boolean => unmap === null || unmap.ready;
const isIdle = (task: string): boolean => task === '' || task.endsWith('-0');
const FIRST_LIMIT = 4096;

/** The contexts of a trace; those that wait for nothing are forgotten when there are many. */
export class ContextTable {
  readonly #byTask = new Map<string, TraceContext>();
  #limit = FIRST_LIMIT;
  #last = new TraceContext('(none)', -1);

  /** The context of a line. */
  of(task: string, cpu: number): TraceContext {
    const last = this.#last;
    if (last.task === task && (last.cpu === cpu || !isIdle(task))) return last;
    const key = isIdle(task) ? `${task}@${cpu}` : task;
    let context = this.#byTask.get(key);
    if (context === undefined) {
      if (this.#byTask.size >= this.#limit) this.#forget();
      context = new TraceContext(task, cpu);
      this.#byTask.set(key, context);
    }
    this.#last = context;
    return context;
  }

  #forget(): void {
    for (const [key, context] of this.#byTask) if (context.idle) this.#byTask.delete(key);
    this.#limit = Math.max(FIRST_LIMIT, 2 * this.#byTask.size);
  }
}
