// ReplayRun: one stage under one mode: every device of the trace on one machine, each mapping made and undone by real calls.
// Source followed: the DMA API as the traced drivers called it; time is the trace's own.
// Simplified: a mapping that one run cannot make is counted there and left out there; other runs go on with it.

import type { TracedMappingKind } from '@sgfree/trace';
import { CoherentMethod } from './coherent-method.ts';
import { IommuApiMethod } from './iommu-api-method.ts';
import { MappedLevel } from './mapped-level.ts';
import type { MappingMethod } from './mapping-method.ts';
import { PhysMethod } from './phys-method.ts';
import type { ReplayMapping } from './replay-mapping.ts';
import type { ReplayMode, ReplayStage } from './replay-plan.ts';
import { InvalidationCounts } from './run-books.ts';
import { RunClock } from './run-clock.ts';
import { type ReplayUser, RunDevice } from './run-device.ts';
import { RunMachine } from './run-machine.ts';
import { SgMethod } from './sg-method.ts';
import { TranslationCheck } from './translation-check.ts';
import { TwoStepMethod } from './two-step-method.ts';

const NOT_MAPPED = -1;

/** A run of one stage under one mode. */
export class ReplayRun {
  readonly stage: ReplayStage;
  readonly mode: ReplayMode;
  readonly machine: RunMachine;
  readonly clock: RunClock;
  readonly check: TranslationCheck;
  /** By index. */
  readonly devices: RunDevice[] = [];
  /** All devices together. */
  readonly level: MappedLevel = new MappedLevel();
  /** Most pages of tables and queues at once, of all devices and the unit. */
  tablePagesPeak = 0;
  readonly #methods: Readonly<Record<TracedMappingKind, MappingMethod>>;
  /** The unit's counts when they were booked last. */
  readonly #booked = new InvalidationCounts();
  /** By slot: the DMA address of the first byte, -1 = not mapped here; and the tracking memory of the mapping. */
  readonly #first: number[] = [];
  readonly #tracking: number[] = [];
  #lastFrames = -1;

  constructor(stage: ReplayStage, mode: ReplayMode) {
    this.stage = stage;
    this.mode = mode;
    this.machine = new RunMachine(mode);
    this.clock = new RunClock(this.machine.clock, mode, () => this.#afterTimers());
    this.check = new TranslationCheck(this.machine);
    const sg = new SgMethod(this.machine.platform.frames);
    this.#methods = {
      phys: new PhysMethod(),
      sg,
      coherent: new CoherentMethod(mode !== 'passthrough'),
      'two-step': stage === 0 ? sg : new TwoStepMethod(),
      'iommu-api': new IommuApiMethod(),
    };
  }

  /** Adds the device with the next index; requester ids are running numbers, since buses repeat from segment to segment. */
  addDevice(name: string, user: ReplayUser): void {
    this.devices.push(new RunDevice(this.machine, name, this.devices.length + 1, user));
    this.#booked.take(this.machine.unit.counters);
  }

  /** Makes a mapping, `ms` milliseconds after the first time of the trace (-1 unknown). */
  map(mapping: ReplayMapping, ms: number): void {
    const { slot, traced } = mapping;
    this.clock.passTo(ms);
    const device = this.#deviceOf(mapping);
    const method = this.#methods[mapping.kind];
    this.#enter(mapping, mapping.cpu);
    const first = method.map(device, mapping);
    this.machine.log.callEnded(first === NOT_MAPPED);
    this.#first[slot] = first;
    if (this.machine.unit.counters.waits !== this.#booked.waits) this.#book(device);
    if (first === NOT_MAPPED) {
      device.books.fail(method.failure);
      return;
    }
    const tracking = device.books.map(mapping, method);
    this.#tracking[slot] = tracking;
    this.level.map(mapping.spaceBytes, tracking);
    if (this.machine.frames.liveFrames !== this.#lastFrames) this.#noteTables(device);
    device.survey?.mapped(traced.mappedAt);
    if (this.check.wants(mapping)) {
      this.check.mapped(mapping, device.dev.requesterId, first, method.lastByte(mapping));
    }
  }

  /** Undoes a mapping at `ms` milliseconds on `cpu`; nothing happens when this run could not make it. */
  unmap(mapping: ReplayMapping, ms: number, cpu: number): void {
    const { slot } = mapping;
    this.clock.passTo(ms);
    const first = this.#first[slot] as number;
    if (first === NOT_MAPPED) return;
    this.#first[slot] = NOT_MAPPED;
    const device = this.#deviceOf(mapping);
    this.#enter(mapping, cpu);
    this.#methods[mapping.kind].unmap(device, mapping);
    this.machine.log.callEnded(false);
    if (this.machine.unit.counters.waits !== this.#booked.waits) this.#book(device);
    const tracking = this.#tracking[slot] as number;
    device.books.unmap(mapping, tracking);
    this.level.unmap(mapping.spaceBytes, tracking);
    const queued = device.exposure !== null && !this.#flushesItself(mapping);
    if (queued) device.exposure.afterQueueing(cpu, this.machine.clock.nowMs);
    if (device.domain !== null && this.check.wants(mapping)) {
      this.check.unmapped(mapping, device.dev.requesterId, first, !queued);
    }
  }

  #deviceOf({ device }: ReplayMapping): RunDevice {
    return this.devices[device] as RunDevice;
  }

  /** The two-step API flushes at once, whatever the mode is. */
  #flushesItself({ kind }: ReplayMapping): boolean {
    return kind === 'two-step' && this.stage === 1;
  }

  #enter(mapping: ReplayMapping, cpu: number): void {
    this.machine.platform.currentCpu = cpu;
    this.machine.log.enabled = this.check.watches(mapping);
  }

  #book(device: RunDevice): void {
    const { counters } = this.machine.unit;
    device.books.invalidations.add(this.#booked, counters, 1);
    this.#booked.take(counters);
  }

  #noteTables(device: RunDevice): void {
    const { liveFrames } = this.machine.frames;
    this.#lastFrames = liveFrames;
    const tables = device.domain?.table.liveTables ?? 0;
    if (tables > device.tablePagesPeak) device.tablePagesPeak = tables;
    if (liveFrames > this.tablePagesPeak) this.tablePagesPeak = liveFrames;
  }

  /** Timers have fired together: each queue that was flushed had the same flush of its whole domain. */
  #afterTimers(): void {
    const { clock, unit } = this.machine;
    const flushed = this.devices.filter((device) => device.exposure?.afterTimers(clock.nowMs) === true);
    for (const { books } of flushed) books.invalidations.add(this.#booked, unit.counters, flushed.length);
    this.#booked.take(unit.counters);
  }
}
