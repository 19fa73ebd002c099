// What a reconstruction makes of the calls of the DMA API and of two-step transfers.

import { describe, expect, test } from 'vitest';
import {
  A,
  alloc,
  B,
  flush,
  free,
  map,
  mapPhys,
  mapSg,
  pieces,
  reconstruct,
  unmap,
  unmapPhys,
  unmapSg,
} from '../../test/reconstruct/trace-lines.ts';
import type { TracedMapping } from '../traced-mapping.ts';

describe('single buffers', () => {
  const lines = [
    map('a-1', 0xff000, 0x5000, 0x2000),
    mapPhys('a-1', A, 0xff200, 0x5200, 0x1000),
    unmap('a-1', 0xff000, 0x2000),
    unmapPhys('a-1', A, 0xff200, 0x1000),
  ];

  test('the API line says what the lines of the IOMMU are; all is recorded', () => {
    const log = reconstruct(lines);
    expect(log.order).toEqual(['map 0', 'unmap 0']);
    expect(log.mappings[0]).toMatchObject({
      kind: 'phys',
      device: A,
      deviceFrom: 'recorded',
      direction: 'TO_DEVICE',
      directionFrom: 'recorded',
      bytesFrom: 'recorded',
      dmaAddr: 0xff200,
      bytes: 0x1000,
      mappedLine: 1,
      mappedTask: 'a-1',
      rules: [],
    });
    expect(pieces(log.mappings[0] as TracedMapping)).toEqual([[0xff200, 0x5200, 0x1000]]);
    expect(log.ends).toEqual([{ id: 0, line: 3, at: 2_000_000, cpu: 0, task: 'a-1' }]);
  });

  test('older names of the same calls', () => {
    const old = lines.map((line) => line.replace('map_phys', 'map_page'));
    expect(reconstruct(old).order).toEqual(['map 0', 'unmap 0']);
  });

  test('calls of several tasks may be written into each other', () => {
    const log = reconstruct([
      map('a-1', 0xff000, 0x5000, 0x1000),
      map('b-2', 0xff000, 0x6000, 0x1000),
      mapPhys('a-1', A, 0xff000, 0x5000, 0x1000),
      mapPhys('b-2', B, 0xff000, 0x6000, 0x800),
      unmap('<idle>-0@0', 0xff000, 0x1000),
      unmap('<idle>-0@1', 0xff000, 0x1000),
      unmapPhys('<idle>-0@1', A, 0xff000, 0x1000),
      unmapPhys('<idle>-0@0', B, 0xff000, 0x800),
    ]);
    expect(log.order).toEqual(['map 0', 'map 1', 'unmap 1', 'unmap 0']);
    expect(log.ends.map(({ rules }) => rules)).toEqual([undefined, ['owner-by-line']]);
    expect(log.codes).toEqual([]);
  });

  test('an interrupt inside an unmapping', () => {
    const log = reconstruct([
      ...lines.slice(0, 2),
      map('a-1', 0xfe000, 0x7000, 0x1000),
      mapPhys('a-1', A, 0xfe000, 0x7000, 0x1000),
      unmap('a-1', 0xff000, 0x2000),
      unmap('a-1', 0xfe000, 0x1000),
      unmapPhys('a-1', A, 0xfe000, 0x1000),
      unmapPhys('a-1', A, 0xff200, 0x1000),
    ]);
    expect(log.order).toEqual(['map 0', 'map 1', 'unmap 0', 'unmap 1']);
    expect(log.codes).toEqual([]);
  });

  test('a bounced buffer keeps the memory of the API line', () => {
    const log = reconstruct([map('a-1', 0xff000, 0x9000, 0x1000), mapPhys('a-1', A, 0xff200, 0x5200, 64)]);
    expect(log.mappings[0]?.rules).toEqual(['bounced']);
    expect(pieces(log.mappings[0] as TracedMapping)).toEqual([[0xff200, 0x5200, 64]]);
  });

  test('size and direction of the unmapping are compared', () => {
    const log = reconstruct([...lines.slice(0, 3), unmapPhys('a-1', A, 0xff200, 0x800, 'FROM_DEVICE')]);
    expect(log.findings).toMatchObject([
      { code: 'direction-differs', confidence: 'certain', device: A, line: 4 },
      { code: 'unmap-size-differs', confidence: 'certain', bytes: 0x800 },
    ]);
  });
});

