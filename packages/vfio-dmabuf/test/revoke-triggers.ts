// The triggers of a revoke as rows: what the user does, what comes back, and what becomes of a buffer that is mapped.
// Simplified: one buffer and one importer per row.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import {
  VfioDeviceSet,
  type VfioPciDevice,
  vfioPciConfigWrite,
  vfioPciCoreCloseDevice,
  vfioPciCoreEnable,
  vfioPciDevSetHotReset,
  vfioPciIoctlReset,
} from '../src/index.ts';
import { featureBytes, type VfioMachine, type VfioMachineOptions } from './vfio-machine.ts';

/** Offset of the command register. */
export const COMMAND = 4;
/** Offset of the power management control of {@link VfioMachine}'s functions. */
export const PM_CTRL = 0x44;
const DEVCTL = 0x58;
const AF_CTRL = 0xa4;
/** The user writes bytes to a register. */
export const write = (machine: VfioMachine, at: number, ...values: number[]): number =>
  machine.run(vfioPciConfigWrite(machine.vdev, at, Uint8Array.from(values)));
const lowPower = (machine: VfioMachine, feature: number): number =>
  machine.ioctl(featureBytes({ argsz: 16, flags: 0x20000 + feature, ranges: [] }));
const inTurn = (...acts: (() => number)[]): number => acts.reduce((_, act) => act(), 0);
const closed = (machine: VfioMachine): number => {
  machine.run(vfioPciCoreCloseDevice(machine.vdev));
  return 0;
};
const vf: VfioMachineOptions = { noCommandMemory: true };
const noReset: VfioMachineOptions = { reset: null };

/** What becomes of the buffer. */
export interface TriggerOutcome {
  /** Buffers taken back and given out by the act. */
  readonly moves: readonly [revokes: number, unrevokes: number];
  readonly revoked: boolean;
  /** Times that the user's pages were removed. */
  readonly zaps: number;
  /** BAR requests are answered afterwards. */
  readonly answers: boolean;
}

const TAKEN: TriggerOutcome = { moves: [1, 0], revoked: true, zaps: 1, answers: false };
const BOTH: TriggerOutcome = { moves: [1, 1], revoked: false, zaps: 1, answers: true };
const NONE: TriggerOutcome = { moves: [0, 0], revoked: false, zaps: 0, answers: true };

/** One trigger. */
export interface TriggerRow extends TriggerOutcome {
  readonly key: string;
  readonly machine?: VfioMachineOptions;
  /** Before the buffer is made. */
  readonly before?: (machine: VfioMachine) => void;
  readonly act: (machine: VfioMachine) => number;
  readonly result: number;
}

/** A hot reset of both devices. */
export function hotReset(machine: VfioMachine, error = 0): number {
  const devices = [machine.vdev, machine.other];
  const set = new VfioDeviceSet(machine.scheduler, devices);
  const { resetBus } = set;
  set.resetBus = function* () {
    const failed = yield* resetBus();
    return error === 0 ? failed : error;
  };
  return machine.run(vfioPciDevSetHotReset(set, devices));
}

function* failingReset(): ModelTask<number> {
  yield { at: 'test:reset' };
  return -Errno.EIO;
}

/** A reset that works when the device is opened and never again. */
function failsWhenOpen(): (vdev: VfioPciDevice) => ModelTask<number> {
  return function* ({ openCount }) {
    yield { at: 'test:reset' };
    return openCount === 0 ? 0 : -Errno.EIO;
  };
}

