// What a user, an owner and importers can do to a VFIO device in the scripts about revoking.
// Simplified: one device does everything; the other one of the machine takes part in hot resets only.

import { type DmaBuf, type DmaBufAttachment, dmaBufDetach, dmaBufGet, dmaBufPut } from '@sgfree/dma-buf';
import { dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import {
  functionReset,
  type VfioBarMapping,
  VfioDeviceSet,
  type VfioPciDevice,
  vfioPciConfigRead,
  vfioPciConfigWrite,
  vfioPciCoreCloseDevice,
  vfioPciCoreEnable,
  vfioPciCoreMmap,
  vfioPciDevSetHotReset,
  vfioPciIoctlReset,
} from '../../src/index.ts';
import type { VfioSgTable } from '../../src/stage-6.ts';
import { type ImporterManners, TestImporter } from '../test-importer.ts';
import { featureBytes, VfioMachine } from '../vfio-machine.ts';
import type { TriggerMachine, TriggerSteps } from './trigger-script.ts';

const COMMAND = 4;
const PM_CONTROL = 0x44;
const DEVICE_CONTROL = 0x58;
const AF_CONTROL = 0xa4;
const kinds = {
  static: null,
  'no-p2p': { allowPeer2peer: false },
  'no-p2p-callback': { allowPeer2peer: false, *invalidateMappings() {} },
  'no-callback': { allowPeer2peer: true },
  revocable: { allowPeer2peer: true, *invalidateMappings() {} },
} as const;

/** The device, and everybody around it. */
export class TriggerBench {
  readonly machine: VfioMachine;
  readonly importers: Map<string, TestImporter> = new Map();
  readonly attachments: Map<string, DmaBufAttachment<VfioSgTable>> = new Map();
  readonly fds: Map<string, number> = new Map();
  /** Importers in the order in which they were told. */
  readonly told: string[] = [];
  readonly views: VfioBarMapping[] = [];
  configFails = false;
  resetFails = false;
  busFails = false;

  constructor({ configCanFail, ...options }: TriggerMachine = {}) {
    const configFault = (): number => (this.configFails ? -Errno.EIO : 0);
    const reset = (vdev: VfioPciDevice) => this.#reset(vdev);
    this.machine = new VfioMachine({ reset, ...options, ...(configCanFail ? { configFault } : {}) });
  }

  *#reset(vdev: VfioPciDevice): ModelTask<number> {
    const error = yield* functionReset(vdev);
    return this.resetFails ? -Errno.EIO : error;
  }

  get vdev(): VfioPciDevice {
    return this.machine.vdev;
  }

  importer(name = ''): TestImporter {
    const importer = this.importers.get(name);
    if (importer === undefined) throw new Error(`no importer ${name}`);
    return importer;
  }

  fd(name = 'b'): number {
    return this.fds.get(name) ?? -1;
  }

  buffer(name = 'b'): DmaBuf<VfioSgTable> {
    const got = dmaBufGet<VfioSgTable>(this.machine.platform, this.fd(name));
    if (!got.ok) throw new Error(`no buffer ${name}`);
    this.machine.run(dmaBufPut(got.value));
    return got.value;
  }

  /** Runs a task as far as it goes; `blocked` when it waits for somebody who does nothing. */
  go(body: ModelTask<number>): number | string {
    const { scheduler } = this.machine;
    const task = scheduler.spawn('owner', body);
    while (!task.done) if (scheduler.run(1).status === 'deadlock') return 'blocked';
    return task.result ?? 0;
  }

  write(at: number, ...values: readonly number[]): number | string {
    return this.go(vfioPciConfigWrite(this.vdev, at, Uint8Array.from(values)));
  }
}

const toWord = (value: string | undefined): [number, number] => [Number(value) & 0xff, Number(value) >> 8];
const lowPower = (b: TriggerBench, feature: number): number | string =>
  b.machine.ioctl(featureBytes({ argsz: 16, flags: 0x20000 + feature, ranges: [] }));

function* closing(vdev: VfioPciDevice): ModelTask<number> {
  yield* vfioPciCoreCloseDevice(vdev);
  return 0;
}

function* unbinding(vdev: VfioPciDevice): ModelTask<number> {
  yield* vdev.registration.unregister();
  return 0;
}

