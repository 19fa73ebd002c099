// Random drivers on random devices, written down line by line as the kernel would, with the calls of tasks mixed: the
// reconstruction must find what was done. The truth is kept beside the lines and never reaches it.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TraceEvent } from '../trace-event.ts';
import type { TracedMapping, TracedUnmapping } from '../traced-mapping.ts';
import { IoReconstruction } from './io-reconstruction.ts';

const PAGE = 4096;
const TASKS = 4;
const SPACE_PAGES = 24;
const DEVICES = ['0000:01:00.0', '0000:02:00.0', '0000:03:00.0'];
/** Only this device has a driver that maps in two steps. */
const TWO_STEP_DEVICE = 0;

interface Truth {
  readonly kind: string;
  readonly device: number;
  /** IOVA, memory and bytes of each whole run. */
  readonly runs: readonly { readonly iova: number; readonly phys: number; readonly bytes: number }[];
  mappedLine: number;
  unmappedLine: number;
}

type Step = () => void;

/** A machine that does random things and writes trace events. */
class Machine {
  readonly events: TraceEvent[] = [];
  readonly truths: Truth[] = [];
  readonly #live: Truth[] = [];
  readonly #used = DEVICES.map(() => new Set<number>());
  readonly #calls: Step[][] = Array.from({ length: TASKS }, () => []);
  readonly #choices: readonly number[];
  readonly #flushes: boolean;
  #next = 0;
  #frame = 0x1000;

  constructor(choices: readonly number[], flushes: boolean) {
    this.#choices = choices;
    this.#flushes = flushes;
  }

  get #done(): boolean {
    return this.#next >= this.#choices.length;
  }

  #choose(below: number): number {
    const choice = this.#choices[this.#next] ?? 0;
    this.#next += 1;
    return choice % below;
  }

  run(): void {
    while (!this.#done) {
      const task = this.#choose(TASKS);
      const call = this.#calls[task] ?? [];
      if (call.length === 0) call.push(...this.#startCall(task));
      call.shift()?.();
    }
    for (const call of this.#calls) for (const step of call) step();
  }

  #event(
    task: number,
    system: 'dma' | 'iommu' | 'intel_iommu',
    name: string,
    fields: Partial<TraceEvent>,
  ): number {
    const event = new TraceEvent();
    Object.assign(
      event,
      { line: this.events.length + 1, system, name, task: `t-${task + 1}`, cpu: 0 },
      fields,
    );
    return this.events.push(event);
  }

  #startCall(task: number): Step[] {
    const isUnmap = this.#live.length > 0 && this.#choose(5) < 2;
    return isUnmap ? this.#unmapCall(task) : this.#mapCall(task);
  }

  /** First free page of a device for so many pages; -1 when there is none. */
  #allocate(device: number, pages: number): number {
    const used = this.#used[device] ?? new Set();
    const from = this.#choose(SPACE_PAGES);
    for (let at = 0; at < SPACE_PAGES; at += 1) {
      const first = (from + at) % SPACE_PAGES;
      const wanted = Array.from({ length: pages }, (_, index) => first + index);
      if (first + pages > SPACE_PAGES || wanted.some((page) => used.has(page))) continue;
      for (const page of wanted) used.add(page);
      return first;
    }
    return -1;
  }

  #mapCall(task: number): Step[] {
    const kind = ['phys', 'sg', 'coherent', 'two-step'][this.#choose(4)] ?? 'phys';
    const device = kind === 'two-step' ? TWO_STEP_DEVICE : this.#choose(DEVICES.length);
    const count = kind === 'sg' || kind === 'two-step' ? 1 + this.#choose(3) : 1;
    const first = this.#allocate(device, count);
    if (first < 0) return [];
    const runs = Array.from({ length: count }, (_, at) => {
      this.#frame += 2;
      return { iova: (first + at) * PAGE, phys: this.#frame * PAGE, bytes: PAGE };
    });
    const truth: Truth = { kind, device, runs, mappedLine: 0, unmappedLine: 0 };
    const steps = runs.map(
      ({ iova, phys, bytes }): Step =>
        () => {
          const line = this.#event(task, 'iommu', 'map', { dmaAddr: iova, physAddr: phys, size: bytes });
          if (truth.mappedLine === 0) {
            truth.mappedLine = line;
            this.truths.push(truth);
          }
        },
    );
    const last = (): void => {
      this.#api(task, truth, true);
      this.#live.push(truth);
    };
    return [...steps, last];
  }

  #api(task: number, { kind, device, runs }: Truth, isMap: boolean): void {
    if (kind === 'two-step') return;
    const [first] = runs;
    const name = { phys: ['dma_map_phys', 'dma_unmap_phys'], sg: ['dma_map_sg', 'dma_unmap_sg'] }[kind] ?? [
      'dma_alloc',
      'dma_free',
    ];
    const lists = {
      dmaAddrs: runs.map(({ iova }) => iova),
      sizes: runs.map(({ bytes }) => bytes),
      physAddrs: runs.map(({ phys }) => phys),
    };
    const one = { dmaAddr: first?.iova ?? 0, physAddr: first?.phys ?? 0, size: first?.bytes ?? 0 };
    this.#event(task, 'dma', name[isMap ? 0 : 1] ?? '', {
      device: DEVICES[device] ?? '',
      direction: 'TO_DEVICE',
      ...(kind === 'sg' ? lists : one),
    });
  }

  #unmapCall(task: number): Step[] {
    const at = this.#choose(this.#live.length);
    const [truth] = this.#live.splice(at, 1);
    if (truth === undefined) return [];
    const { kind, device, runs } = truth;
    const api: Step = () => {
      const announced = kind === 'sg' || kind === 'coherent';
      this.#api(task, truth, false);
      if (announced) truth.unmappedLine = this.events.length;
    };
    const start = runs[0]?.iova ?? 0;
    const size = runs.length * PAGE;
    const unmap: Step = () => {
      const line = this.#event(task, 'iommu', 'unmap', { dmaAddr: start, size, unmappedSize: size });
      if (truth.unmappedLine === 0) truth.unmappedLine = line;
      for (const { iova } of runs) this.#used[device]?.delete(iova / PAGE);
    };
    const flush: Step = () => {
      if (!this.#flushes) return;
      const rangeLast = start + size - 1;
      const range = {
        rangeStart: start,
        rangeLast,
        domainId: 2 + device,
        pasid: 0,
        unit: 'dmar0',
        type: 'iotlb',
      };
      this.#event(task, 'intel_iommu', 'cache_tag_flush_range', range);
    };
    if (kind === 'phys') return [unmap, flush, api];
    return kind === 'two-step' ? [unmap, flush] : [api, unmap, flush];
  }
}

