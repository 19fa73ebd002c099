// The report of an exchange that is over and left.
// Source followed: the project's design, stage 8.
// Simplified: none.

import type { EventLog } from '@sgfree/hw-model';
import { violatedRules } from '../exported-bar/rule-log.ts';
import type { ExchangeRun } from './exchange-run.ts';
import type { GpuExchangeMove, GpuExchangeReport } from './gpu-exchange-report.ts';
import { exchangeStageReport } from './gpu-exchange-stage-report.ts';
import type { SeenMove } from './place-book.ts';

/** `abuses`: what was seen of the exporter, by name. @internal */
export function exchangeReport<M extends object>(
  run: ExchangeRun<M>,
  log: EventLog,
  abuses: Readonly<Record<string, number>>,
): GpuExchangeReport {
  const { scene, settings, objects, mover, kept } = run;
  const { kernel, census, book, faults } = scene;
  const shared = new Set(objects.map(({ bo }) => bo.spec.name));
  const moves = book.moves.filter(({ object }) => shared.has(object)).map(moveOf);
  const sum = (figure: (object: (typeof objects)[number]) => number): number =>
    objects.reduce((total, object) => total + figure(object), 0);
  return {
    input: settings,
    stage: exchangeStageReport(run, moves),
    mapTypes: { adapter: kernel.mapTypeOf(kernel.nic), disk: kernel.mapTypeOf(kernel.disk) },
    crossed: {
      mappings: census.mappings,
      entries: census.entries,
      scatterlistEntries: census.scatterlistEntries,
      bytes: census.memory.taken,
      agreed: { ...census.agreed },
    },
    moves,
    driver: {
      acted: mover.acted,
      failed: mover.failed,
      evictions: kernel.card.counters.evictions,
      bytesMoved: kernel.card.counters.bytesMoved,
    },
    told: sum(({ disk }) => disk.told),
    toldAtWork: sum(({ disk }) => disk.toldAtWork),
    faultsServed: faults.served,
    accesses: {
      all: book.accesses,
      late: book.late,
      stray: book.stray,
      early: book.early,
    },
    vramOnly: run.vramOnly,
    abuses,
    transfers: { disk: scene.disk.requests, peer: sum(({ link }) => link.completed) },
    kept: { verified: kept.verified, wrong: kept.wrong },
    violations: violatedRules(log.events),
    leftovers: {
      vramBytes: kernel.card.vram.bytes - kernel.card.vram.freeBytes,
      cardPages: kernel.cardPages.liveFrames,
      runtimeRefs: kernel.card.runtimeRefs,
      locks: kernel.dmaBufs.order.allFree ? 0 : 1,
    },
  };
}

function moveOf({
  object,
  from,
  to,
  started,
  lastAccess,
  copyBegan,
  ended,
  late,
}: SeenMove): GpuExchangeMove {
  const after = (step: number | null): number | null => (step === null ? null : step - started);
  return {
    object,
    from,
    to,
    lastAccess: after(lastAccess),
    copyBegan: after(copyBegan),
    ended: after(ended),
    late,
  };
}
