// Scenarios: small casts around one buffer, every schedule of which is explored, and larger ones.
// Source followed: the ways in which a revoke can meet an importer: before it attaches, between attach and map, at work,
// while it unmaps; alone, with others, and twice.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import {
  FencedImporter,
  type Importer,
  KeepingImporter,
  RemappingImporter,
  StaticImporter,
  StoppingImporter,
} from './importers.ts';
import type { RevokeScenario } from './revoke-scenario.ts';
import { MovingExporter, RevokingExporter } from './revoking-exporter.ts';

type Kind = new (name: string, exporter: RevokingExporter, jobs?: number) => Importer;
type ExporterKind<E extends RevokingExporter> = new (
  ...args: ConstructorParameters<typeof RevokingExporter>
) => E;

/** How a scenario departs from the ordinary one. */
export interface Variation<E extends RevokingExporter = RevokingExporter> {
  readonly exporter?: ExporterKind<E>;
  readonly acceptsStatic?: boolean;
  readonly jobs?: number;
  /** The tasks of the exporter; default: it closes its device. */
  readonly threads?: Readonly<Record<string, (exporter: E) => ModelTask<void>>>;
}

const closing = { exporter: (exporter: RevokingExporter): ModelTask<void> => exporter.close() };

/** An exporter and one importer of each of `kinds`; their names are `a`, `b` and so on. */
export function scenario<E extends RevokingExporter = RevokingExporter>(
  name: string,
  kinds: readonly Kind[],
  variation: Variation<E> = {},
): RevokeScenario {
  const {
    exporter: Exporter = RevokingExporter,
    acceptsStatic = false,
    jobs = 1,
    threads = closing,
  } = variation;
  const importers = kinds.map((_, at) => String.fromCharCode(97 + at));
  return {
    name,
    importers,
    build: (machine, scheduler) => {
      const exporter = new Exporter(machine, acceptsStatic) as E;
      const bodies = threads as Readonly<Record<string, (exporter: E) => ModelTask<void>>>;
      for (const [thread, body] of Object.entries(bodies)) scheduler.spawn(thread, body(exporter));
      return {
        exporter,
        importers: kinds.map((Kind, at) => new Kind(importers[at] as string, exporter, jobs)),
      };
    },
  };
}

/** A reset, then the last close. */
export function* resetAndClose(exporter: RevokingExporter): ModelTask<void> {
  yield* exporter.revoke();
  yield* exporter.restore();
  yield* exporter.close();
}

/** Two threads of the owner: one resets the device while the other closes it. */
export const resetAgainstClose = {
  *reset(exporter: RevokingExporter): ModelTask<void> {
    yield* exporter.revoke();
    yield* exporter.restore();
    yield* exporter.close();
  },
  *power(exporter: RevokingExporter): ModelTask<void> {
    yield* exporter.revoke();
  },
};

export const moving: Variation<MovingExporter> = {
  exporter: MovingExporter,
  threads: { exporter: (exporter) => exporter.relocate() },
};

/** Explored completely with every test run. */
export const smallScenarios: readonly RevokeScenario[] = [
  scenario('close against a fenced importer', [FencedImporter]),
  scenario('close against a stopping importer', [StoppingImporter]),
  scenario('close against a keeping importer', [KeepingImporter]),
  scenario('close against a remapping importer', [RemappingImporter]),
  scenario('close against two fenced importers', [FencedImporter, FencedImporter]),
  scenario('close against a fenced and a stopping importer', [FencedImporter, StoppingImporter]),
  scenario('close against a static and a keeping importer', [StaticImporter, KeepingImporter], {
    acceptsStatic: true,
  }),
  scenario('a static importer is refused', [StaticImporter, FencedImporter]),
  scenario('reset and close against a fenced importer', [FencedImporter], {
    jobs: 2,
    threads: { exporter: resetAndClose },
  }),
  scenario('reset and close against a keeping importer', [KeepingImporter], {
    threads: { exporter: resetAndClose },
  }),
  scenario('reset and close against a stopping importer', [StoppingImporter], {
    jobs: 2,
    threads: { exporter: resetAndClose },
  }),
  scenario('two threads of the owner against a fenced importer', [FencedImporter], {
    threads: resetAgainstClose,
  }),
  scenario('move against a fenced importer', [FencedImporter], { ...moving, jobs: 2 }),
  scenario('move against a fenced and a stopping importer', [FencedImporter, StoppingImporter], moving),
];

/** Explored completely by `npm run explore`. */
export const largeScenarios: readonly RevokeScenario[] = [
  scenario('reset and close against two importers', [FencedImporter, StoppingImporter], {
    jobs: 2,
    threads: { exporter: resetAndClose },
  }),
  scenario('two threads of the owner against two importers', [KeepingImporter, StoppingImporter], {
    threads: resetAgainstClose,
  }),
  scenario('close against three importers', [FencedImporter, StoppingImporter, KeepingImporter]),
];

/** Too large for every schedule: `npm run explore` takes random ones. */
export const seededScenarios: readonly RevokeScenario[] = [
  scenario(
    'two threads of the owner against six importers',
    [FencedImporter, StoppingImporter, FencedImporter, StoppingImporter, FencedImporter, StoppingImporter],
    { jobs: 3, threads: resetAgainstClose },
  ),
];
