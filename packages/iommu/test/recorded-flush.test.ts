// Recorded flushes: every map and unmap that a real kernel traced is repeated on the driver and a unit of the recorded
// kind; the flush and queue lines that come out must be the recorded ones, hint bit and domain id included.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import {
  dmaAddr,
  type EventLog,
  type ModelEvent,
  physAddr,
  recordedVtdCapabilities,
  recordedVtdCapabilitiesCachingMode,
} from '@sgfree/hw-model';
import { expect, test } from 'vitest';
import { iommuMapNosync, iommuSyncMap, iommuUnmap, type PagingDomain } from '../src/index.ts';
import { CacheTags } from '../src/vtd/cache-tag.ts';
import { QiBatch } from '../src/vtd/qi-batch.ts';
import { QiQueue } from '../src/vtd/qi-queue.ts';
import { intelEvent, intelEventsOf, splitAddress } from './intel-events.ts';
import { type MapLine, type RecordedLine, readText, readTrace } from './recorded-trace-lines.ts';
import { bareUnit, vtdMachine } from './vtd-machine.ts';

const vectors = new URL('../../../vectors/kernel/', import.meta.url);
const machines = [
  { mode: 'strict', capabilities: recordedVtdCapabilities },
  { mode: 'strict_cm', capabilities: recordedVtdCapabilitiesCachingMode },
];

/** Number of the IOMMU group that a device was in. */
function groupOf(mode: string, device: string): number {
  const groups = readFileSync(new URL(`inv/${mode}/topo/iommu_groups.txt`, vectors), 'utf8');
  const line = groups.split('\n').find((text) => text.startsWith('group') && text.includes(device));
  return Number(/^group (\d+)/.exec(line as string)?.[1]);
}

/** A file of the records; large ones are gzipped. */
function shipped(name: string): URL {
  const plain = new URL(name, vectors);
  return existsSync(plain) ? plain : new URL(`${name}.gz`, vectors);
}

const recordedDevice = (mode: string, suite: number): string =>
  JSON.parse(readText(shipped(`inv/${mode}/inv_${suite}.jsonl`)).split('\n')[0] as string).dev as string;

function repeat(domain: PagingDomain, line: MapLine): void {
  if (line.size === 0) return;
  if (line.kind === 'unmap') iommuUnmap(domain, dmaAddr(line.iova), line.size);
  else expect(iommuMapNosync(domain, dmaAddr(line.iova), physAddr(line.paddr), line.size, 3)).toBe(0);
}

/** Runs the recorded calls; a flush after mapping is asked for where the last map before another kind of line ends. */
function replay(domain: PagingDomain, log: EventLog, lines: readonly RecordedLine[]): ModelEvent[] {
  // The range mapped since the last sync; empty when start and end are the same.
  let start = 0;
  let end = 0;
  const syncMapped = (): void => {
    if (end > start) iommuSyncMap(domain, dmaAddr(start), end - start);
    start = end;
  };
  log.clear();
  log.enabled = true;
  for (const line of lines) {
    if (line.kind === 'intel') {
      syncMapped();
    } else {
      // One sync for the adjoining runs of a list or the links of a state.
      if (line.kind === 'unmap' || end !== line.iova) syncMapped();
      repeat(domain, line);
      if (line.kind === 'map' && line.size > 0) {
        if (start === end) start = line.iova;
        end = line.iova + line.size;
      }
    }
  }
  syncMapped();
  log.enabled = false;
  return intelEventsOf(log);
}

test.each(machines)(
  'inv/$mode: the flush and queue lines of every map and unmap',
  ({ mode, capabilities }) => {
    const { iommu, log } = vtdMachine({ capabilities });
    const domains = new Map<string, PagingDomain>();
    let compared = 0;
    for (const suite of [0, 1, 2, 3]) {
      const device = recordedDevice(mode, suite);
      const domain = domains.get(device) ?? iommu.allocPagingDomain(groupOf(mode, device));
      if (!domains.has(device)) iommu.attachDevice(domain, domains.size + 8);
      domains.set(device, domain);
      const lines = readTrace(shipped(`inv/${mode}/inv_${suite}_trace.txt`));
      const recorded = lines.flatMap((line) => (line.kind === 'intel' ? [intelEvent(line.text)] : []));
      expect(replay(domain, log, lines), `inv_${suite}`).toEqual(recorded);
      compared += recorded.length;
    }
    expect(compared).toBeGreaterThan(600);
  },
);

const RANGE =
  /^cache_tag_flush_range(?:_np)?: (\S+) \S+ type iotlb did (\d+) \[0x([0-9a-f]+)-0x([0-9a-f]+)\]/;

const tracesBelow = (folder: string): string[] =>
  readdirSync(new URL(folder, vectors), { recursive: true, encoding: 'utf8' })
    .filter((name) => /trace[^/]*\.txt(\.gz)?$/.test(name))
    .map((name) => `${folder}${name}`);

test('every recorded range, in every mode: block, order and descriptor words', () => {
  const { unit, memory, frames, log } = bareUnit();
  const qi = new QiQueue(unit, memory, frames, log);
  qi.enable();
  const target = { unit, qi, batch: new QiBatch(qi), log };
  let compared = 0;
  for (const name of [...tracesBelow('inv/'), ...tracesBelow('io/')]) {
    const lines = readTrace(new URL(name, vectors)).flatMap((line) =>
      line.kind === 'intel' ? [line.text] : [],
    );
    for (const [at, line] of lines.entries()) {
      const range = RANGE.exec(line);
      if (range === null) continue;
      const [, , did, first, last] = range as unknown as readonly string[];
      const tags = new CacheTags(false);
      tags.assign(target, Number(did), 0, null);
      const descriptor = lines[at + 1] as string;
      log.clear();
      log.enabled = true;
      // The range says nothing of freed tables: the hint is taken from the descriptor, and all else is compared.
      const leafOnly = (Number.parseInt(descriptor.split(' ')[4] as string, 16) & 0x40) !== 0;
      tags.flushRange(...splitAddress(first as string), ...splitAddress(last as string), leafOnly);
      log.enabled = false;
      const recorded = [line.replace('flush_range_np', 'flush_range'), descriptor].map(intelEvent);
      expect(log.events, name).toEqual(recorded);
      compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(10_000);
});
