// The triggers of a revoke: who is told, what is revoked, whether it comes back, and which of the user's pages go.
// Source: p2p-dmabuf-vfio-iommufd.md D.4 (table), I.3 (33 to 36).

import type { TriggerScript } from './trigger-script.ts';

/** A buffer that an importer has mapped. */
export const mapped: readonly string[] = [
  'export b = 0',
  'importer i',
  'attach i = 0',
  'map i = 0',
  'kref = 2',
  'zaps = 0',
];
const vf = { noCommandMemory: true } as const;

/** Revoked, and told so once. */
const taken = ['told = i', 'mapped i = false', 'revoked = true', 'kref = 1', 'map i = -ENODEV'];
/** Revoked and given back: told twice, and it may map again. */
const takenAndBack = [
  'told = i,i',
  'mapped i = false',
  'revoked = false',
  'kref = 1',
  'map i = 0',
  'kref = 2',
];
/** Nothing happened. */
const untouched = ['told = nobody', 'mapped i = true', 'revoked = false', 'kref = 2'];
/** Already revoked, and stays so without being told again. */
const still = ['told = nobody', 'revoked = true', 'map i = -ENODEV'];
/** Comes back: told once more. */
const back = ['told = i', 'revoked = false', 'map i = 0'];

/** The command register. */
export const commandRows: readonly TriggerScript[] = [
  { key: 'd4.command.memory-clear', steps: [...mapped, 'command 0 = 2', 'zaps = 1', ...taken] },
  { key: 'd4.command.memory-clear-master-set', steps: [...mapped, 'command 4 = 2', 'zaps = 1', ...taken] },
  { key: 'd4.command.memory-clear-by-byte', steps: [...mapped, 'command-byte 0 = 1', 'zaps = 1', ...taken] },
  {
    key: 'd4.command.memory-clear-vf',
    machine: vf,
    steps: [...mapped, 'command 0 = 2', 'zaps = 1', ...takenAndBack],
  },
  { key: 'd4.command.high-byte', steps: [...mapped, 'command-high-byte 4 = 1', 'zaps = 0', ...untouched] },
  { key: 'd4.command.memory-kept', steps: [...mapped, 'command 2 = 2', 'zaps = 0', ...untouched] },
  {
    key: 'd4.command.memory-kept-vf',
    machine: vf,
    steps: [...mapped, 'command 2 = 2', 'zaps = 0', ...untouched],
  },
  {
    key: 'd4.command.master-clear',
    steps: [...mapped, 'command 6 = 2', 'command 2 = 2', 'zaps = 0', ...untouched],
  },
  {
    key: 'd4.command.memory-set-again',
    steps: [...mapped, 'command 0 = 2', ...taken, 'zaps = 1', 'command 2 = 2', 'zaps = 0', ...back],
  },
  {
    key: 'd4.command.memory-clear-twice',
    steps: [...mapped, 'command 0 = 2', ...taken, 'command 0 = 2', ...still],
  },
  {
    key: 'd4.command.memory-set-twice',
    steps: [...mapped, 'command 0 = 2', ...taken, 'command 2 = 2', ...back, 'command 2 = 2', 'told = nobody'],
  },
  {
    key: 'd4.command.clear-fails',
    machine: { configCanFail: true },
    steps: [...mapped, 'config-fails on', 'command 0 = -EIO', 'zaps = 1', ...taken, 'read-command = 2'],
  },
  {
    key: 'd4.command.clear-fails-then-set',
    machine: { configCanFail: true },
    steps: [
      ...mapped,
      'config-fails on',
      'command 0 = -EIO',
      ...taken,
      'config-fails off',
      'command 2 = 2',
      ...back,
    ],
  },
  {
    key: 'd4.command.clear-fails-then-reset',
    machine: { configCanFail: true },
    steps: [
      ...mapped,
      'config-fails on',
      'command 0 = -EIO',
      ...taken,
      'config-fails off',
      'reset = 0',
      ...back,
    ],
  },
  {
    key: 'd4.command.clear-fails-vf',
    machine: { ...vf, configCanFail: true },
    steps: [...mapped, 'config-fails on', 'command 0 = -EIO', ...taken],
  },
  {
    key: 'd4.command.set-fails',
    machine: { configCanFail: true },
    steps: [...mapped, 'command 0 = 2', ...taken, 'config-fails on', 'command 2 = -EIO', ...still],
  },
];

