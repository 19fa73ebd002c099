// Planted bugs: each an exporter or importer that departs from the correct one in a single step.
// Source followed: the duties of both sides in the revoke contract, and the mistakes that reviews of its users found.
// Simplified: a bug is planted in the scenario's own code, never in the core of dma-buf.

import type { ModelTask } from '@sgfree/hw-model';
import { type Outcome, success } from '@sgfree/mm';
import { dmaFenceSignal } from '../../src/fence/dma-fence.ts';
import { dmaResvLock, dmaResvUnlock } from '../../src/resv/dma-resv.ts';
import { atOnce } from './at-once.ts';
import { FencedImporter, KeepingImporter, RemappingImporter, StoppingImporter } from './importers.ts';
import type { DmaWindow } from './revoke-machine.ts';
import type { RevokeScenario } from './revoke-scenario.ts';
import { type Attachment, MovingExporter, RevokingExporter } from './revoking-exporter.ts';
import { moving, resetAndClose, scenario } from './scenarios.ts';

class ForgetsFences extends MovingExporter {
  override waitForFences(): ModelTask<void> {
    return atOnce(undefined);
  }
}

class ForgetsUnmaps extends RevokingExporter {
  override waitForUnmap(): ModelTask<void> {
    return atOnce(undefined);
  }
}

class AcceptsMapWhenRevoked extends RevokingExporter {
  override mayMap(): boolean {
    return true;
  }
}

class LeavesKrefUnarmed extends RevokingExporter {
  override rearm(): void {
    this.allUnmapped.reinit();
  }
}

class LeavesCompletionDone extends RevokingExporter {
  override rearm(): void {
    this.kref = 1;
  }

  override put(): void {
    this.kref -= 1;
    if (this.kref === 0) this.allUnmapped.completeAll();
  }
}

class ArmsTooLate extends RevokingExporter {
  override *waitForUnmap(): ModelTask<void> {
    this.put();
    this.allUnmapped.reinit();
    yield* this.allUnmapped.wait();
    this.rearm();
  }
}

class SkipsNewest extends RevokingExporter {
  override *notify(): ModelTask<void> {
    for (const attach of this.dmabuf.attachments.slice(1)) {
      yield* attach.importerOps?.invalidateMappings?.(attach) ?? [];
    }
  }
}

class MarksAfterCallback extends RevokingExporter {
  override *invalidate(revoked: boolean): ModelTask<void> {
    yield* this.notify();
    if (revoked) this.revoked = true;
  }
}

class ForgetsKref extends RevokingExporter {
  override mapped(attach: Attachment): ModelTask<Outcome<DmaWindow>> {
    return atOnce(success(this.machine.open(attach.dev, this.place)));
  }
}

class LocksInsideOut extends RevokingExporter {
  override *revoke(): ModelTask<void> {
    yield* dmaResvLock(this.dmabuf.resv);
    yield* this.memoryLock.writeLock();
  }
}

class UnmapsAtWork extends FencedImporter {
  override *invalidated(): ModelTask<void> {
    this.told += 1;
    yield* this.unmap();
  }
}

class UnmapsWithoutStopping extends StoppingImporter {
  override *invalidated(): ModelTask<void> {
    this.told += 1;
    yield* this.unmap();
  }
}

class SubmitsLate extends FencedImporter {
  override *job(): ModelTask<void> {
    const { resv } = this.dmabuf;
    yield* dmaResvLock(resv);
    const mapped = yield* this.map();
    dmaResvUnlock(resv);
    if (!mapped) return;
    yield* dmaResvLock(resv);
    const fence = this.submit();
    dmaResvUnlock(resv);
    yield* this.work();
    dmaFenceSignal(fence);
    yield* this.unmapUnlocked();
  }
}

class SignalsUnderLock extends FencedImporter {
  override *job(): ModelTask<void> {
    const { resv } = this.dmabuf;
    yield* dmaResvLock(resv);
    const fence = (yield* this.map()) ? this.submit() : null;
    dmaResvUnlock(resv);
    if (fence === null) return;
    yield* this.work();
    yield* dmaResvLock(resv);
    dmaFenceSignal(fence);
    yield* this.unmap();
    dmaResvUnlock(resv);
  }
}

class LocksInCallback extends FencedImporter {
  override *invalidated(): ModelTask<void> {
    yield* this.unmapUnlocked();
  }
}

class IgnoresCallback extends KeepingImporter {
  override invalidated(): ModelTask<void> {
    return atOnce(undefined);
  }
}

/** A bug, the scenario that has it, and the rule by which it shows. */
export interface PlantedBug {
  readonly scenario: RevokeScenario;
  readonly shows: string;
}

const bug = (shows: string, planted: RevokeScenario): PlantedBug => ({ shows, scenario: planted });
const twice = { threads: { exporter: resetAndClose } };

export const plantedBugs: readonly PlantedBug[] = [
  bug(
    'bytes-after-revoke',
    scenario('forgotten fence wait', [FencedImporter], { ...moving, exporter: ForgetsFences }),
  ),
  bug(
    'mapped-after-revoke',
    scenario('forgotten wait for unmap', [KeepingImporter], { exporter: ForgetsUnmaps }),
  ),
  bug('access-refused', scenario('unmap before fence', [UnmapsAtWork])),
  bug('access-refused', scenario('unmap without stopping the engine', [UnmapsWithoutStopping])),
  bug(
    'lost-wake-up',
    scenario('re-map inside the callback accepted', [RemappingImporter], { exporter: AcceptsMapWhenRevoked }),
  ),
  bug(
    'mapped-after-revoke',
    scenario('map after revoke accepted', [FencedImporter], { exporter: AcceptsMapWhenRevoked }),
  ),
  bug(
    'mapped-after-revoke',
    scenario('kref not re-armed', [FencedImporter], { ...twice, exporter: LeavesKrefUnarmed }),
  ),
  bug(
    'mapped-after-revoke',
    scenario('completion not re-armed', [FencedImporter], { ...twice, exporter: LeavesCompletionDone }),
  ),
  bug(
    'lost-wake-up',
    scenario('completion armed after the put', [FencedImporter], { exporter: ArmsTooLate }),
  ),
  bug(
    'lost-wake-up',
    scenario('callback not called for the newest attachment', [KeepingImporter, KeepingImporter], {
      exporter: SkipsNewest,
    }),
  ),
  bug(
    'lost-wake-up',
    scenario('revoked flag set after the callback', [RemappingImporter], { exporter: MarksAfterCallback }),
  ),
  bug('mapped-after-revoke', scenario('map without kref', [FencedImporter], { exporter: ForgetsKref })),
  bug('lock-order', scenario('memory lock taken inside the reservation', [], { exporter: LocksInsideOut })),
  bug('bytes-after-revoke', scenario('fence added after the lock was given back', [SubmitsLate], moving)),
  bug('deadlock', scenario('fence signaled with the reservation held', [SignalsUnderLock])),
  bug('lock-recursion', scenario('callback takes the reservation', [LocksInCallback])),
  bug('lost-wake-up', scenario('importer that never unmaps', [IgnoresCallback])),
];
