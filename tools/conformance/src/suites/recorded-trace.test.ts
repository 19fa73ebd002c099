// Which lines of a trace belong to the file beside it, and in which order they are taken.
import { expect, test } from 'vitest';
import type { FileContext } from '../suite.ts';
import { recordedDomainId, recordedTrace, requesterIdOf } from './recorded-trace.ts';

const DEVICE = '0000:00:08.0';
const GROUPS = [
  'group 0 type=identity devices=0000:00:02.0 ',
  'group 5 type=DMA-FQ devices=0000:00:08.0 0000:00:08.1 ',
  '   resv 0x00000000fee00000 0x00000000feefffff msi',
  'group 6 type=identity devices=0000:00:09.0 ',
  'group 7 type=DMA devices=0000:00:0a.0 ',
].join('\n');

const contextWith = (groups: string | null): FileContext => ({
  stem: 'inv_0',
  siblingNames: () => [],
  readSibling: () => null,
  readInput: (name) => (name === 'topo/iommu_groups.txt' ? groups : null),
});
const context = contextWith(GROUPS);

const line = (text: string, flags = '.....', task = 'sh-824', cpu = 0): string =>
  `${task.padStart(23)}     [00${cpu}] ${flags}    17.260001: ${text}`;
const map = (iova: string): string =>
  `map: IOMMU: iova=0x00000000${iova} - 0x00000000ffff7000 paddr=0x0000000041d02000 size=28672`;
const api = (device: string): string =>
  `dma_map_phys: ${device} dir=TO_DEVICE dma_addr=fffb0000 size=46665 phys_addr=7f9b1000 attrs=`;
const flush = (did: number): string =>
  `cache_tag_flush_range: dmar0 dmar0[0] type iotlb did ${did} [0xffff0000-0xffff7fff] addr 0xffff0000 mask 0x3`;
const flushAll = (did: number): string =>
  `cache_tag_flush_range: dmar0 dmar0[0] type iotlb did ${did} [0x0-0xffffffffffffffff] addr 0x0 mask 0x34`;
const qi = (words: string, type = 'iotlb_inv'): string => `qi_submit: ${type} dmar0: ${words} 0x0 0x0`;

const numbersOf = (lines: readonly string[], inContext: FileContext = context): number[] =>
  recordedTrace({ dev: DEVICE }, inContext, lines.join('\n')).lines.map(({ number }) => number);

test('the domain id of a group is 2 + its number, less the identity groups before it', () => {
  expect(recordedDomainId('0000:00:08.1', context)).toBe(6);
  expect(recordedDomainId('0000:00:0a.0', context)).toBe(7);
  expect(recordedDomainId('0000:00:0b.0', context)).toBeNull();
  expect(recordedDomainId(DEVICE, contextWith(null))).toBeNull();
});

test('a requester id is made of bus, slot and function', () => {
  expect(requesterIdOf('0000:01:02.3')).toBe(0x0113);
  expect(requesterIdOf('10000:e1:1f.7')).toBe(0xe1ff);
});

test('lines that name a device or a domain are the file’s when it is its own, on any CPU and in interrupts', () => {
  const lines = [
    '# tracer: nop',
    line(api(DEVICE)),
    line(api('0000:00:08.01')),
    line(api('0000:00:09.0')),
    line(flush(6), 'd.h1.', 'kworker/0:1-12', 1),
    line(flush(7)),
    line(qi('0x600f2 0xffff0043'), 'd.s2.', '<idle>-0', 1),
    line(qi('0x700f2 0xffff0043')),
    line(qi('0x4000600f6 0xffff0043', 'p_iotlb_inv')),
    line(qi('0x4000000003 0xffff0001', 'dev_tlb_inv')),
    line(qi('0x4800000003 0xffff0001', 'dev_tlb_inv')),
    line(qi('0x5 0x0', 'inv_wait')),
    line('swiotlb_bounced: dev_name: 0000:00:08.0 dma_mask=ffffffff dev_addr=1000 size=1 NORMAL'),
    line('swiotlb_bounced: dev_name: 0000:00:0a.0 dma_mask=ffffffff dev_addr=1000 size=1 NORMAL'),
    line('sched_switch: prev_comm=bash'),
  ];
  expect(numbersOf(lines)).toEqual([2, 5, 7, 9, 10, 13]);
});

