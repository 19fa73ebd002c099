// GuestSpaceRun: a guest's device at work while the owner of a part of its memory takes that back, from the first mapping to the
// last reference.
// Source followed: the order of events in the field: the monitor maps, the device works, the owner acts, the device faults; the
// monitor unmaps what is dead and imports again where it may; in the end everybody leaves.
// Simplified: the owner acts once.

import type { ModelTask } from '@sgfree/hw-model';
import { iommufdDeviceDetach, iommufdDeviceUnbind } from '@sgfree/iommufd/stage-7';
import type { Outcome } from '@sgfree/mm';
import { type VfioPciDmaBuf, vfioPciCoreCloseDevice } from '@sgfree/vfio-dmabuf/stage-6';
import { had } from '../certain-value.ts';
import type { MachineObserver } from '../machine-observer.ts';
import { takeBack, turnOn } from '../revoke/revoke-owner.ts';
import { NO_WORK, type WorkCounts, workSince } from '../work-counts.ts';
import { GuestFaultHandler } from './guest-fault-handler.ts';
import { type GuestSpaceInput, type GuestSpaceSettings, guestSpaceSettings } from './guest-space-input.ts';
import type { GuestMoveReport } from './guest-space-report.ts';
import { GuestSpaceScene } from './guest-space-scene.ts';
import { GuestTraffic } from './guest-traffic.ts';
import { GuestWatch } from './guest-watch.ts';
import { knownRanges } from './known-addresses.ts';
import { probeMove } from './move-probe.ts';
import { PlantedGuestFault, plantedDoor } from './planted-guest-fault.ts';
import { probeTwoRanges, type TwoRangeProbe } from './two-range-probe.ts';

/** Pages pinned and charged. @internal */
export type PinCount = readonly [pinned: number, charged: number];

/** @internal */
export class GuestSpaceRun {
  readonly settings: GuestSpaceSettings;
  readonly scene: GuestSpaceScene;
  readonly twoRanges: TwoRangeProbe;
  readonly move: GuestMoveReport;
  readonly iova: number;
  readonly watch: GuestWatch;
  readonly faults: GuestFaultHandler;
  readonly mapWork: WorkCounts;
  readonly mapAllocatedBytes: number;
  readonly rangesKnown: number;
  readonly mappingsCounted: number;
  readonly pins: PinCount[] = [];
  readonly ram: GuestTraffic;
  readonly bar: GuestTraffic;
  /** Accesses by the old guest address, and by the new one. */
  readonly old: GuestTraffic;
  fresh: GuestTraffic | null = null;
  ownerResult = 0;
  ownerDoneStep: number | null = null;
  ramJobsAtOwnerDone = 0;
  /** Transfers to the BAR that worked before the owner acted. */
  barBeforeRevoke = 0;
  rangesKept = -1;
  revokeWork: WorkCounts = NO_WORK;
  oldAreaWorks = false;
  importWhileOff: number | null = null;
  importAfter = 0;
  newIova: number | null = null;
  unmapped = 0;
  readonly #fault: PlantedGuestFault;
  readonly #fd: number;
  readonly #lent: VfioPciDmaBuf;