describe('lists and allocations', () => {
  test('joined segments are taken apart by the lines of the IOMMU', () => {
    const log = reconstruct([
      map('a-1', 0x80000, 0x5000, 0x2000),
      map('a-1', 0x82000, 0x9000, 0x1000),
      mapSg('a-1', A, [0x80100], [0x2300], [0x5100, 0x6000, 0x9000]),
      unmapSg('a-1', A, [0x5100, 0x6000, 0x9000]),
      unmap('a-1', 0x80000, 0x3000),
    ]);
    expect(log.order).toEqual(['map 0', 'unmap 0']);
    expect(log.mappings[0]).toMatchObject({ kind: 'sg', bytes: 0x2300, bytesFrom: 'recorded', rules: [] });
    expect(pieces(log.mappings[0] as TracedMapping)).toEqual([
      [0x80100, 0x5100, 0x1f00],
      [0x82000, 0x9000, 0x400],
    ]);
    expect(log.ends[0]?.line).toBe(4);
    expect(log.codes).toEqual([]);
  });

  test('without an IOMMU a list is what its line says', () => {
    const log = reconstruct([
      mapSg('a-1', A, [0x5100, 0x9000], [0x100, 0x200], [0x5100, 0x9000]),
      unmapSg('a-1', A, [0x5100, 0x9000]),
    ]);
    expect(log.order).toEqual(['map 0', 'unmap 0']);
    expect(pieces(log.mappings[0] as TracedMapping)).toEqual([
      [0x5100, 0x5100, 0x100],
      [0x9000, 0x9000, 0x200],
    ]);
  });

  test('a cut list goes on as the lines of the IOMMU do', () => {
    const line = mapSg('a-1', A, [0x80000], [0x1000], [0x5000]).replace(
      'nents=1/1 ents=1/1',
      'nents=1/3 ents=1/2 [TRUNCATED]',
    );
    const log = reconstruct([map('a-1', 0x80000, 0x5000, 0x1000), map('a-1', 0x81000, 0x9000, 0x2000), line]);
    expect(log.mappings[0]).toMatchObject({ bytes: 0x3000, bytesFrom: 'inferred', rules: ['sg-truncated'] });
    expect(pieces(log.mappings[0] as TracedMapping)).toEqual([
      [0x80000, 0x5000, 0x1000],
      [0x81000, 0x9000, 0x2000],
    ]);
  });

  test('coherent memory: free comes before the unmap line', () => {
    const log = reconstruct([
      map('a-1', 0xfe000, 0x5000, 0x1000),
      alloc('a-1', A, 0xfe000, 512),
      free('b-2', A, 0xfe000, 512),
      unmap('b-2', 0xfe000, 0x1000),
      free('b-2', A, 0xfe000, 512),
    ]);
    expect(log.order).toEqual(['map 0', 'unmap 0', 'free-without-alloc']);
    expect(log.mappings[0]).toMatchObject({ kind: 'coherent', bytes: 512 });
    expect(pieces(log.mappings[0] as TracedMapping)).toEqual([[0xfe000, 0x5000, 512]]);
    expect(log.findings[0]?.confidence).toBe('possible');
  });

  test('an allocation line without a direction, and one without memory behind it', () => {
    const log = reconstruct([alloc('a-1', A, 0x7000, 4096).replace('dir=BIDIRECTIONAL ', '')]);
    expect(log.mappings[0]).toMatchObject({
      direction: 'BIDIRECTIONAL',
      directionFrom: 'inferred',
      piecePhys: [0x7000],
      rules: ['coherent-is-bidirectional', 'phys-by-identity'],
    });
  });
});