function ownerSteps(b: TriggerBench): TriggerSteps {
  return {
    command: ([value]) => b.write(COMMAND, ...toWord(value)),
    'command-byte': ([value]) => b.write(COMMAND, Number(value)),
    'command-high-byte': ([value]) => b.write(COMMAND + 1, Number(value)),
    'read-command': () => vfioPciConfigRead(b.vdev, COMMAND, 2),
    pm: ([state]) => b.write(PM_CONTROL, ...toWord(state)),
    'power-state': () => b.vdev.powerState,
    'flr-devctl': () => b.write(DEVICE_CONTROL, 0, 0x80),
    'flr-af': () => b.write(AF_CONTROL, 1),
    reset: () => b.go(vfioPciIoctlReset(b.vdev)),
    'hot-reset': () => hotReset(b),
    'low-power-entry': () => lowPower(b, 3),
    'low-power-entry-wakeup': () => lowPower(b, 4),
    'low-power-exit': () => lowPower(b, 5),
    open: () => b.go(vfioPciCoreEnable(b.vdev)),
    close: () => b.go(closing(b.vdev)),
    unbind: () => b.go(unbinding(b.vdev)),
    'asked-to-let-go': () => b.vdev.registration.requests > 0,
    'config-fails': ([on]) => {
      b.configFails = on === 'on';
      return undefined;
    },
    'reset-fails': () => {
      b.resetFails = true;
      return undefined;
    },
    'bus-reset-fails': () => {
      b.busFails = true;
      return undefined;
    },
    'hold-memory-lock': ([which]) => {
      const { memoryLock } = which === 'other' ? b.machine.other : b.vdev;
      b.machine.scheduler.spawn('holder', holding(memoryLock));
      b.machine.scheduler.run();
      return undefined;
    },
  };
}

function* holding(lock: VfioPciDevice['memoryLock']): ModelTask<void> {
  yield* lock.readLock();
}

function hotReset(b: TriggerBench): number | string {
  const devices = [b.machine.vdev, b.machine.other];
  const set = new VfioDeviceSet(b.machine.scheduler, devices);
  const { resetBus } = set;
  set.resetBus = function* () {
    const error = yield* resetBus();
    return b.busFails ? -Errno.EIO : error;
  };
  return b.go(vfioPciDevSetHotReset(set, devices));
}

function importerSteps(b: TriggerBench): TriggerSteps {
  const { machine } = b;
  return {
    export: ([name = 'b', ...ranges]) => {
      const asked = ranges.map((range) => range.split('+').map(BigInt) as [bigint, bigint]);
      const fd = machine.ioctl(featureBytes(asked.length > 0 ? { ranges: asked } : {}));
      b.fds.set(name, fd);
      return Math.min(fd, 0);
    },
    importer: ([name = '', where = 'near', manners = 'good', remaps]) => {
      const importer = new TestImporter(machine, where as 'near' | 'far', manners as ImporterManners);
      importer.remapInside = remaps === 'remaps';
      importer.onTold = () => b.told.push(name);
      b.importers.set(name, importer);
      return undefined;
    },
    attach: ([name, buffer]) => machine.run(b.importer(name).open(b.fd(buffer))),
    map: ([name]) => machine.run(b.importer(name).map()),
    write: ([name, value]) => machine.run(b.importer(name).write(Uint8Array.of(Number(value)))),
    bar: ([page]) => b.machine.bar.pageBytes(Number(page))[0] ?? -1,
    told: () => (b.told.length === 0 ? 'nobody' : b.told.splice(0).join(',')),
    mapped: ([name]) => b.importer(name).mapped,
    remaps: ([name]) =>
      b
        .importer(name)
        .remaps.map((error) => (error === -Errno.ENODEV ? '-ENODEV' : error))
        .join(','),
    leave: ([name]) => {
      machine.run(b.importer(name).close());
      return undefined;
    },
    'attach-kind': ([name = '', kind = 'static', buffer]) => {
      const dmabuf = b.buffer(buffer);
      const ops = kinds[kind as keyof typeof kinds];
      const attach = machine.run(dmaBufDynamicAttach(dmabuf, machine.near, ops, null));
      if (attach.ok) b.attachments.set(name, attach.value);
      return attach.ok ? 0 : -attach.errno;
    },
    'detach-kind': ([name = '']) => {
      const attach = b.attachments.get(name);
      if (attach !== undefined) machine.run(dmaBufDetach(attach.dmabuf, attach));
      return undefined;
    },
    'close-fd': ([name]) => machine.run(machine.platform.files.close(b.fd(name))),
  };
}

function lookSteps(b: TriggerBench): TriggerSteps {
  const { counters } = b.vdev;
  const looked = { zaps: 0 };
  const at = (name = '0') => b.vdev.dmabufs[Number(name)];
  return {
    revoked: ([which]) => at(which)?.revoked ?? 'no buffer',
    kref: ([which]) => at(which)?.kref ?? 'no buffer',
    buffers: () => b.vdev.dmabufs.length,
    /** Since the last look. */
    zaps: () => {
      const since = counters.zaps - looked.zaps;
      looked.zaps = counters.zaps;
      return since;
    },
    'user-maps': () => {
      const view = vfioPciCoreMmap(b.vdev, 0);
      if (!view.ok) return -view.errno;
      b.views.push(view.value);
      return 0;
    },
    touch: ([page]) => b.machine.run((b.views[0] as VfioBarMapping).touch(Number(page))),
    'user-pages': () => b.views.reduce((sum, { presentPages }) => sum + presentPages, 0),
    registrations: () => b.vdev.registration.refs,
    warned: () => b.machine.rules().length,
  };
}

/** Everything. */
export const triggerSteps = (b: TriggerBench): TriggerSteps => ({
  ...ownerSteps(b),
  ...importerSteps(b),
  ...lookSteps(b),
});
