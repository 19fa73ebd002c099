// runGpuExchange: runs an exchange by one of the ways and reports it.
// Source followed: the project's stage 8; tables and the watch over their abuses are wired here, so that nothing of the new way knows of
// them.
// Simplified: none.

import { AbuseWatch } from '@sgfree/gpu-driver/stage-3';
import { EventLog } from '@sgfree/hw-model';
import type { MachineObserver } from '../machine-observer.ts';
import {
  type GpuExchangeInput,
  type GpuExchangeSettings,
  gpuExchangeSettings,
} from './gpu-exchange-input.ts';
import type { GpuExchangeReport } from './gpu-exchange-report.ts';
import { exchangeBy, runRangeListExchange } from './range-list-exchange.ts';
import { tableWay } from './table-way.ts';

/**
 * Lets a disk and a peer on the wire exchange data with the memory of a card whose driver moves it about, and reports what happened.
 * @beta
 */
export function runGpuExchange(input: GpuExchangeInput, observe?: MachineObserver): GpuExchangeReport {
  const settings = gpuExchangeSettings(input);
  const log = new EventLog();
  log.enabled = true;
  const watch = new AbuseWatch(log);
  const abuses = (): Record<string, number> => ({ ...watch.counts });
  const witness = { log, abuses, ...(observe === undefined ? {} : { observe }) };
  const name = wayOf(settings);
  return name === 'range-list'
    ? runRangeListExchange(settings, { ...witness, watch })
    : exchangeBy(settings, tableWay(name, watch), witness);
}

/** The way that is really taken. */
const wayOf = ({ way, plant }: GpuExchangeSettings): GpuExchangeSettings['way'] =>
  way === 'range-list' && plant === 'other-way' ? 'amdgpu' : way;
