import { describe, expect, it } from 'vitest';
import { readText } from '../../test/reader/read-whole.ts';

const range = 'IOMMU: iova=0x00000000fd340000 - 0x00000000fd3c0000 paddr=0x00000001b2f40000 size=524288';

describe('a command that looks like a prefix', () => {
  it.each(['x-1 [000] 5.5: y', '-123 [000]', '-1 [0] 1: map: ', 'a -123 [000] 1.', '[0] 5: a:b: ', ''])(
    '"%s" in the column of the kernel',
    (comm) => {
      const { events, tally } = readText(
        `${comm.padStart(16)}-77      [001] d..2.    20.000001: map: ${range}\n`,
      );
      expect([...tally.problems.keys()]).toEqual([]);
      expect(events).toMatchObject([
        { name: 'map', task: `${comm.trimStart()}-77`, cpu: 1, time: 20000001000 },
      ]);
    },
  );
});

describe('perf script with other fields', () => {
  it.each([
    ['time,event,trace', `   20.000001: iommu:map: ${range}`, '', -1],
    ['cpu,time,event,trace', `[003]    20.000001:   iommu:map: ${range}`, '', 3],
    ['+period', `  a b  123 [003]    20.000001:          1   iommu:map: ${range}`, 'a b-123', 3],
    ['an unknown command', `             :-1    -1 [003]    20.000001:  iommu:map: ${range}`, ':-1--1', 3],
  ])('%s', (_name, line, task, cpu) => {
    const { events, tally } = readText(`${line}\n${line}\n`);
    expect([...tally.problems.keys()]).toEqual([]);
    expect(tally.format).toBe('perf');
    expect(events).toMatchObject([
      { name: 'map', time: 20000001000, task, cpu, line: 1 },
      { name: 'map', time: 20000001000, task, cpu, line: 2 },
    ]);
  });

  it('does not take a time and an event without a system for one', () => {
    expect(readText(`20.000001: map: ${range}\n`).events).toEqual([]);
  });
});

describe('events of other systems', () => {
  it.each([
    ['sched:map: pid=1', 'map'],
    [`kvm:map: ${range}`, 'map'],
    ['kvm: unmap', 'kvm'],
    ['unmap: start=1 end=2', 'unmap'],
    ['drm:dma_alloc: 0000:01:00.0', 'dma_alloc'],
    ['xen:io_page_fault: IOMMU:x', 'io_page_fault'],
  ])('%s', (text, name) => {
    const { events, tally } = readText(`a-1     [001] d..2.    20.000001: ${text}\n`, { others: true });
    expect(events).toMatchObject([{ system: 'other', name }]);
    expect([...tally.problems.keys()]).toEqual(['unknown-event']);
  });
});
