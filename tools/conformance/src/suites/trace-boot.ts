// Suite `trace_boot`: the page tables that a trace leaves behind, against the kernel's own dump of them. The mappings
// that a reconstruction of the trace finds alive at its end are entered into real page tables, one for each IOMMU
// group, and every leaf must be the recorded row.
// Source followed: vectors/kernel/README.md, section 3, row "io trace_boot vs iommu_at_boot"; dma_info_to_prot for the
// permission bits: the device reads what goes to it and writes what comes from it.
// Simplified: of a two-step transfer no line tells the direction, so its permission bits are not judged.

import { count, kindWord, matching, read } from '../recorded-value.ts';
import type { JsonRecord, Mismatch, Replayer, Suite } from '../suite.ts';
import { BrokenHeader } from '../suite.ts';
import { LiveTables, type TableLeaf } from './trace-boot-tables.ts';

const traceName = matching(/^trace_\w+\.txt$/, 'the name of a trace');
const deviceName = matching(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/, 'a PCI device');

class TraceBootReplayer implements Replayer {
  readonly #tables: LiveTables;
  /** Devices with a dump. */
  readonly #dumped = new Set<string>();

  constructor(tables: LiveTables) {
    this.#tables = tables;
  }

  replay(record: JsonRecord): readonly Mismatch[] {
    const device = read(record, 'dev', deviceName);
    return kindWord(record, 'op') === 'domain' ? this.#domain(record, device) : this.#page(record, device);
  }

  #domain(record: JsonRecord, device: string): Mismatch[] {
    this.#dumped.add(device);
    const { length } = this.#tables.leavesOf(device);
    return record['rows'] === length ? [] : [{ field: 'rows', expected: record['rows'], got: length }];
  }

  #page(record: JsonRecord, device: string): Mismatch[] {
    const leaf = this.#tables.leavesOf(device)[read(record, 'row', count)];
    return leaf === undefined
      ? [{ field: 'pfn', expected: record['pfn'], got: 'no leaf' }]
      : compare(record, leaf);
  }

  finish(): readonly Mismatch[] {
    return this.#tables
      .devicesWithoutDump(this.#dumped)
      .map((device) => ({ field: 'dev', expected: 'a dump of each device with mappings', got: device }));
  }
}

function compare(record: JsonRecord, leaf: TableLeaf): Mismatch[] {
  const pte = leaf.permissionsKnown ? record['pte'] : withoutPermissions(record['pte']);
  const compared: readonly [string, unknown, unknown][] = [
    ['pfn', record['pfn'], leaf.pfn],
    ['pte', pte, leaf.permissionsKnown ? leaf.pte : withoutPermissions(leaf.pte)],
    ['level', record['level'], leaf.level],
  ];
  return compared
    .filter(([, expected, got]) => expected !== got)
    .map(([field, expected, got]) => ({ field, expected, got }));
}

/** An entry without its read and write bits, when it has one of them. */
function withoutPermissions(entry: unknown): unknown {
  if (typeof entry !== 'string') return entry;
  const last = Number.parseInt(entry.slice(-1), 16);
  return (last & 3) === 0 ? entry : `${entry.slice(0, -1)}${(last & 0xc).toString(16)} and permissions`;
}

/** The suite of traces with a dump of the page tables at their end. */
export const traceBootSuite: Suite = {
  name: 'trace_boot',
  accepts: (header) => header['suite'] === 'dumped_trace',
  open(header, context): Replayer {
    const name = read(header, 'trace', traceName);
    const text = context?.readInput(name) ?? null;
    if (text === null) throw new BrokenHeader(`the trace ${name} cannot be read`);
    return new TraceBootReplayer(new LiveTables(text));
  },
  kindOf: (record) => kindWord(record, 'op'),
  outputs: { domain: ['rows'], page: ['pfn', 'pte', 'level'] },
};
