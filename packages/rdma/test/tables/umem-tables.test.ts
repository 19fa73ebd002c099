// Walks the tables about registering memory: single steps, every pair of steps that one request can break, and what is
// left behind: nothing.
import { dmaFenceGetStub, syncFileCreate } from '@sgfree/dma-buf';
import { DmaPlatform, pciDevice } from '@sgfree/dma-core';
import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, type Outcome } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  IbDevice,
  type IbUmem,
  ibUmemDmabufGet,
  ibUmemGet,
  ibUmemOdpGet,
  ibUmemOdpMapDmaAndLock,
  ibUmemRelease,
} from '../../src/index.ts';
import { ibUmemGet as ibUmemGetList } from '../../src/stage-0.ts';
import { sgtImport } from '../../src/stage-3.ts';
import { UmemMachine } from '../umem-machine.ts';
import { outcomeValue } from '../verbs-rig.ts';
import {
  type BufferChange,
  bufferViolations,
  lookRows,
  odpRows,
  type UmemViolation,
  type UserChange,
  userViolations,
} from './umem-violations.ts';

const WRITE = 1;

/** Every violation by itself and every two that change different fields; the earlier step answers. */
function rowsOf<Change extends object>(name: string, violations: readonly UmemViolation<Change>[]) {
  const single = violations.map(({ key, answer, change }) => ({ key: `${name}.${key}`, answer, change }));
  const pairs = violations.flatMap((first) =>
    violations
      .filter(
        (later) => later.step > first.step && !Object.keys(later.change).some((key) => key in first.change),
      )
      .map((later) => ({
        key: `${name}.pair.${first.key}.${later.key}`,
        answer: first.answer,
        change: { ...first.change, ...later.change },
      })),
  );
  return [...single, ...pairs];
}

/** The errno of a registration that is given back at once. */
function settled(machine: UmemMachine, got: Outcome<IbUmem>): number {
  if (!got.ok) return -got.errno;
  machine.do(ibUmemRelease(got.value));
  return 0;
}

function failAt(machine: UmemMachine, failing: number | undefined): void {
  if (failing !== undefined) machine.failAfter = failing - 1;
}

function bouncing(machine: UmemMachine): IbDevice {
  const swiotlb = { active: true, forceBounce: true, pool: null };
  const platform = new DmaPlatform({ memory: machine.rig.memory, swiotlb });
  return new IbDevice(machine.rig.a.device.nic, { dmaDevice: pciDevice({ name: 'bounced', platform }) });
}

function addressOf({ mm }: UmemMachine, wanted: UserChange['addr'], good: number): number {
  if (wanted === 'nowhere') return good + 1024 * PAGE_SIZE;
  if (wanted === 'read-only') return mm.mmap(8 * PAGE_SIZE, { writable: false });
  return wanted ?? good;
}

const forms = [
  ['a list of ranges', ibUmemGet],
  ['a scatterlist', ibUmemGetList],
] as const;

describe.each(forms)('user memory in %s', (_, get) => {
  it.each(rowsOf('umem.user', userViolations))('$key', ({ answer, change }) => {
    const { size = 4 * PAGE_SIZE, access = WRITE, rlimitPages = 64, failing, bounce } = change;
    const machine = new UmemMachine({ rlimitMemlock: rlimitPages * PAGE_SIZE });
    const good = machine.mm.mmap(8 * PAGE_SIZE);
    const addr = addressOf(machine, change.addr, good);
    const device = bounce === true ? bouncing(machine) : machine.device;
    const before = machine.leftovers;
    failAt(machine, failing);
    expect(settled(machine, machine.do(get(device, machine.mm, addr, size, access)))).toBe(answer);
    expect(machine.leftovers).toEqual(before);
  });

  it('is registered when nothing is wrong, up to the limit', () => {
    const machine = new UmemMachine({ rlimitMemlock: 4 * PAGE_SIZE });
    const addr = machine.mm.mmap(8 * PAGE_SIZE);
    const ask = (size: number, odd = 0): number =>
      settled(machine, machine.do(get(machine.device, machine.mm, addr + odd, size, WRITE)));
    expect([ask(4 * PAGE_SIZE), ask(4 * PAGE_SIZE + 1), ask(4 * PAGE_SIZE, 1)]).toEqual([
      0,
      -Errno.ENOMEM,
      -Errno.ENOMEM,
    ]);
    machine.mm.capIpcLock = true;
    expect(ask(8 * PAGE_SIZE)).toBe(0);
  });
});

