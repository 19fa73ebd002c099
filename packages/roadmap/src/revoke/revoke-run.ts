// RevokeRun: one revoke under traffic, from the registrations to the last reference.
// Source followed: the order of events in the field: peers work, the owner takes the memory back, peers fail or flush; those
// who can come back do; in the end everybody leaves. A user who hangs is freed by killing who holds the memory.
// Simplified: the owner acts once.

import type { ModelTask, ScheduledTask } from '@sgfree/hw-model';
import { Clock, Scheduler } from '@sgfree/hw-model';
import { vfioPciCoreCloseDevice } from '@sgfree/vfio-dmabuf/stage-6';
import { closeEnd } from '../exported-bar/rdma-end.ts';
import type { MachineObserver } from '../machine-observer.ts';
import type { WorkCounts } from '../work-counts.ts';
import type { LentTraffic } from './lent-traffic.ts';
import { PlantedRevokeFault } from './planted-revoke-fault.ts';
import { RevokeCast, type RevokeRole } from './revoke-cast.ts';
import { diagnoseHang, type RevokeSuspension } from './revoke-hang.ts';
import type { RevokeInput } from './revoke-input.ts';
import { takeBack, turnOn } from './revoke-owner.ts';
import type { RevokeHang, RevokeProbe } from './revoke-report.ts';
import { RevokeWatch } from './revoke-watch.ts';

/** A run's settings, every default filled in. @internal */
export type RevokeSettings = Required<Omit<RevokeInput, 'plant'>> & Pick<RevokeInput, 'plant'>;

const DEFAULT_JOBS = 24;
const DEFAULT_JOB_BYTES = 1024;
const DEFAULT_HANG_STEPS = 2000;

function revokeSettings(input: RevokeInput): RevokeSettings {
  const { jobs = DEFAULT_JOBS, jobBytes = DEFAULT_JOB_BYTES, hangSteps = DEFAULT_HANG_STEPS } = input;
  const { op = 'table' } = input;
  const { actAfter = Math.ceil((jobs * input.importers.length) / 4) } = input;
  return { ...input, op, jobs, jobBytes, hangSteps, actAfter };
}

/** @internal */
export class RevokeRun {
  readonly settings: RevokeSettings;
  readonly cast: RevokeCast;
  readonly watch: RevokeWatch;
  /** Traffic after the revoke. */
  readonly later: LentTraffic[] = [];
  readonly probes: ReadonlyMap<RevokeRole, RevokeProbe[]>;
  hang: RevokeHang | null = null;
  ownerResult = 0;
  ownerDoneStep: number | null = null;
  schedulerSteps = 0;
  /** Counters before the first region. */
  readonly workBefore: WorkCounts;
  readonly #scheduler: Scheduler;
  readonly #fault: PlantedRevokeFault;

  constructor(input: RevokeInput, observe?: MachineObserver) {
    this.settings = revokeSettings(input);
    this.#scheduler = new Scheduler({ seed: input.seed, clock: new Clock() });
    this.cast = new RevokeCast({
      ...this.settings,
      scheduler: this.#scheduler,
      ...(observe === undefined ? {} : { observe }),
    });
    this.watch = new RevokeWatch(this.cast);
    this.workBefore = this.cast.scene.kernel.sampleWork();
    this.probes = new Map(this.cast.roles.map((role) => [role, []]));
    this.#fault = new PlantedRevokeFault(input.plant, this.cast, this.watch);
  }

  /** Everything, in order. */
  run(): void {
    for (const { importer } of this.cast.roles) this.#do(importer.register());
    this.#revoke();
    this.#probeAll();
    this.watch.close();
    this.#fault.spoil();
  }

  /** Steps from the start of the revoke to the last access; null when nobody had the memory. */
  get lastAccess(): number | null {
    return this.#accepted().length === 0 ? null : this.watch.lastAccess;
  }

