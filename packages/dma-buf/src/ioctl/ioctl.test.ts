// The ioctls: every errno in its order, and the usages that export and import choose.
import { Clock, type ModelTask, Scheduler } from '@sgfree/hw-model';
import { Errno, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import type { DmaBuf } from '../buffer/dma-buf.ts';
import { dmaBufExport, dmaBufFd } from '../buffer/dma-buf-export.ts';
import { DmaBufPlatform } from '../dma-buf-platform.ts';
import { type DmaFence, dmaFenceInit, dmaFenceSignal } from '../fence/dma-fence.ts';
import { DmaFenceArray } from '../fence/fence-array.ts';
import { SyncFile } from '../file/sync-file.ts';
import { dmaResvTrylock, dmaResvUnlock } from '../resv/dma-resv.ts';
import { dmaResvAddFence, dmaResvReserveFences } from '../resv/resv-slots.ts';
import { DmaResvUsage } from '../resv/resv-usage.ts';
import { DMA_BUF_IOCTL, dmaBufIoctl } from './dma-buf-ioctl.ts';

function* nothing<T>(value: T): ModelTask<T> {
  yield { at: 'exporter' };
  return value;
}

class Bench {
  readonly calls: string[] = [];
  readonly platform: DmaBufPlatform = new DmaBufPlatform({
    scheduler: new Scheduler({ clock: new Clock() }),
    fdLimit: 4,
  });
  readonly dmabuf: DmaBuf<null>;

  constructor() {
    const made = dmaBufExport<null>(this.platform, {
      expName: 'x',
      size: 4096,
      priv: {},
      ops: {
        mapDmaBuf: () => nothing(success(null)),
        unmapDmaBuf: () => nothing(undefined),
        release: () => nothing(undefined),
        beginCpuAccess: (_, dir) => nothing(this.calls.push(`begin ${dir}`) * 0),
        endCpuAccess: (_, dir) => nothing(this.calls.push(`end ${dir}`) * 0),
      },
    });
    if (!made.ok) throw new Error('export failed');
    this.dmabuf = made.value;
  }

  ioctl(request: number, argument: Uint8Array | null): number {
    return this.platform.scheduler.runTask('ioctl', dmaBufIoctl(this.dmabuf, request, argument));
  }

  add(usage: DmaResvUsage): DmaFence {
    const fence = dmaFenceInit(this.platform, {}, { context: this.platform.takeContexts(1), seqno: 1 });
    dmaResvTrylock(this.dmabuf.resv);
    dmaResvReserveFences(this.dmabuf.resv, 1);
    dmaResvAddFence(this.dmabuf.resv, fence, usage);
    dmaResvUnlock(this.dmabuf.resv);
    return fence;
  }

  /** The fence that an export with `flags` hands out. */
  exported(flags: number): DmaFence {
    const argument = words(flags, -1);
    expect(this.ioctl(DMA_BUF_IOCTL.EXPORT_SYNC_FILE, argument)).toBe(0);
    const fd = new DataView(argument.buffer).getInt32(4, true);
    expect(this.platform.files.closesOnExec(fd)).toBe(true);
    const file = this.platform.files.at(fd);
    if (!(file instanceof SyncFile)) throw new Error('no sync file');
    return file.fence;
  }
}

const words = (low: number, high: number): Uint8Array => new Uint8Array(new Uint32Array([low, high]).buffer);
const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const { EFAULT, EINVAL, EMFILE, ENOMEM, ENOTTY } = Errno;

it.each([
  ['an unknown request', 0x1234, words(0, 0), -ENOTTY],
  ['sync without memory', DMA_BUF_IOCTL.SYNC, null, -EFAULT],
  ['sync with half its memory', DMA_BUF_IOCTL.SYNC, new Uint8Array(4), -EFAULT],
  ['sync with an unknown bit', DMA_BUF_IOCTL.SYNC, words(8 | 1, 0), -EINVAL],
  ['sync with a high bit', DMA_BUF_IOCTL.SYNC, words(1, 1), -EINVAL],
  ['sync that neither reads nor writes', DMA_BUF_IOCTL.SYNC, words(4, 0), -EINVAL],
  ['a name of 31 bytes', DMA_BUF_IOCTL.SET_NAME_A, text(`${'n'.repeat(31)}\0`), 0],
  ['a name of 32 bytes', DMA_BUF_IOCTL.SET_NAME_B, text(`${'n'.repeat(32)}\0`), -EINVAL],
  ['a name without end', DMA_BUF_IOCTL.SET_NAME_B, text('abc'), -EFAULT],
  ['a name without memory', DMA_BUF_IOCTL.SET_NAME_A, null, -EFAULT],
  ['export without memory', DMA_BUF_IOCTL.EXPORT_SYNC_FILE, null, -EFAULT],
  ['export of nothing', DMA_BUF_IOCTL.EXPORT_SYNC_FILE, words(0, 0), -EINVAL],
  ['export with an unknown bit', DMA_BUF_IOCTL.EXPORT_SYNC_FILE, words(5, 0), -EINVAL],
  ['import without memory', DMA_BUF_IOCTL.IMPORT_SYNC_FILE, null, -EFAULT],
  ['import of nothing', DMA_BUF_IOCTL.IMPORT_SYNC_FILE, words(0, 0), -EINVAL],
  ['import from a closed descriptor', DMA_BUF_IOCTL.IMPORT_SYNC_FILE, words(1, 3), -EINVAL],
])('%s', (_, request, argument, result) => {
  expect(new Bench().ioctl(request, argument)).toBe(result);
});

it('brackets accesses in the direction of the device', () => {
  const b = new Bench();
  for (const flags of [1, 2, 3, 5, 6, 7]) expect(b.ioctl(DMA_BUF_IOCTL.SYNC, words(flags, 0))).toBe(0);
  expect(b.calls).toEqual([
    'begin from-device',
    'begin to-device',
    'begin bidirectional',
    'end from-device',
    'end to-device',
    'end bidirectional',
  ]);
});

describe('an exported sync file', () => {
  it('is the signaled stub, the one fence, or an array of what the access must wait for', () => {
    const b = new Bench();
    expect([b.exported(1).signaled, b.exported(3).context]).toEqual([true, 0]);
    const write = b.add(DmaResvUsage.WRITE);
    expect(b.exported(1)).toBe(write);
    b.add(DmaResvUsage.READ);
    b.add(DmaResvUsage.BOOKKEEP);
    const both = b.exported(2);
    expect(both instanceof DmaFenceArray && both.fences.length).toBe(2);
  });

  it('needs a descriptor and memory, and keeps neither when it fails', () => {
    const b = new Bench();
    b.platform.allocate = () => false;
    expect(b.ioctl(DMA_BUF_IOCTL.EXPORT_SYNC_FILE, words(1, 0))).toBe(-ENOMEM);
    b.platform.allocate = () => true;
    for (let n = 0; n < 4; n += 1) b.exported(1);
    expect(b.ioctl(DMA_BUF_IOCTL.EXPORT_SYNC_FILE, words(1, 0))).toBe(-EMFILE);
    expect(b.platform.files.count).toBe(4);
  });
});

describe('an imported sync file', () => {
  it('adds each plain fence as what the access is', () => {
    const b = new Bench();
    const [one, two] = [b.add(DmaResvUsage.WRITE), b.add(DmaResvUsage.READ)];
    b.exported(2);
    const c = b.dmabuf.resv.list;
    if (c !== null) c.entries.length = 0;
    expect(b.ioctl(DMA_BUF_IOCTL.IMPORT_SYNC_FILE, words(1, 0))).toBe(0);
    expect(b.dmabuf.resv.list?.entries).toEqual([
      { fence: one, usage: DmaResvUsage.READ },
      { fence: two, usage: DmaResvUsage.READ },
    ]);
  });

  it('of another kind of file is refused', () => {
    const b = new Bench();
    expect(dmaBufFd(b.dmabuf, 0)).toBe(0);
    expect(b.ioctl(DMA_BUF_IOCTL.IMPORT_SYNC_FILE, words(1, 0))).toBe(-EINVAL);
  });

  it('without anything left to wait for adds nothing', () => {
    const b = new Bench();
    const fence = b.add(DmaResvUsage.WRITE);
    b.exported(1);
    dmaFenceSignal(fence);
    b.exported(1);
    expect(b.ioctl(DMA_BUF_IOCTL.IMPORT_SYNC_FILE, words(3, 1))).toBe(0);
  });
});