/** Power states. */
export const powerRows: readonly TriggerScript[] = [
  { key: 'd4.pm.d3hot', steps: [...mapped, 'pm 3 = 2', 'zaps = 1', ...taken, 'power-state = 3'] },
  { key: 'd4.pm.d3hot-vf', machine: vf, steps: [...mapped, 'pm 3 = 2', 'zaps = 1', ...taken] },
  { key: 'd4.pm.d0', steps: [...mapped, 'pm 0 = 2', 'zaps = 0', ...untouched] },
  { key: 'd4.pm.d3hot-and-back', steps: [...mapped, 'pm 3 = 2', ...taken, 'pm 0 = 2', ...back] },
  {
    key: 'd4.pm.d3hot-and-back-vf',
    machine: vf,
    steps: [...mapped, 'pm 3 = 2', ...taken, 'pm 0 = 2', ...back],
  },
  { key: 'd4.pm.d3hot-twice', steps: [...mapped, 'pm 3 = 2', ...taken, 'pm 3 = 2', ...still] },
  {
    key: 'd4.pm.d3hot-and-back-memory-off',
    steps: [
      ...mapped,
      'command 0 = 2',
      ...taken,
      'pm 3 = 2',
      ...still,
      'pm 0 = 2',
      ...still,
      'command 2 = 2',
      ...back,
    ],
  },
  {
    key: 'd4.pm.d3hot-memory-set',
    steps: [...mapped, 'pm 3 = 2', ...taken, 'command 2 = 2', ...still],
  },
  {
    key: 'd4.pm.memory-set-asleep-then-awake',
    steps: [...mapped, 'command 0 = 2', ...taken, 'pm 3 = 2', 'command 2 = 2', ...still, 'pm 0 = 2', ...back],
  },
  {
    key: 'd4.low-power.entry',
    steps: [...mapped, 'low-power-entry = 0', 'zaps = 1', ...taken],
  },
  {
    key: 'd4.low-power.entry-vf',
    machine: vf,
    steps: [...mapped, 'low-power-entry = 0', 'zaps = 1', ...taken],
  },
  {
    key: 'd4.low-power.entry-twice',
    steps: [...mapped, 'low-power-entry = 0', ...taken, 'low-power-entry = -EINVAL', ...still],
  },
  {
    key: 'd4.low-power.entry-twice-other-kind',
    steps: [...mapped, 'low-power-entry = 0', ...taken, 'low-power-entry-wakeup = -EINVAL', ...still],
  },
  {
    key: 'd4.low-power.exit',
    steps: [...mapped, 'low-power-entry = 0', ...taken, 'low-power-exit = 0', ...back],
  },
  {
    key: 'd4.low-power.exit-memory-off',
    steps: [...mapped, 'command 0 = 2', ...taken, 'low-power-entry = 0', 'low-power-exit = 0', ...still],
  },
  {
    key: 'd4.low-power.exit-not-engaged',
    steps: [...mapped, 'low-power-exit = 0', 'zaps = 0', ...untouched],
  },
  {
    key: 'd4.low-power.set-memory-while-engaged',
    steps: [...mapped, 'low-power-entry = 0', ...taken, 'command 2 = 2', ...back],
  },
  {
    key: 'd4.low-power.entry-again-after-memory-set',
    steps: [
      ...mapped,
      'low-power-entry = 0',
      ...taken,
      'command 2 = 2',
      ...back,
      'low-power-entry = -EINVAL',
      ...taken,
      'command 2 = 2',
      ...back,
    ],
  },
];

