// Machines for tests, put together from configuration bytes: what `lspci -n -xxxx` would print of them.
// Source followed: PCI Express Base Specification 6.0, sections 7.5.1, 7.5.3, 7.7.11 and 9.3.3.
// Simplified: four capabilities; every byte that no test asks about is zero.

/** One function, as far as tests care. */
export interface ConfigPlan {
  /** `vendor:device` in hexadecimal. */
  readonly ids?: string;
  readonly classId?: number;
  /** Device/port type; left out for a function that is not PCI Express. */
  readonly type?: number;
  /** Header type bit 7. */
  readonly mf?: boolean;
  /** Secondary and subordinate bus: the function is a bridge. */
  readonly buses?: readonly [number, number];
  /** ACS capability and control. */
  readonly acs?: readonly [number, number];
  /** ACS with registers four bytes wide: capability and control at +8. */
  readonly wideAcs?: readonly [number, number];
  readonly subsystem?: string;
  /** Virtual functions in use, First VF Offset, VF Stride. */
  readonly sriov?: readonly [number, number, number];
}

/** Functions by address. */
export type MachinePlan = Readonly<Record<string, ConfigPlan>>;

const SIZE = 4096;

/** The text of all functions. */
export const configText = (machine: MachinePlan): string =>
  Object.entries(machine)
    .map(([at, plan]) => functionText(at, plan))
    .join('\n');

function functionText(at: string, plan: ConfigPlan): string {
  const view = new DataView(configBytes(plan).buffer);
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const classId = hex(view.getUint16(0x0a, true), 4);
  const ids = `${hex(view.getUint16(0, true), 4)}:${hex(view.getUint16(2, true), 4)}`;
  const rows = [`${at} ${classId}: ${ids}`];
  for (let row = 0; row < SIZE; row += 16) {
    const bytes = Array.from({ length: 16 }, (_, i) => hex(view.getUint8(row + i), 2));
    rows.push(`${hex(row, 2)}: ${bytes.join(' ')}`);
  }
  return `${rows.join('\n')}\n`;
}

/** All 4096 bytes of a function. */
export function configBytes(plan: ConfigPlan): Uint8Array {
  const view = new DataView(new ArrayBuffer(SIZE));
  const pair = (text: string): number[] => text.split(':').map((part) => Number.parseInt(part, 16));
  const word = (at: number, value = 0): void => view.setUint16(at, value, true);
  const [vendor, device] = pair(plan.ids ?? '1234:0001');
  word(0x00, vendor);
  word(0x02, device);
  word(0x0a, plan.classId ?? (plan.buses === undefined ? 0x0200 : 0x0604));
  view.setUint8(0x0e, (plan.buses === undefined ? 0 : 1) + (plan.mf === true ? 0x80 : 0));
  for (const [i, bus] of (plan.buses ?? []).entries()) view.setUint8(0x19 + i, bus);
  if (plan.subsystem !== undefined)
    for (const [i, id] of pair(plan.subsystem).entries()) word(0x2c + 2 * i, id);
  if (plan.type !== undefined) {
    word(0x06, 0x10);
    view.setUint8(0x34, 0x40);
    view.setUint32(0x40, 0x10 + (0x0002 + plan.type * 16) * 0x10000, true);
  }
  extendedList(view, plan);
  return new Uint8Array(view.buffer);
}

function extendedList(view: DataView, { type, acs, wideAcs, sriov }: ConfigPlan): void {
  if (type === undefined) return;
  // Advanced Error Reporting stands first, as on most functions.
  const found: [number, (at: number) => void][] = [[0x0001, () => undefined]];
  const words = (at: number, width: 2 | 4, values: readonly number[]): void => {
    for (const [i, value] of values.entries()) {
      if (width === 2) view.setUint16(at + 2 * i, value, true);
      else view.setUint32(at + 4 * i, value, true);
    }
  };
  if (acs !== undefined) found.push([0x000d, (at) => words(at + 4, 2, acs)]);
  if (wideAcs !== undefined) found.push([0x000d, (at) => words(at + 4, 4, wideAcs)]);
  if (sriov !== undefined) {
    const [count, offset, stride] = sriov;
    found.push([
      0x0010,
      (at) => {
        words(at + 8, 2, [1]);
        words(at + 0x10, 2, [count]);
        words(at + 0x14, 2, [offset, stride]);
      },
    ]);
  }
  found.forEach(([id, fill], i) => {
    const at = 0x100 + 0x40 * i;
    const next = i + 1 < found.length ? at + 0x40 : 0;
    view.setUint32(at, id + 0x10000 + next * 0x100000, true);
    fill(at);
  });
}