function bufferOf(machine: UmemMachine, { attach }: BufferChange): number {
  const frames = Float64Array.from([3, 2, 1], (count) => machine.pages.allocRun(count));
  const pages = Float64Array.from([0, 1, 2, 0, 1, 0], (add, i) => {
    const run = i < 3 ? 0 : i < 5 ? 1 : 2;
    return (frames[run] ?? 0) + add;
  });
  function* refusing(): ModelTask<number> {
    yield { at: 'exporter:attach' };
    return -Errno.EIO;
  }
  return machine.export(pages, attach === 'fails' ? { attach: refusing } : {}).fd;
}

function otherFile({ dmaBufs }: UmemMachine): number {
  const file = syncFileCreate(dmaBufs, dmaFenceGetStub(dmaBufs));
  const fd = dmaBufs.files.reserve();
  if (file === null || !fd.ok) throw new Error('no file');
  dmaBufs.files.install(fd.value, file);
  return fd.value;
}

describe('a dma-buf', () => {
  it.each([...rowsOf('umem.dmabuf', bufferViolations), { key: 'umem.dmabuf.good', answer: 0, change: {} }])(
    '$key',
    ({ answer, change }: { readonly answer: number; readonly change: BufferChange }) => {
      const machine = new UmemMachine();
      const buffer = bufferOf(machine, change);
      const fd = { none: 77, 'no-buffer': otherFile(machine), buffer }[change.fd ?? 'buffer'];
      const { offset = 0, size = 6 * PAGE_SIZE } = change;
      const request = { platform: machine.dmaBufs, fd, offset, size, access: WRITE, via: sgtImport };
      const ops = () => ({ allowPeer2peer: true, *invalidateMappings() {} });
      failAt(machine, change.failing);
      const got = machine.do(ibUmemDmabufGet(machine.device, request, ops));
      expect(settled(machine, got)).toBe(answer);
      machine.failAfter = -1;
      machine.do(machine.dmaBufs.files.close(buffer));
      expect(machine.dmaBufs.buffers.size).toBe(0);
    },
  );
});

const watcher = () => ({
  *invalidate(): ModelTask<boolean> {
    yield { at: 'test:invalidate' };
    return true;
  },
});

describe('memory on demand', () => {
  it.each(odpRows)('$key', ({ addr, size, access, answer, warned = 0 }) => {
    const machine = new UmemMachine();
    const got = ibUmemOdpGet(machine.device, machine.mm, addr, size, access, watcher);
    const violations = machine.rig.log.events.filter(({ kind }) => kind === 'violation').length;
    expect(violations).toBe(warned);
    expect(got.ok ? (got.value.end - got.value.start) / PAGE_SIZE : -got.errno).toBe(answer);
    if (got.ok) machine.do(ibUmemRelease(got.value));
    expect(machine.mm.notifiers.watchers.size).toBe(0);
  });

  it.each(lookRows)('$key', ({ from, bytes, gone, answer }) => {
    const machine = new UmemMachine();
    const at = machine.mm.mmap(6 * PAGE_SIZE) + PAGE_SIZE;
    const umem = outcomeValue(ibUmemOdpGet(machine.device, machine.mm, at, 4 * PAGE_SIZE, 65, watcher));
    if (gone) machine.mm.users = 0;
    function* looking(): ModelTask<number> {
      const pages = yield* ibUmemOdpMapDmaAndLock(umem, at + from, bytes, true, true);
      const held = umem.umemMutex.heldByCurrent;
      if (held) umem.umemMutex.unlock();
      expect(held).toBe(pages >= 0);
      return pages;
    }
    expect(machine.do(looking())).toBe(answer);
  });
});
