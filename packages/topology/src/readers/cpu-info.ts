// The processor from /proc/cpuinfo: vendor, family and model of the first one listed.
// Source followed: show_cpuinfo of arch/x86/kernel/cpu/proc.c: `vendor_id`, `cpu family` (extended family included).
// Simplified: machines with processors of two kinds do not exist here.

import type { DumpedCpu } from '../model/machine-dump.ts';
import { wholeNumber } from './whole-number.ts';

/** Reads the text; 'unknown' when it names no vendor and family (other architectures do not). */
export function readCpuInfo(text: string): DumpedCpu | 'unknown' {
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}\\s*: (.*)$`, 'm').exec(text)?.[1]?.trim();
  const vendor = value('vendor_id');
  const family = wholeNumber(value('cpu family'));
  if (vendor === undefined || family === undefined) return 'unknown';
  return { vendor, family, model: wholeNumber(value('model')) ?? 'unknown' };
}
