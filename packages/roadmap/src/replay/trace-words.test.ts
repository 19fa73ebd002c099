// Words of trace lines: every attribute and direction that the kernel prints, and what nobody knows.
import { attrsTraceName } from '@sgfree/dma-core';
import { expect, it } from 'vitest';
import { AttrsReader, directionOfTrace } from './trace-words.ts';

it.each(['', 'MMIO', 'WEAK_ORDERING|SKIP_CPU_SYNC', 'PRIVILEGED|REQUIRE_COHERENT|CC_SHARED'])(
  'reads %j as it is printed',
  (text) => {
    const reader = new AttrsReader();
    expect(attrsTraceName(reader.read(text))).toBe(text);
    expect(reader.read(text)).toBe(reader.read(text));
  },
);

it('leaves out what it does not know', () => {
  expect(new AttrsReader().read('NEW_THING|MMIO|0x8000')).toEqual({ mmio: true });
});

it.each([
  ['TO_DEVICE', 'to-device'],
  ['FROM_DEVICE', 'from-device'],
  ['BIDIRECTIONAL', 'bidirectional'],
  ['NONE', 'none'],
  ['', 'bidirectional'],
] as const)('reads direction %j as %s', (text, direction) => {
  expect(directionOfTrace(text)).toBe(direction);
});
