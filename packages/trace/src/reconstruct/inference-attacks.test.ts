// Traces made to mislead: what looks like one thing and is another must not be told as certain, nor made up.

import { describe, expect, test } from 'vitest';
import {
  A,
  alloc,
  B,
  flush,
  free,
  hex,
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
import { Expectation, expectUnmap } from './expectation.ts';
import { MapLine } from './map-line.ts';
import { ReconstructionState } from './reconstruction-state.ts';
import { ContextTable } from './trace-context.ts';

const IRQ = '<idle>-0';
const bounce = (task: string, device: string, phys: number, size: number): string =>
  `${task}: swiotlb_bounced: dev_name: ${device} dma_mask=ffffffff dev_addr=${hex(phys)} size=${size} FORCE`;
const failed = (line: string): string => line.replace('dma_addr=0 ', 'dma_addr=ffffffffffffffff ');
const once = (task: string, device: string, did: number): string[] => [
  map(task, 0xf0000, 0x5000, 0x1000),
  mapPhys(task, device, 0xf0000, 0x5000, 0x1000),
  unmap(task, 0xf0000, 0x1000),
  flush(task, 0xf0000, 0x1000, did),
  unmapPhys(task, device, 0xf0000, 0x1000),
];

describe('the device of a transfer', () => {
  const two = (task: string, phys: number): string[] => [
    map(task, 0x10000, phys, 0x1000),
    map(task, 0x11000, phys + 0x8000, 0x1000),
  ];
  const end = (did: number): string[] => [unmap(IRQ, 0x10000, 0x2000), flush(IRQ, 0x10000, 0x2000, did)];

  test('equal transfers in two domains: the task that maps for the device of the domain is meant', () => {
    const known = [...once('a-1', A, 24), ...once('b-2', B, 25)];
    const log = reconstruct([...known, ...two('a-1', 0x5000), ...two('b-2', 0x6000), ...end(25), ...end(24)]);
    expect(log.mappings.slice(2).map(({ device, mappedTask }) => [mappedTask, device])).toEqual([
      ['a-1', A],
      ['b-2', B],
    ]);
    expect(log.ends.slice(2).map(({ id, rules }) => [id, rules])).toEqual([
      [3, ['owner-by-task']],
      [2, undefined],
    ]);
  });

  test('where the owner is a guess, no device follows from it', () => {
    const known = [...once('a-1', A, 24), ...once('b-2', B, 25)];
    const log = reconstruct([...known, ...two('c-3', 0x5000), ...two('d-4', 0x6000), ...end(25), ...end(24)]);
    expect(log.ends[2]?.rules).toEqual(['owner-oldest']);
    expect(log.mappings[2]).toMatchObject({ mappedTask: 'c-3', device: '', deviceFrom: 'unknown' });
  });

  test('a device with something else mapped there is not the one', () => {
    const log = reconstruct([
      map('a-1', 0x10000, 0x5000, 0x1000),
      mapPhys('a-1', A, 0x10000, 0x5000, 0x1000),
      ...two('a-1', 0x6000),
      ...end(24),
    ]);
    expect(log.mappings[1]).toMatchObject({ kind: 'two-step', device: '', deviceFrom: 'unknown' });
  });

  test('two devices whose caches were invalidated for one range are none', () => {
    const devtlb = (device: string): string =>
      flush(IRQ, 0x10000, 0x2000, 24).replace('dmar0[0] type iotlb', `${device}[0] type devtlb`);
    const range = [...two('a-1', 0x5000), unmap(IRQ, 0x10000, 0x2000)];
    expect(reconstruct([...range, devtlb(A)]).mappings[0]).toMatchObject({
      device: A,
      deviceFrom: 'inferred',
    });
    expect(reconstruct([...range, devtlb(A), devtlb(B)]).mappings[0]).toMatchObject({ device: '' });
  });

  test('a domain id seen before the device got another domain says nothing', () => {
    const attach = `v-9: attach_device_to_domain: IOMMU: device=${A}`;
    const known = [...once('a-1', A, 24), ...once('b-2', B, 25)];
    expect(reconstruct([...known, ...two('v-9', 0x5000), ...end(24)]).mappings[2]?.device).toBe(A);
    expect(reconstruct([...known, attach, ...two('v-9', 0x5000), ...end(24)]).mappings[2]?.device).toBe('');
  });

  test('a virtual machine does not map for the only device of the DMA API', () => {
    const log = reconstruct([
      ...once('a-1', A, 24),
      map('qemu-9', 0, 0x40000, 0x4000),
      unmap('qemu-9', 0, 0x4000),
    ]);
    expect(log.mappings[1]).toMatchObject({ kind: 'iommu-api', device: '', deviceFrom: 'unknown' });
  });

  test('the line of a bounce buffer names it, and the memory to the byte', () => {
    const log = reconstruct([
      ...once('b-2', B, 25),
      bounce('a-1', A, 0x5200, 0xe00),
      map('a-1', 0x10000, 0x90000, 0x1000),
      map('a-1', 0x11000, 0x6000, 0x2000),
      bounce('a-1', A, 0x8000, 0x100),
      map('a-1', 0x13000, 0x92000, 0x1000),
      unmap(IRQ, 0x10000, 0x4000),
    ]);
    expect(log.mappings[1]).toMatchObject({ kind: 'two-step', device: A, dmaAddr: 0x10200, bytes: 0x2f00 });
    expect(log.mappings[1]?.rules).toEqual(expect.arrayContaining(['bounced', 'device-by-bounce']));
    expect(pieces(log.mappings[1] as TracedMapping)).toEqual([
      [0x10200, 0x5200, 0xe00],
      [0x11000, 0x6000, 0x2000],
      [0x13000, 0x8000, 0x100],
    ]);
  });
});

describe('whose range an unmap line removes', () => {
  test('of equal IOVAs the one whose task goes on as far as the range does', () => {
    const log = reconstruct([
      map('a-1', 0x10000, 0x5000, 0x1000),
      map('a-1', 0x11000, 0x7000, 0x1000),
      map('b-2', 0x10000, 0x6000, 0x1000),
      unmap(IRQ, 0x10000, 0x1000),
      unmap(IRQ, 0x10000, 0x2000),
    ]);
    expect(log.mappings.map(({ piecePhys }) => piecePhys)).toEqual([[0x5000, 0x7000], [0x6000]]);
    expect(log.ends).toMatchObject([{ id: 1, rules: ['owner-by-size'] }, { id: 0 }]);
  });

  test('ranges older than the trace take nothing from buffers of the DMA API', () => {
    const log = reconstruct([
      ...once('a-1', A, 24),
      map('a-1', 0x10000, 0x5000, 0x1000),
      mapPhys('a-1', A, 0x10000, 0x5000, 0x1000),
      map('a-1', 0x22000, 0x6000, 0x2000),
      mapPhys('a-1', A, 0x22000, 0x6000, 0x2000),
      unmap('m-7', 0x10000, 0x1000),
      unmap('m-7', 0xf000, 0x4000),
      unmap('m-7', 0x23000, 0x1000),
      unmap(IRQ, 0x10000, 0x1000),
      unmapPhys(IRQ, A, 0x10000, 0x1000),
      unmap(IRQ, 0x22000, 0x2000),
      unmapPhys(IRQ, A, 0x22000, 0x2000),
    ]);
    expect(log.codes).toEqual(Array(3).fill('unmap-without-map'));
    expect(log.ends.map(({ id, line, task }) => [id, line, task])).toEqual([
      [0, 3, 'a-1'],
      [1, 13, IRQ],
      [2, 15, IRQ],
    ]);
  });

  test('a range that begins before what is known of it', () => {
    const log = reconstruct([map('a-1', 0x41000, 0x7000, 0x1000), unmap(IRQ, 0x40000, 0x2000)]);
    expect(log.ends[0]?.rules).toEqual(['owner-inside']);
    expect(log.codes).toEqual(['unmap-incomplete']);
  });

  test('the API line may come when its unmap line has waited too long', () => {
    const filler = Array.from({ length: 5000 }, (_, at) => `m-7: tracing_mark_write: filler ${at}`);
    const made = [map('a-1', 0x10000, 0x5000, 0x1000), mapPhys('a-1', A, 0x10000, 0x5000, 0x1000)];
    const ended = [unmap('a-1', 0x10000, 0x1000), ...filler, unmapPhys('a-1', A, 0x10000, 0x1000)];
    const log = reconstruct([...made, ...ended]);
    expect(log.order).toEqual(['map 0', 'unmap 0']);
    expect(log.codes).toEqual([]);
  });

  test('the trace ends before the API line', () => {
    const made = [map('a-1', 0x10000, 0x5000, 0x1000), mapPhys('a-1', A, 0x10000, 0x5000, 0x1000)];
    const log = reconstruct([...once('a-1', A, 24), ...made, unmap('a-1', 0x10000, 0x1000)]);
    expect(log.ends).toHaveLength(2);
    expect(log.codes).toEqual([]);
  });
});

describe('lists', () => {
  test('a bounced list is mapped and unmapped entry by entry', () => {
    const log = reconstruct([
      map('a-1', 0xff000, 0x90000, 0x1000),
      map('a-1', 0xfe000, 0x91000, 0x1000),
      mapSg('a-1', A, [0xff200, 0xfe300], [64, 64], [0x5200, 0x7300]),
      unmapSg('a-1', A, [0x5200, 0x7300]),
      unmap('a-1', 0xff000, 0x1000),
      unmap('a-1', 0xfe000, 0x1000),
    ]);
    expect(log.order).toEqual(['map 0', 'unmap 0']);
    expect(log.mappings[0]).toMatchObject({ kind: 'sg', bytes: 128, rules: ['bounced'] });
    expect(log.codes).toEqual([]);
  });

  const list = (iova: number, more: boolean): string[] => [
    map('a-1', iova, 0x5000, 0x1000),
    ...(more ? [map('a-1', iova + 0x1000, 0x9000, 0x1000)] : []),
    mapSg(
      'a-1',
      A,
      more ? [iova, iova + 0x1000] : [iova],
      more ? [4096, 4096] : [4096],
      more ? [0x5000, 0x9000] : [0x5000],
    ),
  ];
  const unlist = (iova: number, more: boolean): string[] => [
    unmapSg(IRQ, A, more ? [0x5000, 0x9000] : [0x5000]),
    unmap(IRQ, iova, more ? 0x2000 : 0x1000),
  ];

  test.each([
    ['lists that begin with the same memory', true, [0x10000, 0x20000]],
    ['equal lists: the unmap line says which', false, [0x10000, 0x20000]],
    ['equal lists, the other way round', false, [0x20000, 0x10000]],
  ])('%s', (_, more, order) => {
    const lines = [...list(0x10000, false), ...list(0x20000, more)];
    const ends = order.flatMap((iova) => unlist(iova, more && iova === 0x20000));
    const log = reconstruct([...lines, ...ends]);
    const ended = log.ends.map(({ id }) => log.mappings[id]?.dmaAddr);
    expect(ended).toEqual(order);
    expect(log.codes).toEqual([]);
  });

  test('an interrupt between the API line and the unmap line', () => {
    const log = reconstruct([
      ...list(0x10000, false),
      map('a-1', 0x30000, 0x6000, 0x1000),
      mapPhys('a-1', B, 0x30000, 0x6000, 0x1000),
      unmapSg('a-1', A, [0x5000]),
      unmap('a-1', 0x30000, 0x1000),
      unmapPhys('a-1', B, 0x30000, 0x1000),
      unmap('a-1', 0x10000, 0x1000),
    ]);
    expect(log.order).toEqual(['map 0', 'map 1', 'unmap 0', 'unmap 1']);
    expect(log.codes).toEqual([]);
  });
});

describe('failures', () => {
  test('a list that failed inside a run leaves nothing', () => {
    const log = reconstruct([
      map('a-1', 0x10000, 0x5000, 0x1000),
      map('a-1', 0x11000, 0x7000, 0x1000),
      unmap('a-1', 0x11000, 0x1000),
      unmap('a-1', 0x10000, 0x1000),
      `a-1: dma_map_sg_err: ${A} dir=TO_DEVICE dma_addrs={0x5000,0x7000} err=-5 attrs=`,
    ]);
    expect(log.order).toEqual(['map-failed']);
  });

  test('a failure without lines does not swallow a transfer that an interrupt ended', () => {
    const log = reconstruct([
      map('a-1', 0x10000, 0x5000, 0x1000),
      unmap('a-1', 0x10000, 0x1000),
      failed(mapPhys('a-1', A, 0, 0x7000, 0x4000)),
    ]);
    expect(log.order).toEqual(['map 0', 'unmap 0', 'map-failed']);
  });
});

describe('lines that are missing', () => {
  test('the end of something older than the trace is found once', () => {
    const log = reconstruct([
      free('a-1', A, 0x60000, 0x1000),
      unmap('a-1', 0x60000, 0x1000),
      unmapSg('a-1', A, [0x5000]),
      unmap('a-1', 0x50000, 0x1000),
      unmap('a-1', 0x40000, 0x1000),
      unmapPhys('a-1', A, 0x40000, 0x1000),
    ]);
    expect(log.findings.map(({ code, line }) => [code, line])).toEqual([
      ['free-without-alloc', 1],
      ['unmap-without-map', 3],
      ['unmap-without-map', 6],
    ]);
  });

  test('the line that ends an allocation or a list says what the map lines were', () => {
    const lost = 'CPU:0 [LOST 9 EVENTS]';
    const log = reconstruct([
      map('a-1', 0x10000, 0x6000, 0x2000),
      lost,
      free('b-2', A, 0x10000, 0x1800),
      unmap('b-2', 0x10000, 0x2000),
      map('a-1', 0x10000, 0x6000, 0x2000),
      unmapSg('b-2', A, [0x6100]),
      unmap('b-2', 0x10000, 0x2000),
    ]);
    expect(log.mappings).toMatchObject([
      {
        kind: 'coherent',
        device: A,
        deviceFrom: 'inferred',
        bytes: 0x1800,
        rules: ['owner-by-line', 'lost-events'],
      },
      { kind: 'sg', device: A, deviceFrom: 'inferred', direction: 'FROM_DEVICE', bytes: 0x2000 },
    ]);
  });

  test('an API line without its map line does not take that of a transfer', () => {
    const log = reconstruct([
      map('a-1', 0x10000, 0x5000, 0x1000),
      map('a-1', 0x11000, 0x6000, 0x1000),
      mapPhys('a-1', A, 0x10000, 0x7000, 0x1000),
      unmap(IRQ, 0x10000, 0x2000),
    ]);
    expect(log.mappings.map(({ kind, bytes, rules }) => [kind, bytes, rules.includes('bounced')])).toEqual([
      ['two-step', 0x2000, false],
      ['phys', 0x1000, false],
    ]);
  });

  test('where DMA addresses are not physical ones, an allocation without map lines lies nobody knows where', () => {
    const log = reconstruct([mapPhys('a-1', A, 0xff000, 0x7000, 64), alloc('a-1', A, 0xfe000, 4096)]);
    expect(log.mappings[1]).toMatchObject({ piecePhys: [-1], rules: ['phys-unknown'] });
  });

  test('findings stand where their line stands', () => {
    const log = reconstruct([
      unmap('b-2', 0x40000, 0x1000),
      map('a-1', 0x10000, 0x5000, 0x1000),
      unmap(IRQ, 0x10000, 0x1000),
    ]);
    expect(log.order).toEqual(['unmap-without-map', 'map 0', 'unmap 0']);
  });
});

test('tasks that wait for nothing that the trace can still show are forgotten', () => {
  const table = new ContextTable();
  const state = new ReconstructionState(
    { mapped: () => undefined, unmapped: () => undefined, finding: () => undefined },
    () => undefined,
    () => 0,
    1,
  );
  const first = table.of('t-0', 0);
  const unknown = { device: A, direction: '', dmaAddr: -1, size: 0 } as const;
  expectUnmap(state, first, new Expectation(unknown, 0x5000, null));
  const waiting = table.of('t-1', 0);
  waiting.addOpen(
    new MapLine({ state, serial: 1, line: 1, at: 0, cpu: 0, context: waiting }, 0x1000, 0x1000, 0x5000),
  );
  for (let task = 2; task < 10_000; task += 1) table.of(`t-${task}`, 0);
  expect(table.of('t-0', 0)).not.toBe(first);
  expect(table.of('t-1', 0)).toBe(waiting);
});