  /** Everybody leaves. */
  leave(): void {
    const { roles, scene, fd } = this.cast;
    for (const { importer, connection } of roles) {
      if (!this.#fault.leaks) this.#do(importer.leave());
      this.#do(connection.close());
    }
    this.#do(closeEnd(scene.near));
    this.#do(scene.closeDescriptor(fd));
    if (this.settings.trigger !== 'close') this.#do(vfioPciCoreCloseDevice(scene.vdev));
    this.#settle();
  }

  #revoke(): void {
    for (const role of this.#accepted()) this.#startTraffic(role);
    this.#fault.start();
    const owner = this.#scheduler.spawn('owner', this.#owner());
    const ended = this.#drive(() => owner.done, true);
    if (ended !== 'done') this.#freeOwner(owner, ended);
    this.#drive(() => this.#accepted().every(({ traffic }) => traffic.ended));
    this.#settle();
  }

  #accepted(): RevokeRole[] {
    return this.cast.roles.filter(({ importer }) => importer.refused === 0);
  }

  #startTraffic({ importer, traffic }: RevokeRole): void {
    const goesOn = importer.kind === 'keeps-mapping';
    const task = traffic.run(0, this.settings.jobs - 1, () => goesOn && !this.watch.hung && !this.#over());
    this.#scheduler.spawn(`peer of ${importer.name}`, task);
  }

  #over(): boolean {
    return this.ownerDoneStep !== null;
  }

  *#owner(): ModelTask<void> {
    const { actAfter, trigger } = this.settings;
    const accepted = this.#accepted();
    const completed = (): number => accepted.reduce((sum, { traffic }) => sum + traffic.completed, 0);
    yield {
      at: 'owner:acts',
      until: () => completed() >= actAfter || accepted.every(({ traffic }) => traffic.ended),
    };
    this.ownerResult = yield* takeBack(this.cast.scene.vdev, trigger);
    this.ownerDoneStep = this.cast.scene.clock.step;
  }

  /** The owner hangs: says who holds the memory, has those deregister, and sees whether the owner comes through. */
  #freeOwner(owner: ScheduledTask<void>, because: RevokeSuspension): void {
    const { cast, watch } = this;
    const hang = diagnoseHang(cast, watch, owner.at, because);
    watch.hung = true;
    const from = cast.scene.clock.step;
    for (const { importer } of cast.roles) if (importer.mapped) this.#do(importer.leave());
    const freed = this.#drive(() => owner.done) === 'done';
    this.hang = { ...hang, releasedAfter: freed ? cast.scene.clock.step - from : null };
  }

  #probeAll(): void {
    const { trigger } = this.settings;
    if (this.ownerDoneStep === null) return;
    if (trigger === 'memory-off') {
      this.#probe('while-off');
      this.#do(turnOn(this.cast.scene.vdev, trigger));
    }
    this.#probe('after');
  }

  /** Whether each region still reaches the memory over a fresh connection, and whether a new region could be made. */
  #probe(when: RevokeProbe['when']): void {
    const { jobs } = this.settings;
    const first = when === 'while-off' ? jobs : jobs + 2;
    for (const role of this.#accepted()) {
      if (role.importer.region === null) continue;
      role.connection.reconnect();
      const traffic = role.more();
      this.later.push(traffic);
      this.#do(traffic.run(first, first + 1));
      const sameRegion = traffic.statuses.find((status) => status !== 'SUCCESS') ?? 'SUCCESS';
      const newRegion = this.#do(role.importer.registerAnew());
      this.probes.get(role)?.push({ when, sameRegion, newRegion });
    }
  }

  /** Runs a task to its end, looking at every step. */
  #do<T>(body: ModelTask<T>): T {
    const task = this.#scheduler.spawn('run', body);
    this.#drive(() => task.done);
    return task.result as T;
  }

  #settle(): void {
    this.#drive(() => false);
  }

  /** Steps until `until`; `bounded` gives up when the owner has waited for too long. */
  #drive(until: () => boolean, bounded = false): RevokeSuspension | 'done' {
    const { clock } = this.cast.scene;
    while (!until()) {
      if (this.#scheduler.run(1).steps === 0) return 'nothing-left';
      this.schedulerSteps += 1;
      this.watch.look();
      const { started } = this.watch;
      if (bounded && started !== null && clock.step - started.step > this.settings.hangSteps) return 'bound';
    }
    return 'done';
  }
}