function describeTruth({ kind, device, runs, mappedLine, unmappedLine }: Truth): unknown {
  const name = kind === 'two-step' ? '' : DEVICES[device];
  return [mappedLine, kind, name, runs.map(({ iova, phys, bytes }) => [iova, phys, bytes]), unmappedLine];
}

function describeMapping(mapping: TracedMapping, end: TracedUnmapping | undefined): unknown {
  const { kind, device, pieceDma, piecePhys, pieceBytes, mappedLine } = mapping;
  const name = kind === 'two-step' ? '' : device;
  const runs = pieceDma.map((dma, at) => [dma, piecePhys[at], pieceBytes[at]]);
  return [mappedLine, kind, name, runs, end?.line ?? 0];
}

const choices = fc.array(fc.nat(1000), { minLength: 50, maxLength: 1500 });

test('what random drivers did is found again, whatever the order of their lines', () => {
  fc.assert(
    fc.property(choices, fc.boolean(), (numbers, flushes) => {
      const machine = new Machine(numbers, flushes);
      machine.run();
      const mappings: TracedMapping[] = [];
      const ends = new Map<TracedMapping, TracedUnmapping>();
      const wrong: unknown[] = [];
      let line = 0;
      const reconstruction = new IoReconstruction({
        mapped: (mapping) => {
          mappings.push(mapping);
          if (mapping.id !== mappings.length - 1 || mapping.mappedLine < line) wrong.push(mapping);
          line = mapping.mappedLine;
        },
        unmapped: (mapping, end) => {
          if (ends.has(mapping) || end.line < line) wrong.push(end);
          line = end.line;
          ends.set(mapping, end);
        },
        finding: (finding) => {
          if (finding.code !== 'live-at-end' || ends.has(finding.mapping as TracedMapping))
            wrong.push(finding);
        },
      });
      for (const event of machine.events) reconstruction.accept(event);
      reconstruction.end();
      expect(wrong).toEqual([]);
      const live = machine.truths.filter(
        ({ kind, unmappedLine }) => kind === 'two-step' && unmappedLine === 0,
      );
      const liveLines = new Set(live.map(({ mappedLine }) => mappedLine));
      const isLiveTransfer = (mapping: TracedMapping): boolean =>
        mapping.kind === 'two-step' && !ends.has(mapping);
      const found = mappings.filter((mapping) => !isLiveTransfer(mapping));
      expect(found.map((mapping) => describeMapping(mapping, ends.get(mapping)))).toEqual(
        machine.truths.filter(({ mappedLine }) => !liveLines.has(mappedLine)).map(describeTruth),
      );
      for (const { kind, device, deviceFrom, directionFrom, rules } of mappings) {
        if (kind !== 'two-step') continue;
        expect([deviceFrom, directionFrom]).not.toContain('recorded');
        if (rules.includes('device-by-domain-id')) expect(device).toBe(DEVICES[TWO_STEP_DEVICE]);
      }
    }),
    { numRuns: 150 },
  );
});

test('with a short look-ahead nothing is lost and the order stays', () => {
  fc.assert(
    fc.property(choices, fc.integer({ min: 1, max: 64 }), (numbers, lookAhead) => {
      const machine = new Machine(numbers, true);
      machine.run();
      const runs = new Set<number>();
      let line = 0;
      const reconstruction = new IoReconstruction(
        {
          mapped: ({ piecePhys, mappedLine }) => {
            for (const phys of piecePhys) runs.add(phys);
            expect(mappedLine).toBeGreaterThanOrEqual(line);
            line = mappedLine;
          },
          unmapped: (_, end) => {
            expect(end.line).toBeGreaterThanOrEqual(line);
            line = end.line;
          },
          finding: () => undefined,
        },
        { lookAhead },
      );
      for (const event of machine.events) reconstruction.accept(event);
      reconstruction.end();
      const all = machine.truths.flatMap((truth) => truth.runs.map(({ phys }) => phys));
      expect([...runs]).toEqual(expect.arrayContaining(all));
    }),
    { numRuns: 60 },
  );
});
