// The tables of a replay device by device: what each run cost it, and what its I/O address space looked like.
// Source followed: the report of each run.
// Simplified: the few devices with the most mappings; nothing when there is one device only, which is the total.

import { hex } from '@sgfree/hw-model';
import type {
  AddressSpaceReport,
  ReplayReport,
  RunDeviceReport,
  TracedDeviceReport,
  TracedSide,
} from '@sgfree/roadmap';
import { counted } from '../counted.ts';
import { printable } from '../request-list/shown-value.ts';
import { type Cell, numberCell, textTable } from '../text-table.ts';
import type { World } from '../world.ts';
import { findingLines } from './replay-findings.ts';
import { costRows, runHead } from './run-table.ts';

const MOST_DEVICES = 8;

const SPACE_ROWS: readonly (readonly [string, (space: AddressSpaceReport) => Cell])[] = [
  ['address space: most ranges at once', ({ peakRanges }) => numberCell(peakRanges)],
  ['  bytes in them', ({ fragmentation }) => numberCell(fragmentation.usedBytes)],
  ['  lowest address', ({ fragmentation }) => addressCell(fragmentation.lowest)],
  ['  highest address', ({ fragmentation }) => addressCell(fragmentation.highest)],
  ['  holes between them', ({ fragmentation }) => numberCell(fragmentation.holes)],
  ['  bytes in holes', ({ fragmentation }) => numberCell(fragmentation.holeBytes)],
  ['  largest hole, bytes', ({ fragmentation }) => numberCell(fragmentation.largestHoleBytes)],
  ['  cached ranges at the end', (space) => numberCell(space.cachedAtEnd)],
];

/** The tables, the device with the most mappings first. */
export function deviceTables(world: World, report: ReplayReport): string[] {
  const busiest = report.devices
    .filter((device) => mappingsOf(device) > 0)
    .sort((one, other) => mappingsOf(other) - mappingsOf(one));
  const tables = busiest.slice(0, MOST_DEVICES).map((device) => deviceTable(world, report, device));
  const left = busiest.length - tables.length;
  return left > 0 ? [...tables, `${counted(left, 'more device')}: see --json, or --device`] : tables;
}

/** True when there is one device, which is the total. */
export const isSingle = ({ devices }: ReplayReport): boolean =>
  devices.filter((device) => mappingsOf(device) > 0).length === 1;

/** Mappings of a device, of every kind. */
export const mappingsOf = ({ mappings }: TracedSide): number =>
  Object.values(mappings).reduce((sum, mapped) => sum + mapped, 0);

function deviceTable(world: World, report: ReplayReport, traced: TracedDeviceReport): string {
  const found = report.runs.flatMap((run) =>
    run.devices.filter(({ device, user }) => device === traced.device && user === traced.user),
  );
  const title = `${nameOf(traced)}: ${counted(mappingsOf(traced), 'mapping')}`;
  const single = isSingle(report);
  const rows = [...(single ? [] : costRows(found)), ...spaceRows(found)];
  const table = rows.length === 0 ? title : textTable(world, [title, ...report.runs.map(runHead)], rows);
  return [table, ...(single ? [] : findingLines(traced, true))].join('\n');
}

function nameOf({ device, user }: TracedDeviceReport): string {
  const name = device === '' ? 'a device that no line names' : printable(device, 64);
  return user === 'iommu-api' ? `direct user of the IOMMU ${device === '' ? 'without a name' : name}` : name;
}

function spaceRows(columns: readonly RunDeviceReport[]): Cell[][] {
  if (columns.every(({ addressSpace }) => addressSpace === null)) return [];
  return SPACE_ROWS.map(([name, value]) => [
    name,
    ...columns.map(({ addressSpace }): Cell => (addressSpace === null ? dash : value(addressSpace))),
  ]);
}

const dash: Cell = { content: '-', hAlign: 'right' };
const addressCell = (address: number): Cell =>
  address < 0 ? dash : { content: hex(address), hAlign: 'right' };
