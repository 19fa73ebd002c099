// The state that a caller expects a queue pair to be in may be named from ready-to-receive on.
import { expect, it } from 'vitest';
import { ibModifyQpIsOk } from './ib-qp-state.ts';

it('the expected state may be named in ready-to-receive', () => {
  expect(ibModifyQpIsOk('rtr', 'rts', 'uc', ['qpState', 'sqPsn', 'curQpState'])).toBe(true);
  expect(ibModifyQpIsOk('rtr', 'rts', 'uc', ['qpState', 'curQpState'])).toBe(false);
});
