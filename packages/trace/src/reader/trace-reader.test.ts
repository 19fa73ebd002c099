import { describe, expect, it } from 'vitest';
import { bytesOfText, readChunks, readText } from '../../test/reader/read-whole.ts';
import { TraceReader } from './trace-reader.ts';
import { type TraceProblemKind, traceProblems } from './trace-tally.ts';

const prefix = '            nvme-987     [001] d..2.    20.000001: ';
const map = 'map: IOMMU: iova=0x00000000fd340000 - 0x00000000fd3c0000 paddr=0x00000001b2f40000 size=524288';
const good = `${prefix}${map}`;

/** Lines that cannot be used, or only in part; `kind` is what the reader calls them. */
const bad: readonly [what: string, line: string, kind: TraceProblemKind][] = [
  ['cut in its prefix', prefix.slice(0, 30), 'not-a-trace-line'],
  ['cut behind the event', `${prefix}map:`, 'truncated'],
  ['cut within the words that mark the system', `${prefix}map: IOM`, 'truncated'],
  ['cut in an address', good.slice(0, -60), 'truncated'],
  ['cut in its size', good.slice(0, -1), 'inconsistent'],
  ['a map that ends elsewhere', good.replace('fd3c0000', 'fd3c0001'), 'inconsistent'],
  ['two lines in one', `${good} ${good}`, 'bad-field'],
  ['a letter in an address', good.replace('fd340', 'fg340'), 'bad-field'],
  ['an unknown direction', `${prefix}dma_sync_single_for_cpu: d dir=UP dma_addr=0 size=1`, 'bad-field'],
  ['an address of 53 bits', good.replace('paddr=0x0000', 'paddr=0x0010'), 'absurd-number'],
  ['a size of 30 digits', good.replace('524288', '9'.repeat(30)), 'absurd-number'],
  [
    'a physical range beyond 2^52',
    `${prefix}dma_map_phys: d dir=NONE dma_addr=0 size=2 phys_addr=fffffffffffff attrs=`,
    'absurd-number',
  ],
  ['a count of 40 digits', `CPU:3 [LOST ${'1'.repeat(40)} EVENTS]`, 'absurd-number'],
  [
    'fewer entries than counted',
    `${prefix}dma_map_sg: d dir=NONE nents=2/2 ents=1/1 dma_addrs={0x1} sizes={0x1} phys_addrs={0x1} attrs=`,
    'inconsistent',
  ],
  [
    'lists of different lengths',
    `${prefix}dma_sync_sg_for_cpu: d dir=NONE dma_addrs={0x1,0x2} sizes={0x1}`,
    'inconsistent',
  ],
  ['prose', 'Device 0000:22:00.0 with pasid 0 @0x10ceda000', 'not-a-trace-line'],
  ['an event name alone that is not known', 'sched_switch: prev_comm=bash', 'not-a-trace-line'],
  ['a time beyond 64 bits', good.replace('20.000001', '99999999999.000001'), 'not-a-trace-line'],
  ['a CPU of seven digits', good.replace('[001]', '[1000000]'), 'not-a-trace-line'],
  ['NUL bytes', `map\0\0\0`, 'binary'],
  ['bytes that are no text', '\x01\x02\x7f', 'binary'],
  ['lost events', 'CPU:1 [LOST 17 EVENTS]', 'lost-events'],
  ['lost events, not counted', 'CPU:1 [LOST EVENTS]', 'lost-events'],
  ['lost events by trace-cmd', 'CPU:7 [204600 EVENTS DROPPED]', 'lost-events'],
  ['an event that did not fit', 'CPU:0 [LINE TOO BIG]', 'lost-events'],
  ['another event', `${prefix}sched_switch: prev_comm=bash prev_pid=1`, 'unknown-event'],
  ['a map of another system', `${prefix}map: fd=3 key=0`, 'unknown-event'],
  ['an unmap of another system by perf', 'x 1 [000] 5.0: xen:unmap: IOMMU: iova=0x1', 'unknown-event'],
  ['a function call', `${prefix}iommu_map <-__iommu_dma_map`, 'unknown-event'],
  [
    'a kernel message',
    '[  198.442017] iommu: map: iova 0xfffff000 pa 0x00000001a5d3e000 size 0x1000',
    'console',
  ],
];

