// Walks the tables about fences: every line must be answered as written, nothing may be warned about that a row does not
// look at, and every reference must come back.
import { fc, test } from '@fast-check/vitest';
import { type ModelTask, Scheduler } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import {
  DmaBufPlatform,
  DmaFenceCb,
  dmaFenceAddCallback,
  dmaFenceChainFindSeqno,
  dmaFenceGet,
  dmaFencePut,
  dmaFenceSignal,
  dmaFenceWait,
} from '../../src/index.ts';
import { chainOf, chainRows, chainSuite, chainWaits } from './chain-rows.ts';
import { arrayRows, mergeRows, unwrapSuite } from './container-rows.ts';
import { FenceBench } from './fence-bench.ts';
import { fenceOrder, fenceStates, fenceSuite, fenceWaits } from './fence-rows.ts';
import { fenceSteps } from './fence-steps.ts';
import { transcript } from './step-script.ts';

describe.each([
  ['the fence suite', fenceSuite],
  ['states', fenceStates],
  ['waits', fenceWaits],
  ['order', fenceOrder],
  ['the chain suite', chainSuite],
  ['chains', chainRows],
  ['the unwrap suite', unwrapSuite],
  ['merges', mergeRows],
  ['arrays', arrayRows],
])('%s', (_, rows) => {
  it.each(rows)('$key', (row) => {
    const b = new FenceBench();
    expect(transcript(row, fenceSteps(b), b.spell)).toEqual(row.steps);
    expect(b.warned()).toBe(0);
    expect(b.leftovers()).toEqual([]);
  });
});

function* someSteps(count: number): ModelTask<void> {
  for (let i = 0; i < count; i += 1) yield { at: 'between' };
}

describe('long chains', () => {
  it.each(chainWaits)('$key', ({ order }) => {
    const b = new FenceBench();
    const steps = fenceSteps(b);
    const length = 4096;
    transcript({ key: '', steps: chainOf(length, (i) => i + 1) }, steps, b.spell);
    const waiter = b.platform.scheduler.spawn('waiter', dmaFenceWait(b.fence(`c${length - 1}`), false));
    b.platform.scheduler.run();
    for (let i = 0; i < length; i += 1) {
      expect(waiter.done).toBe(false);
      dmaFenceSignal(b.fence(`f${order(i)}`));
      if (i === 0 || i === length - 1) b.platform.scheduler.run();
    }
    expect(waiter.result).toBe(0);
    expect(b.leftovers()).toEqual([]);
  });

  test.prop([fc.integer(), fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 40, maxLength: 80 })], {
    numRuns: 10,
  })('fence.chain.find-race', (seed, numbers) => {
    const platform = new DmaBufPlatform({ scheduler: new Scheduler({ seed }) });
    const b = new FenceBench(platform);
    const length = 256;
    transcript({ key: '', steps: chainOf(length, (i) => i + 1) }, fenceSteps(b), b.spell);
    function* finder(mine: readonly number[]): ModelTask<void> {
      for (const number of mine) {
        const head = dmaFenceGet(b.fence(`c${length - 1}`));
        const found = dmaFenceChainFindSeqno(head, number);
        if (!found.ok) throw new Error(`errno ${found.errno}`);
        yield* someSteps(number & 3);
        if (found.value !== null) expect(found.value.seqno).toBeLessThanOrEqual(number);
        dmaFencePut(found.value);
        if (number < length) dmaFenceSignal(b.fence(`f${number - 1}`));
      }
    }
    const half = numbers.length >> 1;
    for (const mine of [numbers.slice(0, half), numbers.slice(half)])
      platform.scheduler.spawn('finder', finder(mine));
    expect(platform.scheduler.run().status).toBe('idle');
    expect(b.leftovers()).toEqual([]);
  });
});

describe('races', () => {
  test.prop([fc.integer(), fc.boolean(), fc.array(fc.nat({ max: 3 }), { minLength: 8, maxLength: 40 })])(
    'fence.race-signal-callback: a callback that was added is called',
    (seed, signalsFirst, pauses) => {
      const platform = new DmaBufPlatform({ scheduler: new Scheduler({ seed }) });
      const b = new FenceBench(platform);
      let added = 0;
      function* signaler(): ModelTask<void> {
        for (const [i, pause] of pauses.entries()) {
          b.make(`f${i}`, '0#0');
          if (!signalsFirst) yield* someSteps(pause);
          dmaFenceSignal(b.fence(`f${i}`));
          yield { at: 'signaled' };
        }
      }
      function* adder(): ModelTask<void> {
        for (let i = 0; i < pauses.length; i += 1) {
          while (!b.fences.has(`f${i}`)) yield { at: 'no fence yet' };
          if (dmaFenceAddCallback(b.fence(`f${i}`), new DmaFenceCb(), () => b.called.push('seen')) === 0)
            added += 1;
          yield* someSteps(pauses[i] ?? 0);
        }
      }
      platform.scheduler.spawn('signaler', signaler());
      platform.scheduler.spawn('adder', adder());
      expect(platform.scheduler.run().status).toBe('idle');
      expect(b.called.length).toBe(added);
      expect(b.leftovers()).toEqual([]);
    },
  );
});