/** Resets. */
export const resetRows: readonly TriggerScript[] = [
  { key: 'd4.flr.devctl', steps: [...mapped, 'flr-devctl = 2', 'zaps = 1', ...takenAndBack] },
  { key: 'd4.flr.af', steps: [...mapped, 'flr-af = 1', 'zaps = 1', ...takenAndBack] },
  { key: 'd4.flr.devctl-vf', machine: vf, steps: [...mapped, 'flr-devctl = 2', 'zaps = 1', ...takenAndBack] },
  {
    key: 'd4.flr.devctl-memory-off',
    steps: [...mapped, 'command 0 = 2', ...taken, 'flr-devctl = 2', ...still],
  },
  { key: 'd4.flr.af-memory-off', steps: [...mapped, 'command 0 = 2', ...taken, 'flr-af = 1', ...still] },
  {
    key: 'd4.flr.then-mapped-again-twice',
    steps: [...mapped, 'flr-devctl = 2', ...takenAndBack, 'flr-devctl = 2', ...takenAndBack],
  },
  { key: 'd4.reset', steps: [...mapped, 'reset = 0', 'zaps = 1', ...takenAndBack] },
  { key: 'd4.reset-vf', machine: vf, steps: [...mapped, 'reset = 0', 'zaps = 1', ...takenAndBack] },
  { key: 'd4.reset.memory-off', steps: [...mapped, 'command 0 = 2', ...taken, 'reset = 0', ...still] },
  {
    key: 'd4.reset.asleep',
    steps: [...mapped, 'pm 3 = 2', ...taken, 'reset = 0', ...back, 'power-state = 0'],
  },
  { key: 'd4.reset.fails', steps: [...mapped, 'reset-fails', 'reset = -EIO', 'zaps = 1', ...takenAndBack] },
  {
    key: 'd4.reset.fails-memory-off',
    steps: [...mapped, 'command 0 = 2', ...taken, 'reset-fails', 'reset = -EIO', ...still],
  },
  { key: 'd4.hot-reset', steps: [...mapped, 'hot-reset = 0', 'zaps = 1', ...takenAndBack] },
  { key: 'd4.hot-reset-vf', machine: vf, steps: [...mapped, 'hot-reset = 0', ...takenAndBack] },
  {
    key: 'd4.hot-reset.fails',
    steps: [...mapped, 'bus-reset-fails', 'hot-reset = -EIO', ...takenAndBack],
  },
  {
    key: 'd4.hot-reset.memory-off',
    steps: [...mapped, 'command 0 = 2', ...taken, 'hot-reset = 0', ...still],
  },
  {
    key: 'd4.hot-reset.own-lock-held',
    steps: [...mapped, 'hold-memory-lock own', 'hot-reset = -EBUSY', ...untouched],
  },
  {
    key: 'd4.hot-reset.other-lock-held',
    steps: [...mapped, 'hold-memory-lock other', 'hot-reset = -EBUSY', ...takenAndBack],
  },
];

/** Last close. */
export const closeRows: readonly TriggerScript[] = [
  {
    key: 'd4.close.last',
    steps: [
      ...mapped,
      'buffers = 1',
      'close = 0',
      'told = i',
      'mapped i = false',
      'buffers = 0',
      'map i = -ENODEV',
      'attach-kind late revocable = -ENODEV',
    ],
  },
  {
    key: 'd4.close.for-good',
    steps: [
      ...mapped,
      'close = 0',
      'told = i',
      'open = 0',
      'map i = -ENODEV',
      'command 2 = 2',
      'reset = 0',
      'told = nobody',
      'map i = -ENODEV',
      'attach-kind late revocable = -ENODEV',
    ],
  },
  {
    key: 'd4.close.revoked-before',
    steps: [...mapped, 'command 0 = 2', ...taken, 'close = 0', 'told = nobody', 'map i = -ENODEV'],
  },
  { key: 'd4.close.not-last', steps: ['open = 0', ...mapped, 'close = 0', ...untouched, 'buffers = 1'] },
  {
    key: 'd4.close.registration-given-back',
    steps: [
      'registrations = 2',
      'export b = 0',
      'registrations = 3',
      'close = 0',
      'registrations = 1',
      'close-fd b = 0',
      'registrations = 1',
    ],
  },
  {
    key: 'd4.close.new-buffer-after-reopen',
    steps: [
      ...mapped,
      'close = 0',
      'told = i',
      'open = 0',
      'export c = 0',
      'revoked = false',
      'map i = -ENODEV',
      'attach-kind k revocable c = 0',
    ],
  },
  { key: 'd4.unbind.closed', steps: ['close = 0', 'unbind = 0', 'registrations = 0'] },
  {
    key: 'd4.unbind.buffer-left-and-closed',
    steps: ['export b = 0', 'close = 0', 'unbind = 0', 'close-fd b = 0'],
  },
  {
    key: 'd4.unbind.open',
    steps: [
      'export b = 0',
      'unbind = blocked',
      'asked-to-let-go = true',
      'registrations = 2',
      'close-fd b = 0',
      'registrations = 1',
    ],
  },
];
