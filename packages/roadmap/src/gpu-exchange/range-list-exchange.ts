// An exchange by range lists, as stage 8 has it: nothing that is reached from here knows a table.
// Source followed: the project's stage 8.
// Simplified: whoever looks on for abuses of the DMA API is handed in: such a watch has to know tables.

import type { MappingWatch } from '@sgfree/gpu-driver';
import type { EventLog } from '@sgfree/hw-model';
import type { MachineObserver } from '../machine-observer.ts';
import { exchangeReport } from './exchange-report.ts';
import { ExchangeRun } from './exchange-run.ts';
import type { ExchangeWay } from './exchange-way.ts';
import type { GpuExchangeSettings } from './gpu-exchange-input.ts';
import type { GpuExchangeReport } from './gpu-exchange-report.ts';
import { rangeListWay } from './range-list-way.ts';

/** Who looks on. @internal */
export interface ExchangeWitness {
  /** Of both machines, enabled. */
  readonly log: EventLog;
  /** What was seen of the exporter so far, by name. */
  readonly abuses: () => Readonly<Record<string, number>>;
  readonly observe?: MachineObserver;
}

/** Runs an exchange by `way`, from the first object to the last reference. @internal */
export function exchangeBy<M extends object>(
  settings: GpuExchangeSettings,
  way: ExchangeWay<M>,
  { log, abuses, observe }: ExchangeWitness,
): GpuExchangeReport {
  const run = new ExchangeRun(settings, way, log, observe);
  run.run();
  run.leave();
  return exchangeReport(run, log, abuses());
}

/** The same by range lists; `watch` looks on while the exporter maps. @internal */
export const runRangeListExchange = (
  settings: GpuExchangeSettings,
  witness: ExchangeWitness & { readonly watch: MappingWatch },
): GpuExchangeReport => exchangeBy(settings, rangeListWay(witness.watch), witness);
