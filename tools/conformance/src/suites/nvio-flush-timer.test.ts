// Which flushes of the whole domain are inputs: those of the timer, and a full ring that this list cannot have filled.

import { expect, test } from 'vitest';
import { timerFlushes } from './nvio-flush-timer.ts';
import { nvioDiskName, nvioWindows } from './nvio-trace.ts';

const stamp = (flags: string, text: string): string =>
  `          <idle>-0       [001] ${flags}    17.578460: ${text}`;
const marker = (text: string): string => stamp('...2.', `tracing_mark_write: nvio ${text}`);
const unmapped = stamp('d.h1.', 'dma_unmap_phys: 0000:01:00.0 dir=TO_DEVICE dma_addr=1000 size=512 attrs=');
const unmapping = stamp('d.h1.', 'unmap: IOMMU: iova=0x1000 - 0x2000 size=4096 unmapped_size=4096');
const all =
  'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 24 [0x0-0xffffffffffffffff] addr 0x0 mask 0x34';
const timer = stamp('dNs2.', all);
const fullRing = stamp('d.h3.', all);
const part = stamp('d.s2.', all.replace('0x0-0xffffffffffffffff', '0x1000-0x1fff'));

const request = (k: number, lines: readonly string[]): string[] => [
  marker(`k=${k} write pos=0 total=512 niov=1 style=0`),
  ...lines,
  marker(`k=${k} done ret=512`),
];

const flushesOf = (lines: readonly string[]): [number, number[]][] =>
  [...timerFlushes(nvioWindows(lines.join('\n')), { device: '0000:01:00.0', domainId: 24 })].map(
    ([k, flushes]) => [k, flushes.map(({ position }) => position)],
  );

test('the timer fires where its line stands, also between two requests', () => {
  const lines = [
    ...request(0, [unmapped, timer, unmapped]),
    timer,
    ...request(1, [part, unmapping, fullRing, unmapped, unmapping, timer, unmapped, unmapping, fullRing]),
  ];
  expect(flushesOf(lines)).toEqual([
    [0, [1, 2]],
    [1, [1]],
  ]);
});

test('a ring that runs full in a soft interrupt is no timer', () => {
  const inSoftInterrupt = (line: string): string => line.replace('d.h1.', 'd.s1.');
  const lines = request(0, [timer, inSoftInterrupt(unmapping), timer, unmapped]);
  expect(flushesOf(lines)).toEqual([[0, [0]]]);
});

test.each([
  [254, [254]],
  [255, []],
  [300, []],
])('a ring that is full after %i entries of this list', (count, expected) => {
  const first = Array.from({ length: count }, () => unmapped);
  const lines = request(0, [...first, unmapping, fullRing, unmapped, unmapping, fullRing]);
  expect(flushesOf(lines)).toEqual([[0, expected]]);
});

test('the windows of a trace: markers, lines, disk and what is no line', () => {
  const lines = [
    '# tracer: nop',
    unmapped,
    ...request(7, [unmapped]),
    'CPU:0 [LOST 5 EVENTS]',
    '',
    marker('x'),
  ];
  const windows = nvioWindows(lines.join('\r\n'));
  expect([...windows.keys()]).toEqual([7]);
  expect(windows.get(7)).toMatchObject({
    starts: ['write pos=0 total=512 niov=1 style=0'],
    ends: ['ret=512'],
    lines: [{ number: 4, cpu: 1, context: 'h', event: 'dma_unmap_phys' }],
    unreadable: ['6: CPU:0 [LOST 5 EVENTS]', expect.stringMatching(/^8: /)],
  });
  expect(nvioDiskName(windows)).toBe('0000:01:00.0');
  expect(nvioDiskName(nvioWindows(marker('k=0 read')))).toBe(null);
});

test('flushes of other domains and calls of other devices do not count', () => {
  const foreign = unmapped.replace('0000:01:00.0', '0000:02:00.0');
  const lines = request(0, [foreign, timer.replace('did 24', 'did 25'), unmapped, foreign, timer]);
  expect(flushesOf(lines)).toEqual([[0, [1]]]);
});

test('what stands behind the marker at the end is known to be late', () => {
  const windows = nvioWindows([...request(0, [unmapped]), unmapping, ...request(1, [])].join('\n'));
  expect(windows.get(0)?.late.map(({ event }) => event)).toEqual(['unmap']);
  expect(windows.get(0)?.lines).toHaveLength(2);
  expect(windows.get(1)?.late).toEqual([]);
});
