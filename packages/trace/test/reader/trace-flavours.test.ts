import { describe, expect, it } from 'vitest';
import { type EventCopy, readText } from './read-whole.ts';
import { partsOf, recordedLines } from './recorded-lines.ts';
import { flavours, type TraceLineParts } from './trace-flavours.ts';

const recorded = recordedLines().filter((_, index) => index % 5 === 0);

/** Commands that are hard to tell from what stands around them. */
const commands = [
  ...[
    '<idle>',
    '(udev-worker)',
    'irq/26-AMD-Vi',
    'kworker/u64:0',
    'jbd2/mmcblk2p6-',
    'a b',
    'x: y',
    'tcp [000]',
  ],
  ...['a-1 b', '12', 'w-12 34', '[x] 5.5: m:', 'Ünïcode', 'a:b:c', '-', 'k [1] 2'],
];

function expectFlavour(flavour: (typeof flavours)[number], all: readonly TraceLineParts[]): void {
  const text = all.map((parts) => `${flavour.print(parts)}\n`).join('');
  const { events, tally } = readText(text);
  const plain = readText(all.map((parts) => `${parts.name}: ${parts.text}\n`).join(''));
  expect([...tally.problems.keys()].filter((kind) => kind !== 'time-backwards')).toEqual([]);
  expect(tally).toMatchObject({ format: flavour.format, clock: flavour.clock, eventLines: all.length });
  const perf = flavour.format === 'perf';
  const expected = plain.events.map((event, index): EventCopy => {
    const parts = all[index] as TraceLineParts;
    const comm = perf && parts.comm === '<idle>' ? 'swapper' : parts.comm;
    const context = { task: `${comm}-${parts.pid}`, cpu: parts.cpu };
    return { ...event, time: flavour.time(parts), ...(flavour.context ? context : {}) };
  });
  expect(events).toEqual(expected);
}

describe.each(flavours)('$name', (flavour) => {
  it('is read like the recorded lines', () => {
    expectFlavour(flavour, recorded.map(partsOf));
  });

  it.each(commands)('of the command "%s"', (comm) => {
    const all = recorded.slice(0, 40).map((line, index) => ({
      ...partsOf(line),
      comm: index % 3 === 1 ? 'other' : comm,
      pid: index % 2 === 0 ? 987 : 4_123_456,
      cpu: index % 7 === 0 ? 1023 : index % 3,
    }));
    expectFlavour(flavour, all);
  });
});
