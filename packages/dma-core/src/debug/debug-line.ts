// A finding as one line of text, in the shape of the kernel's: who, which device, what, and the numbers.
// Source followed: kernel/dma/debug.c (the prefix of err_printk); the words are those of the rule table.
// Simplified: numbers follow in the order of the finding's fields, all addresses and sizes in hex.

import { hex } from '@sgfree/hw-model';
import type { DmaDebugFinding } from './debug-report.ts';
import { dmaDebugRules } from './debug-rules.ts';

const named: ReadonlySet<string> = new Set(['kind', 'rule', 'device', 'driver', 'grade', 'printed']);

/**
 * `DMA-API: <driver> <device>: <words> [field=value]...`.
 * @public
 */
export function dmaDebugLine(finding: DmaDebugFinding): string {
  const fields = Object.entries(finding)
    .filter(([field]) => !named.has(field))
    .map(([field, value]) => ` [${field}=${typeof value === 'number' ? textOf(value) : String(value)}]`);
  const { words } = dmaDebugRules[finding.rule];
  return `DMA-API: ${finding.driver} ${finding.device}: ${words}${fields.join('')}`;
}

const textOf = (value: number): string => (value < 10 ? String(value) : hex(value));
