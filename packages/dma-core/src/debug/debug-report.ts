// DebugReport: what becomes of a finding: it is counted, it may be printed, it is an event in any case.
// Source followed: kernel/dma/debug.c (err_printk, driver_filter; error_count, all_errors and num_errors of debugfs).
// Only the first error is printed unless all are wanted; one that the driver filter hides uses up its turn all the same.
// Simplified: the filter is a whole driver name.

import { warnViolation } from '@sgfree/mm';
import type { Device } from '../device.ts';
import type { DmaDebugRuleCode } from './debug-rule-codes.ts';
import { dmaDebugRules } from './debug-rules.ts';

/**
 * A finding: the rule, the device, and the data of the kernel's message.
 * @public
 */
export interface DmaDebugFinding {
  readonly rule: DmaDebugRuleCode;
  readonly device: string;
  /** Name of the bound driver; without one that of the bus, `pci` or nothing (`dev_driver_string`). */
  readonly driver: string;
  /** 'advice': legal in Linux. */
  readonly grade: 'error' | 'advice';
  /** True when the kernel would print it; always false for rules that it does not have. */
  readonly printed: boolean;
  readonly [field: string]: unknown;
}

/**
 * Settings of a {@link DebugReport}; the kernel keeps them in debugfs.
 * @public
 */
export interface DebugReportOptions {
  /** Print every error; default false. */
  readonly allErrors?: boolean;
  /** Errors still to be printed when not all are; default 1. */
  readonly numErrors?: number;
  /** Only errors of this driver are printed; default all. */
  readonly driverFilter?: string;
  /** Gets every finding, whether the event log is enabled or not. */
  readonly onFinding?: (finding: DmaDebugFinding) => void;
}

/**
 * What a finding tells beside its rule; the kind is the event's own.
 * @public
 */
export type FindingData = Readonly<Record<string, unknown>> & { readonly kind?: never };

/**
 * Counts findings and passes them on.
 * @public
 */
export class DebugReport {
  /** Errors of the kernel's checks so far, printed or not (`error_count`). */
  errorCount = 0;
  allErrors: boolean;
  numErrors: number;
  driverFilter: string;
  /** Findings so far by rule. */
  readonly counts: Map<DmaDebugRuleCode, number> = new Map();
  readonly #onFinding: ((finding: DmaDebugFinding) => void) | null;

  constructor(options: DebugReportOptions) {
    this.allErrors = options.allErrors ?? false;
    this.numErrors = options.numErrors ?? 1;
    this.driverFilter = options.driverFilter ?? '';
    this.#onFinding = options.onFinding ?? null;
  }

  /** An error of the kernel's checker. @internal */
  error(dev: Device, rule: DmaDebugRuleCode, data: FindingData): void {
    this.errorCount += 1;
    const wanted = this.driverFilter === '' || dev.driver === this.driverFilter;
    const printed = wanted && (this.allErrors || this.numErrors > 0);
    if (!this.allErrors && this.numErrors > 0) this.numErrors -= 1;
    this.#post(dev, rule, data, printed);
  }

  /** What the kernel prints the first time only, outside its count of errors. @internal */
  warnOnce(dev: Device, rule: DmaDebugRuleCode, data: FindingData): void {
    this.#post(dev, rule, data, !this.counts.has(rule));
  }

  /** What only this checker sees. @internal */
  shadow(dev: Device, rule: DmaDebugRuleCode, data: FindingData): void {
    this.#post(dev, rule, data, false);
  }

  #post(dev: Device, rule: DmaDebugRuleCode, data: FindingData, printed: boolean): void {
    this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1);
    const { grade } = dmaDebugRules[rule];
    const finding: DmaDebugFinding = {
      ...data,
      rule,
      device: dev.name,
      driver: dev.driver ?? (dev.isPci ? 'pci' : ''),
      grade,
      printed,
    };
    warnViolation(dev.log, rule, finding);
    this.#onFinding?.(finding);
  }
}
