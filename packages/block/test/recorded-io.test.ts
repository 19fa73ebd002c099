// The block layer's rules against what a real 7.3.4 kernel did with the same buffers, in every recorded mode.

import { addOffset, alignDown, alignUp, byteDistance, PAGE_SIZE } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import type { BioVec } from '../src/bio-vec.ts';
import { type BlockRequest, requestClassOf, requestsOf } from '../src/index.ts';
import { SegmentIterator } from '../src/segment-iterator.ts';
import { unwrapped } from './outcome-value.ts';
import { type RecordedIo, recordedIos, recordedLimits, recordedTrace } from './recorded-io.ts';

const translated = ['strict', 'lazy', 'strict_cm', 'forcedac', 'scalable'];
const direct = ['pt', 'off'];
const lists = ['nvio_small', 'nvio_huge', 'nvio_wide'];

function segmentsOf(request: BlockRequest): BioVec[] {
  const segments = new SegmentIterator(request);
  const found: BioVec[] = [];
  for (let next = segments.next(); next !== null; next = segments.next()) found.push(next);
  return found;
}

function predict(mode: string, name: string, recorded: RecordedIo) {
  const backing = name === 'nvio_huge' ? 'huge-pages' : 'base-pages';
  const mergeBoundary = direct.includes(mode) ? 0 : PAGE_SIZE - 1;
  const maps: [number, number][] = [];
  const mapPhys: [number, number][] = [];
  let [unmaps, twoStep] = [0, 0];
  for (const request of unwrapped(requestsOf(recorded.io, backing, recordedLimits(mode)))) {
    const segments = segmentsOf(request);
    const kind = requestClassOf(request, mergeBoundary);
    if (kind === 'two-step') twoStep += 1;
    else for (const { phys, bytes } of segments) mapPhys.push([phys, bytes]);
    unmaps += kind === 'two-step' ? 1 : segments.length;
    for (const { phys, bytes } of segments) {
      const first = alignDown(phys, PAGE_SIZE);
      maps.push([first, byteDistance(first, alignUp(addOffset(phys, bytes), PAGE_SIZE))]);
    }
  }
  return { maps, mapPhys, unmaps, twoStep };
}

function predictAll(mode: string, name: string) {
  const list = recordedIos(mode, name);
  const each = list.map((recorded) => ({ k: recorded.k, ...predict(mode, name, recorded) }));
  const sum = (of: (one: (typeof each)[number]) => number): number => each.reduce((n, one) => n + of(one), 0);
  return {
    each,
    maps: sum((one) => one.maps.length),
    unmaps: sum((one) => one.unmaps),
    twoStep: sum((one) => one.twoStep),
  };
}

describe.each(translated)('recorded I/O behind the IOMMU, %s', (mode) => {
  it.each(lists)('%s: address, size and order of every map line and every dma_map_phys line', (name) => {
    const trace = recordedTrace(mode, name);
    for (const one of predictAll(mode, name).each) {
      expect(one.maps, `k=${one.k}`).toEqual(trace.ios.get(one.k)?.maps);
      expect(one.mapPhys, `k=${one.k}`).toEqual(trace.ios.get(one.k)?.mapPhys);
    }
  });

  it.each(lists)('%s: number of unmaps and of invalidations', (name) => {
    const trace = recordedTrace(mode, name);
    const predicted = predictAll(mode, name);
    expect(predicted.unmaps).toBe(trace.unmaps);
    // Lazy mode queues the unmaps of dma_map_phys; two-step requests are flushed at once all the same.
    expect(mode === 'lazy' ? predicted.twoStep : predicted.unmaps).toBe(trace.invalidations);
  });
});

describe.each(direct)('recorded I/O without translation, %s', (mode) => {
  it.each(lists)('%s: address, size and order of every dma_map_phys line', (name) => {
    const trace = recordedTrace(mode, name);
    for (const one of predictAll(mode, name).each) {
      expect(one.mapPhys, `k=${one.k}`).toEqual(trace.ios.get(one.k)?.mapPhys);
    }
  });
});

it('strict nvio_wide: the figures of the recording', () => {
  const trace = recordedTrace('strict', 'nvio_wide');
  const predicted = predictAll('strict', 'nvio_wide');
  expect(predicted).toMatchObject({ maps: 3194, unmaps: 1702 });
  expect(trace).toMatchObject({ poolAllocations: 5, invalidations: 1702, timerFlushes: 0 });
});
