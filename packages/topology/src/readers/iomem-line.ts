// Lines of /proc/iomem: physical address ranges and who claimed them, nested by indentation.
// Source followed: r_show of kernel/resource.c: two spaces per level, `start-end : name`, ends inclusive.
// Simplified: ranges beyond 2^52 are left out with a remark; a listing without privileges shows zeros only.

import { ADDRESS_LIMIT, physAddr } from '@sgfree/hw-model';
import type { MachineDraft } from './machine-draft.ts';

const lineForm = /^( *)([0-9a-f]{8,16})-([0-9a-f]{8,16}) : (.*)$/;

/** Whether the line is one of /proc/iomem. */
export const isIomemLine = (line: string): boolean => lineForm.test(line);

/** Reads one such line. */
export function readIomemLine(machine: MachineDraft, line: string): void {
  const match = lineForm.exec(line);
  if (match === null) return;
  const [, indent = '', from = '', to = '', name = ''] = match;
  const first = Number.parseInt(from, 16);
  const last = Number.parseInt(to, 16);
  machine.formats.add('iomem');
  if (first === 0 && last === 0) {
    const seen = machine.remarks.some(
      ({ code, device }) => code === 'capabilities-hidden' && device === 'iomem',
    );
    if (!seen)
      machine.remark(
        'capabilities-hidden',
        'iomem',
        'all addresses are zero',
        'read without privileges: no range is known',
      );
  } else if (last < first || last >= ADDRESS_LIMIT) {
    machine.remark('address-out-of-range', '', line.trim(), 'the range is left out');
  } else {
    machine.iomem.push({ base: physAddr(first), bytes: last - first + 1, name, depth: indent.length / 2 });
  }
}