test('map and unmap are the file’s when the recorder wrote them outside interrupts', () => {
  const lines = [
    line(map('ffff0000')),
    line(api(DEVICE)),
    line(map('fffe0000'), 'd.h1.'),
    line(map('fffd0000'), '.....', 'kworker/0:1-12', 1),
    line(map('fffd0000'), '.....', 'kworker/0:1-12', 1),
    line(map('fffc0000'), '..s1.', 'kworker/0:1-12', 1),
    line(map('fffb0000').replace('map', 'unmap')),
  ];
  expect(numbersOf(lines)).toEqual([1, 2, 7]);
  expect(recordedTrace({ dev: DEVICE }, context, lines.join('\r\n')).others).toBe(4);
});

test('a domain that is attached to nothing has no flushes', () => {
  const trace = [line(flush(6)), line(flushAll(6)), line(map('ffff0000'))].join('\n');
  const { lines, others } = recordedTrace({ suite: 'hwdom', dev: DEVICE }, context, trace);
  expect(lines.map(({ event }) => event)).toEqual(['map']);
  expect(others).toBe(2);
});

test('without a line that names device or domain, the busiest task is the recorder', () => {
  const lines = [line(map('ffff0000'), '.....', 'cat-9'), line(map('fffe0000')), line(map('fffd0000'))];
  expect(numbersOf(lines)).toEqual([2, 3]);
  expect(numbersOf([])).toEqual([]);
});

test('the commands of a flush of everything are moved behind it, when another CPU ran it', () => {
  const lines = [
    line(map('ffff0000')),
    line(flushAll(6), 'd.s1.', 'sh-824', 1),
    line(flush(6)),
    line(qi('0x600e2 0x0'), 'd.s2.', 'sh-824', 1),
    line(qi('0x600f2 0xffff0043')),
  ];
  const { lines: ordered } = recordedTrace({ dev: DEVICE }, context, lines.join('\n'));
  expect(ordered.map(({ number, wholeFlush }) => [number, wholeFlush])).toEqual([
    [1, false],
    [2, true],
    [4, true],
    [3, false],
    [5, false],
  ]);
});

test('prefixes with a thread group, without flags, and task names with blanks and dashes', () => {
  const text = map('ffff0000');
  const lines = [
    `            bash-10197   (  10197) [000] .....  6503.076264: ${text}`,
    `            bash-10197   [000]   6503.076264: ${text}`,
    `      my-app 2-10197 [000] d..1.  6503.076264: ${text}`,
  ];
  for (const one of lines) expect(numbersOf([one])).toEqual([1]);
});

test('groups are told apart in a list with any line ends', () => {
  expect(recordedDomainId(DEVICE, contextWith(GROUPS.replaceAll('\n', '\r\n')))).toBe(6);
});

test('where no group lists the device, every domain counts and none is told apart', () => {
  const trace = [line(flush(9)), line(qi('0x900f2 0xffff0043'))].join('\n');
  const unknown = recordedTrace({ dev: DEVICE }, contextWith(null), trace);
  expect(unknown.knowsDomain).toBe(false);
  expect(unknown.lines.map(({ text }) => text)).toEqual([
    'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did * [0xffff0000-0xffff7fff] addr 0xffff0000 mask 0x3',
    'qi_submit: iotlb_inv dmar0: 0x00000000****00f2 0xffff0043 0x0 0x0',
  ]);
  expect(recordedTrace({ dev: DEVICE }, context, trace)).toMatchObject({ lines: [], knowsDomain: true });
});

test('a device that is not translated has no flushes', () => {
  const trace = [line(flush(6)), line(api(DEVICE))].join('\n');
  const { lines } = recordedTrace({ dev: DEVICE, domain_type: null }, contextWith(''), trace);
  expect(lines.map(({ number }) => number)).toEqual([2]);
});

test('what is neither an event nor a comment is told', () => {
  const lines = [
    '# tracer: nop',
    line(api(DEVICE)),
    '',
    'CPU:1 [LOST 12 EVENTS]',
    line(api(DEVICE)).slice(20),
  ];
  expect(recordedTrace({ dev: DEVICE }, context, lines.join('\n')).unreadable).toEqual([4, 5]);
});