describe('two-step transfers', () => {
  const apiBefore = [
    map('a-1', 0xf0000, 0x20000, 0x1000),
    mapPhys('a-1', A, 0xf0000, 0x20000, 0x1000),
    unmap('a-1', 0xf0000, 0x1000),
    flush('a-1', 0xf0000, 0x1000, 24),
    unmapPhys('a-1', A, 0xf0000, 0x1000),
  ];
  const other = [map('b-2', 0xe0000, 0x30000, 0x1000), mapPhys('b-2', B, 0xe0000, 0x30000, 0x1000)];

  test('one unmap line shows the extent: neighbours in IOVA and in the trace are others', () => {
    const log = reconstruct([
      map('a-1', 0x10000, 0x5000, 0x1000),
      map('a-1', 0x11000, 0x9000, 0x1000),
      map('a-1', 0x12000, 0xb000, 0x1000),
      map('a-1', 0x13000, 0xd000, 0x1000),
      unmap('<idle>-0', 0x12000, 0x2000),
      unmap('<idle>-0', 0x10000, 0x2000),
    ]);
    expect(log.order).toEqual(['map 0', 'map 1', 'unmap 1', 'unmap 0']);
    expect(log.mappings.map(pieces)).toEqual([
      [
        [0x10000, 0x5000, 0x1000],
        [0x11000, 0x9000, 0x1000],
      ],
      [
        [0x12000, 0xb000, 0x1000],
        [0x13000, 0xd000, 0x1000],
      ],
    ]);
    expect(log.mappings[0]).toMatchObject({
      kind: 'two-step',
      device: '',
      deviceFrom: 'unknown',
      direction: '',
      directionFrom: 'unknown',
      bytesFrom: 'inferred',
      rules: ['two-step-by-unmap', 'granule-ends', 'no-dma-events'],
    });
  });

  test('the device follows from the domain id of the invalidation', () => {
    const log = reconstruct([
      ...apiBefore,
      ...other,
      map('a-1', 0x10000, 0x5000, 0x1000),
      unmap('<idle>-0', 0x10000, 0x1000),
      flush('<idle>-0', 0x10000, 0x1000, 24),
    ]);
    expect(log.mappings[2]).toMatchObject({
      device: A,
      deviceFrom: 'inferred',
      rules: ['two-step-by-unmap', 'granule-ends', 'device-by-domain-id'],
    });
  });

  test('what is learned later still helps, and the order stays that of the trace', () => {
    const log = reconstruct([
      map('c-3', 0x10000, 0x5000, 0x1000),
      unmap('<idle>-0', 0x10000, 0x1000),
      flush('<idle>-0', 0x10000, 0x1000, 24),
      ...other,
      ...apiBefore,
    ]);
    expect(log.mappings[0]).toMatchObject({ kind: 'two-step', device: A, mappedLine: 1 });
    expect(log.order.slice(0, 2)).toEqual(['map 0', 'unmap 0']);
  });

  test('a domain id that no known device has is nobody of them', () => {
    const log = reconstruct([
      ...apiBefore,
      map('a-1', 0x10000, 0x5000, 0x1000),
      unmap('<idle>-0', 0x10000, 0x1000),
      flush('<idle>-0', 0x10000, 0x1000, 77),
    ]);
    expect(log.mappings[1]).toMatchObject({ kind: 'two-step', device: '', deviceFrom: 'unknown' });
  });

  test('groups name the device when their numbers fit what is known', () => {
    const log = reconstruct([
      `k-9: add_device_to_group: IOMMU: groupID=22 device=${A}`,
      `k-9: add_device_to_group: IOMMU: groupID=23 device=${B}`,
      ...apiBefore,
      map('b-2', 0x10000, 0x5000, 0x1000),
      unmap('<idle>-0', 0x10000, 0x1000),
      flush('<idle>-0', 0x10000, 0x1000, 25),
    ]);
    expect(log.mappings[1]).toMatchObject({ device: B, rules: expect.arrayContaining(['device-by-group']) });
  });

  test('with invalidations on mapping the domain is known before the unmapping', () => {
    const log = reconstruct([
      map('a-1', 0xf0000, 0x20000, 0x1000),
      flush('a-1', 0xf0000, 0x1000, 24, '_np'),
      mapPhys('a-1', A, 0xf0000, 0x20000, 0x1000),
      ...other,
      map('a-1', 0x10000, 0x5000, 0x1000),
      flush('a-1', 0x10000, 0x1000, 24, '_np'),
    ]);
    expect(log.mappings[2]).toMatchObject({
      kind: 'two-step',
      device: A,
      rules: ['two-step-by-contiguity', 'granule-ends', 'device-by-domain-id'],
    });
    expect(log.codes).toEqual(['live-at-end', 'live-at-end', 'live-at-end']);
  });

  test('equal IOVAs in two domains: the unmapping without an API line is that of the transfer', () => {
    const log = reconstruct([
      map('a-1', 0x10000, 0x5000, 0x1000),
      mapPhys('a-1', A, 0x10000, 0x5000, 0x1000),
      map('b-2', 0x10000, 0x9000, 0x1000),
      unmap('<idle>-0', 0x10000, 0x1000),
      unmap('a-1', 0x10000, 0x1000),
      unmapPhys('a-1', A, 0x10000, 0x1000),
    ]);
    expect(log.order).toEqual(['map 0', 'map 1', 'unmap 1', 'unmap 0']);
    expect(log.codes).toEqual([]);
  });

  test('what is live at the end, or older than the look-ahead, is joined by contiguity', () => {
    const lines = [
      map('a-1', 0x10000, 0x5000, 0x1000),
      map('a-1', 0x11000, 0x9000, 0x1000),
      map('a-1', 0x20000, 0xb000, 0x1000),
    ];
    const log = reconstruct(lines);
    expect(log.mappings.map(({ bytes }) => bytes)).toEqual([0x2000, 0x1000]);
    const filler = Array.from({ length: 20 }, (_, at) => `m-7: tracing_mark_write: filler ${at}`);
    const late = reconstruct([...lines, ...filler, unmap('<idle>-0', 0x10000, 0x2000)], { lookAhead: 8 });
    expect(late.order).toEqual(['map 0', 'map 1', 'unmap 0', 'live-at-end']);
    expect(late.mappings[0]?.rules).toContain('two-step-by-contiguity');
  });

  test('a mapping that failed half way is none', () => {
    const failed = mapPhys('a-1', A, 0, 0x5000, 0x4000).replace('dma_addr=0', 'dma_addr=ffffffffffffffff');
    for (const done of [[], [map('a-1', 0x10000, 0x5000, 0x1000), unmap('a-1', 0x10000, 0x1000)]]) {
      const log = reconstruct([...done, failed]);
      expect(log.order).toEqual(['map-failed']);
    }
    const nothing = reconstruct([map('a-1', 0x10000, 0x5000, 0), unmap('a-1', 0x10000, 0), failed]);
    expect(nothing.order).toEqual(['map-failed']);
  });
});
