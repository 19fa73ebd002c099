// Clock: steps and milliseconds are apart; timers fire in order of time, then of arming.
import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { Clock } from './clock.ts';

it('counts steps one by one', () => {
  const clock = new Clock();
  expect([clock.step, clock.tick(), clock.tick(), clock.step]).toEqual([0, 1, 2, 2]);
  expect(clock.nowMs).toBe(0);
});

it('fires timers in time order, ties in arming order, each at its own time', () => {
  const clock = new Clock();
  const fired: string[] = [];
  const arm = (name: string, ms: number) => clock.after(ms, () => fired.push(`${name}@${clock.nowMs}`));
  arm('late', 20);
  arm('first tie', 10);
  arm('second tie', 10);
  arm('beyond', 31);
  clock.advanceMs(30);
  expect(fired).toEqual(['first tie@10', 'second tie@10', 'late@20']);
  expect([clock.nowMs, clock.nextDueMs]).toEqual([30, 31]);
});

it('does not fire a cancelled timer and does not count it as due', () => {
  const clock = new Clock();
  let fired = 0;
  const timer = clock.after(5, () => {
    fired += 1;
  });
  timer.cancelled = true;
  expect(clock.nextDueMs).toBeUndefined();
  clock.advanceMs(10);
  expect(fired).toBe(0);
});

it('fires a timer that a timer arms, when its time comes within the same advance', () => {
  const clock = new Clock();
  const fired: number[] = [];
  const again = (): void => {
    fired.push(clock.nowMs);
    clock.after(10, again);
  };
  clock.after(10, again);
  clock.advanceMs(35);
  expect(fired).toEqual([10, 20, 30]);
  expect(clock.nextDueMs).toBe(40);
});

test.prop([fc.array(fc.integer({ min: 0, max: 50 })), fc.array(fc.integer({ min: 0, max: 20 }))])(
  'fires each timer once, at its due time, however time is cut',
  (delays, advances) => {
    const clock = new Clock();
    const fired: number[] = [];
    for (const delay of delays) clock.after(delay, () => fired.push(clock.nowMs));
    for (const ms of advances) clock.advanceMs(ms);
    const now = advances.reduce((sum, ms) => sum + ms, 0);
    const due = delays.filter((delay) => delay <= now && advances.length > 0);
    expect(fired).toEqual(due.sort((a, b) => a - b));
  },
);