describe('a bad line', () => {
  it.each(bad)('%s', (_, line, kind) => {
    const { events, tally } = readText(`${good}\n${good}\n${line}\n${good}\n`);
    expect(events.map(({ line: number }) => number)).toEqual([1, 2, 4]);
    expect([...tally.problems]).toEqual([[kind, { count: 1, firstLine: 3 }]]);
    const counted = traceProblems[kind].class;
    expect(tally.problemLines).toBe(counted === 'unusable' ? 1 : 0);
    expect(tally.otherLines).toBe(counted === 'other' ? 1 : 0);
    expect(tally).toMatchObject({ lines: 4, eventLines: 3, usable: true });
  });

  it('leaves nothing of itself in the events that follow', () => {
    const full = `${prefix}dma_map_sg: d dir=NONE nents=1/1 ents=1/1 dma_addrs={0x1} sizes={0x1} phys_addrs={0x1} attrs=MMIO`;
    const alone = readText(`${good}\n`).events[0];
    for (const line of [full, `${full} x`, ...bad.map(([, text]) => text)]) {
      expect(readText(`${line}\n${good}\n`).events.at(-1)).toEqual({ ...alone, line: 2 });
    }
  });

  it('is counted by kind, with the first line of each', () => {
    const { tally } = readText([`${good} x`, 'prose', `${good} y`, 'more prose', ''].join('\n'));
    expect(tally.problems).toEqual(
      new Map([
        ['bad-field', { count: 2, firstLine: 1 }],
        ['not-a-trace-line', { count: 2, firstLine: 2 }],
      ]),
    );
    expect(tally).toMatchObject({ usable: false, eventLines: 0, problemLines: 4 });
  });
});

describe('lost events', () => {
  it('are added up, one where the kernel does not say how many', () => {
    const { tally } = readText('CPU:1 [LOST 17 EVENTS]\nCPU:0 [LOST EVENTS]\nCPU:2 [3 EVENTS DROPPED]\n');
    expect(tally.lostEvents).toBe(21);
  });

  it('are told from those that the buffer gave up', () => {
    const { tally } = readText(`# entries-in-buffer/entries-written: 5/12   #P:2\n${good}\n`);
    expect(tally).toMatchObject({ lostEvents: 0, overwrittenEvents: 7, headerLines: 1, problemLines: 0 });
    expect([...tally.problems]).toEqual([['overwritten', { count: 1, firstLine: 1 }]]);
  });
});

describe('headings', () => {
  it('are not needed: trace-cmd pads its events, but a marker may begin with spaces', () => {
    expect(readText(`${prefix}tracing_mark_write:   x\n${good}\n`).tally.format).toBe('ftrace');
    expect(readText(`${good.replace('map: ', 'map:     ')}\n`).tally.format).toBe('trace-cmd');
  });

  it('of trace are passed over', () => {
    const { tally } = readText(`# tracer: nop\n#\n##### CPU 1 buffer started ####\n\n${good}\n`);
    expect(tally).toMatchObject({ lines: 5, headerLines: 4, eventLines: 1, format: 'ftrace' });
    expect(tally.problems.size).toBe(0);
  });

  it('of trace-cmd tell who wrote the lines', () => {
    const { tally } = readText(`CPU 0 is empty\nversion = 6\ncpus=2\n${good}\n`);
    expect(tally).toMatchObject({ lines: 4, headerLines: 3, eventLines: 1, format: 'trace-cmd' });
    expect(tally.problems.size).toBe(0);
  });
});

describe('the ends of lines and of the file', () => {
  const twice = [1, 2].map((line) => expect.objectContaining({ line, dmaAddr: 0xfd340000, size: 524288 }));

  it.each([
    ['a last line without an end', `${good}\n${good}`],
    ['carriage returns', `${good}\r\n${good}\r\n`],
    ['spaces', `${good}  \n${good} \r\n`],
    ['a UTF-8 mark', `\ufeff${good}\n${good}\n`],
  ])('%s', (_, text) => {
    const { events, tally } = readText(text);
    expect(events).toEqual(twice);
    expect(tally).toMatchObject({ lines: 2, eventLines: 2, bytes: bytesOfText(text).length });
    expect(tally.problems.size).toBe(0);
  });

  it('NUL bytes before a line are told of, and the line is used', () => {
    const { events, tally } = readText(`${good}\n\0\0\0${good}\n\0\0\n`);
    expect(events).toEqual(twice);
    expect([...tally.problems]).toEqual([
      ['nul-bytes', { count: 1, firstLine: 2 }],
      ['binary', { count: 1, firstLine: 3 }],
    ]);
  });

  it('of an empty input nothing is usable', () => {
    expect(readText('').tally).toMatchObject({ lines: 0, usable: false, format: 'unknown', clock: 'none' });
    expect(readText('\n\n').tally).toMatchObject({ lines: 2, headerLines: 2, usable: false });
  });

  it('markers alone are not usable', () => {
    const { events, tally } = readText(`${prefix}tracing_mark_write: hello world\n`);
    expect(events).toMatchObject([{ system: 'marker', name: 'tracing_mark_write', text: 'hello world' }]);
    expect(tally).toMatchObject({ usable: false, eventLines: 1 });
  });

  it('nothing can follow the end', () => {
    const reader = new TraceReader(() => {});
    reader.end();
    expect(() => reader.push(bytesOfText(good))).toThrow('the trace has ended');
  });
});

