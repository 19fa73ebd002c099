// Errno, Outcome and violations: numbers as Linux has them, results as values, misuse by rule code.
import { EventLog } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { Errno, errnoName } from './errno.ts';
import { failure, success } from './outcome.ts';
import { DmaApiViolation, warnViolation } from './violation.ts';

it('numbers errors as asm-generic does', () => {
  const { EPERM, EIO, ENOMEM, EINVAL, EOVERFLOW, EADDRINUSE, EREMOTEIO } = Errno;
  expect([EPERM, EIO, ENOMEM, EINVAL, EOVERFLOW, EADDRINUSE, EREMOTEIO]).toEqual([1, 5, 12, 22, 75, 98, 121]);
  expect(new Set(Object.values(Errno)).size).toBe(Object.keys(Errno).length);
});

it('names an error of either sign, and prints what it does not know as a number', () => {
  expect([errnoName(-Errno.EINVAL), errnoName(Errno.EIO), errnoName(-4096)]).toEqual([
    'EINVAL',
    'EIO',
    '4096',
  ]);
});

it('tells success from failure by one field', () => {
  expect([success(3), failure(Errno.ENOMEM)]).toEqual([
    { ok: true, value: 3 },
    { ok: false, errno: 12 },
  ]);
});

it('posts a WARN as an event with its rule, only while the log is on', () => {
  const log = new EventLog();
  warnViolation(log, 'off', {});
  log.enabled = true;
  warnViolation(log, 'unmap-of-unmapped', { addr: 0x1000 });
  expect(log.events).toEqual([{ kind: 'violation', rule: 'unmap-of-unmapped', addr: 0x1000 }]);
});

it('carries the rule of a BUG in the exception', () => {
  const violation = new DmaApiViolation('dma-bad-direction', 'direction none');
  expect([violation.rule, violation.name, violation instanceof Error]).toEqual([
    'dma-bad-direction',
    'DmaApiViolation',
    true,
  ]);
});
