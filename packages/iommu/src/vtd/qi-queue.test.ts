// The driver's queue: many times round the ring, and a command that the unit refuses.
import { EventLog } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, test } from 'vitest';
import { bareUnit } from '../../test/vtd-machine.ts';
import { encodeContextCache, encodeIotlbWide } from './qi-descriptor.ts';
import { QiQueue } from './qi-queue.ts';

describe.each([
  ['128-bit', 0x0000],
  ['256-bit', 0x0800],
])('%s descriptors', (_title, scalableBit) => {
  const newQueue = () => {
    const capabilities = { cap: [0x222f0606, 0x00d2008c], ecap: [0xf42, scalableBit] } as const;
    const { unit, memory, frames } = bareUnit({ capabilities: { ...capabilities } });
    const qi = new QiQueue(unit, memory, frames, new EventLog());
    qi.enable();
    return { unit, qi };
  };

  test('batches of every size, ten times round the ring', () => {
    const { unit, qi } = newQueue();
    const before = { ...unit.counters };
    const words = new Uint32Array(16 * 8);
    for (let at = 0; at < 16; at += 1) encodeIotlbWide(words, at * 8, unit.capabilities, 2, at);
    let commands = 0;
    for (let batch = 0; batch < 300; batch += 1) {
      const count = (batch % 16) + 1;
      expect(qi.submit(words, count)).toBe(0);
      commands += count;
    }
    expect(qi.counters).toEqual({ commands, waits: 300, tailWrites: 300, errors: 0 });
    expect(unit.counters.iotlbDomain - before.iotlbDomain).toBe(commands);
    expect(unit.counters.waits - before.waits).toBe(300);
  });

  test('a refused command is -EINVAL, what stands before and behind it is done', () => {
    const { unit, qi } = newQueue();
    const before = { ...unit.counters };
    const words = new Uint32Array(3 * 8);
    encodeContextCache(words, 0, 1, 0, 0);
    words[8] = 0xf;
    encodeContextCache(words, 16, 2, 5, 0);
    expect(qi.submit(words, 3)).toBe(-Errno.EINVAL);
    expect(qi.counters.errors).toBe(1);
    expect(unit.counters.contextGlobal - before.contextGlobal).toBe(1);
    expect(unit.counters.contextDomain - before.contextDomain).toBe(1);
    encodeContextCache(words, 0, 1, 0, 0);
    expect(qi.submit(words, 1)).toBe(0);
  });
});