describe('long lines', () => {
  const list = (count: number, step: number): string =>
    `{${Array.from({ length: count }, (_, at) => `0x${(at * step).toString(16)}`).join(',')}}`;
  const sg = (count: number): string =>
    `${prefix}dma_map_sg: d dir=NONE dma_addrs=${list(count, 0x1000)} sizes=${list(count, 1)} phys_addrs=${list(count, 0x2000)} attrs=`;

  it('lists of thousands of entries are read', () => {
    const { events } = readText(`${sg(5000)}\n${good}\n`);
    expect(events[0]).toMatchObject({ nents: 5000, ents: 5000 });
    expect(events[0]?.physAddrs[4999]).toBe(4999 * 0x2000);
    expect(events[1]).toMatchObject({ name: 'map', dmaAddrs: [], physAddrs: [], nents: 0 });
  });

  it.each([1, 1000, 100_000])('beyond the limit they are passed over, in chunks of %d bytes', (size) => {
    const bytes = bytesOfText(
      `${good}\n${'x'.repeat(4001)}\n${'y'.repeat(4000)}\n${sg(900)}\n${good}\n${'z'.repeat(9000)}`,
    );
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    const { events, tally } = readChunks(chunks, { maxLineBytes: 4000 });
    expect(events.map(({ line }) => line)).toEqual([1, 5]);
    expect([...tally.problems]).toEqual([
      ['too-long', { count: 3, firstLine: 2 }],
      ['not-a-trace-line', { count: 1, firstLine: 3 }],
    ]);
    expect(tally.lines).toBe(6);
  });
});

describe('times', () => {
  const at = (time: string): string => good.replace('20.000001', time);

  it('that step backwards are counted, and the events used', () => {
    const { events, tally } = readText(
      [at('5.000001'), at('4.000000'), at('4.500000'), at('4.499999')].join('\n'),
    );
    expect(events.map(({ time }) => time)).toEqual([5000001000, 4000000000, 4500000000, 4499999000]);
    expect([...tally.problems]).toEqual([['time-backwards', { count: 2, firstLine: 2 }]]);
    expect(tally).toMatchObject({ firstTime: 5000001000, lastTime: 4499999000, problemLines: 0 });
  });

  it.each([
    ['0.000001', 1000],
    ['1234567.123456789', 1234567123456789],
    ['8640000.000001', 8640000000001000],
    ['123456789012345', 123456789012345],
  ])('%s is %d', (text, time) => {
    expect(readText(at(text)).events[0]?.time).toBe(time);
  });

  it('of different clocks are told', () => {
    expect(readText([at('5.000001'), at('77')].join('\n')).tally.clock).toBe('mixed');
  });
});

describe('events that are not taken apart', () => {
  const line = `${prefix}sched_switch: prev_comm=bash ==> next_comm=a`;

  it('are left out unless they are wanted', () => {
    expect(readText(line).events).toEqual([]);
    expect(readText(line, { others: true }).events).toMatchObject([
      {
        system: 'other',
        name: 'sched_switch',
        text: 'prev_comm=bash ==> next_comm=a',
        task: 'nvme-987',
        cpu: 1,
      },
    ]);
    expect(readText(line, { others: true }).tally).toMatchObject({
      usable: false,
      otherLines: 1,
      eventLines: 0,
    });
  });
});

describe('texts of libtraceevent', () => {
  it('a direction that it cannot name is a number', () => {
    const sync = `${prefix}dma_sync_single_for_cpu: d dir=`;
    const directions = ['0x2', '1', '0x0', '3'].map((text) => `${sync}${text} dma_addr=0 size=1\n`);
    expect(readText(directions.join('')).events.map(({ direction }) => direction)).toEqual([
      'FROM_DEVICE',
      'TO_DEVICE',
      'BIDIRECTIONAL',
      'NONE',
    ]);
  });

  it('an event that it cannot print at all is a bad one', () => {
    const { tally } = readText(
      `${prefix}dma_map_sg:           [FAILED TO PARSE] device=0000:01:00.0 dir=1\n`,
    );
    expect([...tally.problems.keys()]).toEqual(['bad-field']);
  });
});
