// Bring-up and attachment against the records of booted machines: what stands in the queue, what device tables say.
import { readFileSync } from 'node:fs';
import { recordedVtdCapabilities, recordedVtdCapabilitiesScalable, VtdRegister } from '@sgfree/hw-model';
import { expect, test } from 'vitest';
import { hex64, ringEntry, type VtdMachine, vtdMachine } from '../../test/vtd-machine.ts';
import type { PagingDomain } from '../domain/paging-domain.ts';

const records = new URL('../../../../vectors/kernel/io/', import.meta.url);
const text = (name: string): string => readFileSync(new URL(name, records), 'utf8');

/** Rows of a recorded queue: both words of each descriptor. */
const recordedQueue = (mode: string): string[][] =>
  text(`${mode}/iommu_at_boot/intel__invalidation_queue`)
    .split('\n')
    .slice(3)
    .map((line) => line.trim().split(/\s+/).slice(1, 3));

test('the queue after bring-up and the attachment of identity domains, descriptor by descriptor', () => {
  const machine = vtdMachine();
  machine.iommu.attachIdentity(0x0100);
  const tail = machine.unit.readRegister32(VtdRegister.IQT) / 16;
  const recorded = recordedQueue('pt');
  const statusBase = (rows: readonly (readonly string[])[]): number =>
    Number.parseInt(rows[1]?.[1] as string, 16) - 4;
  const relative = (rows: readonly (readonly string[])[]) =>
    rows.map(([command, operand], index) =>
      index % 2 === 0
        ? [command, operand]
        : [command, Number.parseInt(operand as string, 16) - statusBase(rows)],
    );
  expect(text('pt/iommu_at_boot/intel__invalidation_queue')).toContain(`Tail: ${tail}`);
  const own = Array.from({ length: tail }, (_, index) => ringEntry(machine, index));
  expect(relative(own)).toEqual(relative(recorded.slice(0, tail)));
});

interface DeviceRow {
  readonly sourceId: number;
  readonly group: number;
  /** Context entry, or PASID entry in scalable mode, as the dump prints it. */
  readonly entry: string;
}

function deviceRows(mode: string): DeviceRow[] {
  const groups = text(`${mode}/topo/iommu_groups.txt`)
    .split('\n')
    .filter((line) => line.startsWith('group'));
  return text(`${mode}/iommu_at_boot/intel__dmar_translation_struct`)
    .split('\n')
    .filter((line) => /^[0-9a-f]{2}:/.test(line))
    .map((line) => {
      const columns = line.trim().split(/\s+/);
      const [bus, device, fn] = (columns[0] as string).split(/[:.]/).map((part) => Number.parseInt(part, 16));
      const group = groups.find((row) => row.includes(`0000:${columns[0]}`)) as string;
      return {
        sourceId: (bus as number) * 256 + (device as number) * 8 + (fn as number),
        group: Number(/^group (\d+)/.exec(group)?.[1]),
        entry: columns[mode === 'scalable' ? 4 : 2] as string,
      };
    });
}

/** The entry without the address of its page table, which no model can know. */
const withoutTable = (entry: string): string => entry.replaceAll(/0x[0-9a-f]{13}([0-9a-f]{3})$/g, '…$1');

const tableOf = (words: Uint32Array, at: number): number =>
  (words[at + 1] as number) * 0x100000 + ((words[at] as number) >>> 12);

function ownEntry({ memory, iommu }: VtdMachine, sourceId: number): string {
  const root = memory.frameWords(iommu.rootFrame);
  if (!iommu.scalable) {
    const context = memory.frameWords(tableOf(root, (sourceId >>> 8) * 4));
    return quads(context, (sourceId & 0xff) * 4, 2);
  }
  const context = memory.frameWords(tableOf(root, (sourceId >>> 7) * 2));
  const directory = memory.frameWords(tableOf(context, (sourceId & 0x7f) * 8));
  return quads(memory.frameWords(tableOf(directory, 0)), 0, 3);
}

/** `count` 64-bit words, highest first, as the kernel prints them. */
function quads(words: Uint32Array, at: number, count: number): string {
  const printed: string[] = [];
  for (let quad = count - 1; quad >= 0; quad -= 1) {
    printed.push(`0x${hex64([words[at + 2 * quad] as number, words[at + 2 * quad + 1] as number])}`);
  }
  return printed.join(':');
}

test.each([
  { mode: 'strict', capabilities: recordedVtdCapabilities },
  { mode: 'scalable', capabilities: recordedVtdCapabilitiesScalable },
])('$mode: the table entries of every device, domain ids included', ({ mode, capabilities }) => {
  const machine = vtdMachine({ capabilities, driver: { scalableMode: mode === 'scalable' } });
  const domains = new Map<number, PagingDomain>();
  const rows = deviceRows(mode);
  expect(rows.length).toBeGreaterThan(30);
  for (const { sourceId, group } of rows) {
    const domain = domains.get(group) ?? machine.iommu.allocPagingDomain(group);
    domains.set(group, domain);
    machine.iommu.attachDevice(domain, sourceId);
  }
  const own = rows.map(({ sourceId }) => withoutTable(ownEntry(machine, sourceId)));
  expect(own).toEqual(rows.map(({ entry }) => withoutTable(entry)));
});

test('pt: the context entries of identity domains', () => {
  const machine = vtdMachine();
  const rows = deviceRows('pt');
  for (const { sourceId } of rows) machine.iommu.attachIdentity(sourceId);
  expect(rows.map(({ sourceId }) => ownEntry(machine, sourceId))).toEqual(rows.map(({ entry }) => entry));
});