  constructor(input: GuestSpaceInput, observe?: MachineObserver) {
    this.settings = guestSpaceSettings(input);
    const { plant, door, seed } = this.settings;
    const opened = plantedDoor(door, plant);
    this.scene = new GuestSpaceScene(this.settings, opened, observe);
    const { scene } = this;
    this.move = probeMove(this.settings, opened);
    this.twoRanges = probeTwoRanges(scene, seed, plant === 'swapped-ranges');
    this.#fd = scene.exportBar({ offset: 0, length: scene.barSlots.bytes });
    const [lent] = scene.kernel.vdev.dmabufs.slice(-1);
    this.#lent = lent as VfioPciDmaBuf;
    const [work, allocated] = [scene.sampleWork(), scene.kernel.allocatedBytes];
    this.iova = had('the memory cannot be mapped', scene.run(this.#import()));
    this.mapWork = workSince(work, scene.sampleWork());
    this.mapAllocatedBytes = scene.kernel.allocatedBytes - allocated;
    this.rangesKnown = knownRanges(this.#lent);
    this.mappingsCounted = this.#lent.kref - 1;
    this.#fault = new PlantedGuestFault(plant, scene, this.#lent, this.iova);
    this.#fault.mapped();
    this.#countPins();
    this.faults = new GuestFaultHandler(scene.kernel.unit);
    this.watch = new GuestWatch(scene, this.iova);
    this.ram = this.#traffic(scene.ramIova, 'ram');
    this.bar = this.#traffic(this.iova, 'bar');
    this.old = this.#traffic(this.iova, 'bar');
  }

  /** Everything, in order. */
  run(): void {
    this.#revoke();
    this.#countPins();
    this.#fault.ownerDone();
    this.#probe();
    this.#fault.spoil();
  }

  /** Everybody leaves. */
  leave(): void {
    const { scene, settings } = this;
    const { calls, ioas, barSlots, ramIova, ramSlots, kernel, idev } = scene;
    if (!this.#fault.is('left-attached')) {
      if (this.newIova !== null) this.#do(calls.unmap(ioas, this.newIova, barSlots.bytes));
      this.#do(calls.unmap(ioas, ramIova, ramSlots.bytes));
      this.#do(iommufdDeviceDetach(idev));
      this.#do(iommufdDeviceUnbind(idev));
      this.#do(calls.destroy(ioas));
      this.#do(this.#closeContext());
    }
    this.#do(kernel.dmaBufs.files.close(this.#fd));
    if (settings.trigger !== 'close') this.#do(vfioPciCoreCloseDevice(kernel.vdev));
    this.#drive(() => false);
    this.#countPins();
  }

  #traffic(iova: number, what: 'ram' | 'bar'): GuestTraffic {
    const { engine, ramSlots, barSlots } = this.scene;
    const stops = what === 'bar' && this.settings.plant === 'device-stops';
    return new GuestTraffic({
      engine,
      iova,
      slots: what === 'ram' ? ramSlots : barSlots,
      over: () => this.ownerDoneStep !== null,
      stopped: () => stops && this.bar.done.length >= this.settings.actAfter,
    });
  }

  #revoke(): void {
    const { scheduler } = this.scene;
    const device = scheduler.spawn('device: RAM', this.ram.run());
    const other = scheduler.spawn('device: BAR', this.bar.run());
    const owner = scheduler.spawn('owner', this.#owner());
    this.#drive(() => owner.done && device.done && other.done);
  }

  *#owner(): ModelTask<void> {
    const { actAfter, trigger } = this.settings;
    yield { at: 'owner:acts', until: () => this.bar.done.length >= actAfter };
    this.barBeforeRevoke = this.bar.done.length - this.bar.refused;
    this.#fault.ownerActs();
    const before = this.scene.sampleWork();
    this.ownerResult = yield* takeBack(this.scene.kernel.vdev, trigger);
    if (!this.#fault.is('not-counted')) this.revokeWork = workSince(before, this.scene.sampleWork());
    this.ownerDoneStep = this.scene.clock.step;
    this.ramJobsAtOwnerDone = this.ram.done.length;
    this.rangesKept = knownRanges(this.#lent);
  }

  /** The old area stays dead and unmaps in full; importing works again once the memory is given out. */
  #probe(): void {
    const { scene, settings, watch } = this;
    const { trigger, jobs } = settings;
    if (trigger === 'memory-off') {
      this.importWhileOff = this.#importAnew();
      this.#do(turnOn(scene.kernel.vdev, trigger));
    }
    if (!this.#fault.is('device-stops')) this.oldAreaWorks = this.#do(this.old.transfer(jobs));
    watch.close();
    const { calls, ioas, barSlots } = scene;
    const cut = this.#fault.is('unmap-cut') ? barSlots.bytes / 2 : barSlots.bytes;
    this.unmapped = numberOf(this.#do(calls.unmap(ioas, this.iova, cut)));
    this.importAfter = this.#importAnew();
    if (this.newIova !== null) this.#work(this.newIova);
  }

  #work(iova: number): void {
    const { jobs } = this.settings;
    this.fresh = this.#traffic(iova, 'bar');
    for (const job of [jobs + 2, jobs + 3]) this.#do(this.fresh.transfer(job));
  }

  *#import(): ModelTask<Outcome<number>> {
    const { calls, ioas, barSlots } = this.scene;
    return yield* calls.mapFile(ioas, this.#fd, barSlots.bytes);
  }

  /** 0 or the errno. */
  #importAnew(): number {
    const mapped = this.#do(this.#import());
    if (!mapped.ok) return mapped.errno;
    this.newIova = mapped.value;
    return 0;
  }

  *#closeContext(): ModelTask<void> {
    const { ctx } = this.scene.kernel;
    ctx.refs -= 1;
    if (ctx.refs === 0) yield* ctx.release();
  }

  #countPins(): void {
    const { mm, user } = this.scene.kernel.process;
    this.pins.push([mm.pinnedVm, user.lockedVm]);
  }

  /** Runs a task to its end, looking at every step. */
  #do<T>(body: ModelTask<T>): T {
    const task = this.scene.scheduler.spawn('run', body);
    this.#drive(() => task.done);
    return task.result as T;
  }

  #drive(until: () => boolean): void {
    while (!until()) {
      if (this.scene.scheduler.run(1).steps === 0) return;
      this.watch.look();
      if (!this.#fault.is('records-unread')) this.faults.service();
      this.#fault.look(this.watch);
    }
  }
}

/** The value, or a negative errno. */
const numberOf = (outcome: Outcome<number>): number => (outcome.ok ? outcome.value : -outcome.errno);