/** The rows. */
export const TRIGGER_ROWS: readonly TriggerRow[] = [
  { key: 'command.memory-clear', act: (m) => write(m, COMMAND, 0, 0), result: 2, ...TAKEN },
  { key: 'command.memory-clear-by-byte', act: (m) => write(m, COMMAND, 0), result: 1, ...TAKEN },
  { key: 'command.memory-clear-by-dword', act: (m) => write(m, COMMAND, 0, 0, 0, 0), result: 4, ...TAKEN },
  { key: 'command.upper-byte', act: (m) => write(m, COMMAND + 1, 0), result: 1, ...NONE },
  { key: 'command.memory-kept', act: (m) => write(m, COMMAND, 2, 0), result: 2, ...NONE },
  {
    key: 'command.master-clear',
    act: (m) =>
      inTurn(
        () => write(m, COMMAND, 6, 0),
        () => write(m, COMMAND, 2, 0),
      ),
    result: 2,
    ...NONE,
  },
  {
    key: 'command.memory-clear-twice',
    act: (m) =>
      inTurn(
        () => write(m, COMMAND, 0, 0),
        () => write(m, COMMAND, 0, 0),
      ),
    result: 2,
    ...TAKEN,
    zaps: 2,
  },
  {
    key: 'command.memory-set-again',
    act: (m) =>
      inTurn(
        () => write(m, COMMAND, 0, 0),
        () => write(m, COMMAND, 2, 0),
      ),
    result: 2,
    ...BOTH,
  },
  { key: 'command.memory-clear-vf', machine: vf, act: (m) => write(m, COMMAND, 0, 0), result: 2, ...BOTH },
  {
    key: 'command.write-fails',
    machine: { configFault: (at) => (at === COMMAND ? -Errno.EIO : 0) },
    act: (m) => write(m, COMMAND, 0, 0),
    result: -Errno.EIO,
    ...TAKEN,
    answers: true,
  },
  { key: 'pm.d3hot', act: (m) => write(m, PM_CTRL, 3, 0), result: 2, ...TAKEN },
  { key: 'pm.d3hot-vf', machine: vf, act: (m) => write(m, PM_CTRL, 3, 0), result: 2, ...TAKEN },
  { key: 'pm.d1', act: (m) => write(m, PM_CTRL, 1, 0), result: 2, ...NONE },
  {
    key: 'pm.d3hot-d0',
    act: (m) =>
      inTurn(
        () => write(m, PM_CTRL, 3, 0),
        () => write(m, PM_CTRL, 0, 0),
      ),
    result: 2,
    ...BOTH,
  },
  {
    key: 'pm.d3hot-memory-off-d0',
    act: (m) =>
      inTurn(
        () => write(m, PM_CTRL, 3, 0),
        () => write(m, COMMAND, 0, 0),
        () => write(m, PM_CTRL, 0, 0),
      ),
    result: 2,
    ...TAKEN,
    zaps: 2,
  },
  {
    key: 'pm.d3hot-memory-set',
    act: (m) =>
      inTurn(
        () => write(m, PM_CTRL, 3, 0),
        () => write(m, COMMAND, 2, 0),
      ),
    result: 2,
    ...TAKEN,
  },
  { key: 'flr.devctl', act: (m) => write(m, DEVCTL, 0, 0x80), result: 2, ...BOTH },
  { key: 'flr.devctl-not-asked', act: (m) => write(m, DEVCTL, 0x30, 0x20), result: 2, ...NONE },
  {
    key: 'flr.devctl-not-capable',
    before: (m) => m.vdev.pdev.fn.config.preset(0x54, 4, 1),
    act: (m) => write(m, DEVCTL, 0, 0x80),
    result: 2,
    ...NONE,
  },
  {
    key: 'flr.devctl-fails',
    machine: { reset: failingReset },
    act: (m) => write(m, DEVCTL, 0, 0x80),
    result: 2,
    ...BOTH,
  },
  { key: 'flr.af', act: (m) => write(m, AF_CTRL, 1), result: 1, ...BOTH },
  {
    key: 'flr.af-not-capable',
    before: (m) => m.vdev.pdev.fn.config.preset(0xa3, 1, 1),
    act: (m) => write(m, AF_CTRL, 1),
    result: 1,
    ...NONE,
  },
  { key: 'flr.af-zero', act: (m) => write(m, AF_CTRL, 0), result: 1, ...NONE },
  { key: 'reset', act: (m) => m.run(vfioPciIoctlReset(m.vdev)), result: 0, ...BOTH },
  {
    key: 'reset.fails',
    machine: { reset: failsWhenOpen() },
    act: (m) => m.run(vfioPciIoctlReset(m.vdev)),
    result: -Errno.EIO,
    ...BOTH,
  },
  {
    key: 'reset.cannot',
    machine: noReset,
    act: (m) => m.run(vfioPciIoctlReset(m.vdev)),
    result: -Errno.EINVAL,
    ...NONE,
  },
  {
    key: 'reset.asleep',
    act: (m) =>
      inTurn(
        () => write(m, PM_CTRL, 3, 0),
        () => m.run(vfioPciIoctlReset(m.vdev)),
      ),
    result: 0,
    ...BOTH,
    zaps: 2,
  },
  {
    key: 'reset.memory-off',
    act: (m) =>
      inTurn(
        () => write(m, COMMAND, 0, 0),
        () => m.run(vfioPciIoctlReset(m.vdev)),
      ),
    result: 0,
    ...TAKEN,
    zaps: 2,
  },
  { key: 'hot-reset', act: (m) => hotReset(m), result: 0, ...BOTH },
  { key: 'hot-reset.fails', act: (m) => hotReset(m, -Errno.ENOTTY), result: -Errno.ENOTTY, ...BOTH },
  { key: 'low-power.entry', act: (m) => lowPower(m, 3), result: 0, ...TAKEN },
  {
    key: 'low-power.entry-twice',
    act: (m) =>
      inTurn(
        () => lowPower(m, 3),
        () => lowPower(m, 3),
      ),
    result: -Errno.EINVAL,
    ...TAKEN,
    zaps: 2,
  },
  {
    key: 'low-power.entry-twice-after-set',
    act: (m) =>
      inTurn(
        () => lowPower(m, 3),
        () => write(m, COMMAND, 2, 0),
        () => lowPower(m, 3),
      ),
    result: -Errno.EINVAL,
    ...TAKEN,
    moves: [2, 1],
    zaps: 2,
  },
  {
    key: 'low-power.exit',
    act: (m) =>
      inTurn(
        () => lowPower(m, 3),
        () => lowPower(m, 5),
      ),
    result: 0,
    ...BOTH,
  },
  {
    key: 'low-power.exit-memory-off',
    act: (m) =>
      inTurn(
        () => write(m, COMMAND, 0, 0),
        () => lowPower(m, 3),
        () => lowPower(m, 5),
      ),
    result: 0,
    ...TAKEN,
    zaps: 2,
  },
  {
    key: 'low-power.wakeup',
    act: (m) =>
      inTurn(
        () => lowPower(m, 4),
        () => write(m, COMMAND + 1, 0),
      ),
    result: 1,
    ...BOTH,
  },
  {
    key: 'low-power.set-asleep',
    act: (m) =>
      inTurn(
        () => lowPower(m, 3),
        () => write(m, COMMAND, 2, 0),
      ),
    result: 2,
    ...BOTH,
    answers: false,
  },
  { key: 'close.last', act: (m) => closed(m), result: 0, ...TAKEN, zaps: 0, answers: true },
  {
    key: 'close.not-last',
    before: (m) => m.run(vfioPciCoreEnable(m.vdev)),
    act: (m) => closed(m),
    result: 0,
    ...NONE,
  },
];
