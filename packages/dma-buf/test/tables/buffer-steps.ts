// Steps of scripts about one buffer: polling it, processor access, ioctls on its descriptor, its file. The exporter is the
// one of the buffer rig.
// Simplified: memory of the user is a list of bytes; `-` is an address where there is none.

import type { DmaDataDirection } from '@sgfree/dma-core';
import {
  DMA_BUF_IOCTL,
  dmaBufBeginCpuAccess,
  dmaBufEndCpuAccess,
  dmaBufFd,
  dmaBufIoctl,
  dmaBufLlseek,
  dmaBufMmap,
  dmaBufMmapInternal,
  dmaBufPoll,
  dmaBufSetName,
  dmaFencePut,
  dmaResvForEachFence,
  EPOLLIN,
  EPOLLOUT,
  type FileTable,
  syncFileCreate,
  syncFileGetFence,
} from '../../src/index.ts';
import { Bench } from '../buffer-rig.ts';
import { FenceBench, underLock } from './fence-bench.ts';
import { resvSteps, usageNames, usageOf } from './resv-steps.ts';
import type { Steps } from './step-script.ts';

/** A buffer and the fences around it. */
export class BufferBench extends FenceBench {
  readonly bench: Bench;

  constructor(bench: Bench = new Bench()) {
    super(bench.platform);
    this.bench = bench;
    this.resvs.set('r', bench.dmabuf.resv);
  }

  get files(): FileTable {
    return this.platform.files;
  }
}

const words = (...values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value, true);
  return bytes;
};
const hexBytes = (text: string): Uint8Array | null =>
  text === '-' ? null : Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

const pollBits: Readonly<Record<string, number>> = {
  in: EPOLLIN,
  out: EPOLLOUT,
  both: EPOLLIN + EPOLLOUT,
  none: 0,
};
const spellPoll = (bits: number): string =>
  Object.keys(pollBits).find((name) => pollBits[name] === bits) ?? String(bits);

function pollSteps(b: BufferBench): Steps {
  const { dmabuf } = b.bench;
  return {
    poll: ([wanted = '']) => spellPoll(b.bench.run(dmaBufPoll(dmabuf, pollBits[wanted] ?? 0))),
    wakeups: ([which]) => (which === 'in' ? dmabuf.pollIn : dmabuf.pollOut).wakeups,
    refs: () => dmabuf.refs,
    settle: () => {
      b.platform.scheduler.run();
    },
    'add-fence': ([name = '', usage]) => {
      b.fences.set(name, b.bench.fence(usageOf(usage)));
    },
  };
}

function accessSteps(b: BufferBench): Steps {
  const { dmabuf, exporter } = b.bench;
  return {
    begin: ([dir, hit]) => b.wait(dmaBufBeginCpuAccess(dmabuf, dir as DmaDataDirection), hit === 'hit'),
    end: ([dir]) => b.wait(dmaBufEndCpuAccess(dmabuf, dir as DmaDataDirection), false),
    'exporter-fails': ([name = '']) => {
      exporter.failing = name;
    },
    exporter: () => exporter.calls,
    seek: ([offset, whence]) => dmaBufLlseek(dmabuf, Number(offset), whence as 'set' | 'cur' | 'end'),
    mmap: ([pageOffset, pages]) =>
      b.bench.run(dmaBufMmapInternal(dmabuf, { pageOffset: Number(pageOffset), pages: Number(pages) })),
    'kernel-mmap': ([pageOffset, pages]) =>
      b.bench.run(dmaBufMmap(dmabuf, { pageOffset: Number(pageOffset), pages: Number(pages) })),
  };
}

function ioctlSteps(b: BufferBench): Steps {
  const { dmabuf } = b.bench;
  const ask = (request: number, arg: Uint8Array | null, hit?: string) =>
    b.wait(dmaBufIoctl(dmabuf, request, arg), hit === 'hit');
  return {
    ioctl: ([request, bytes = '-']) => ask(Number(request), hexBytes(bytes)),
    sync: ([low, high = '0', hit]) => ask(DMA_BUF_IOCTL.SYNC, words(Number(low), Number(high)), hit),
    name: ([text = '']) => ask(DMA_BUF_IOCTL.SET_NAME_B, new TextEncoder().encode(`${text}\0`)),
    'set-name': ([text = '']) => dmaBufSetName(dmabuf, new TextEncoder().encode(`${text}\0`)),
    named: () => dmabuf.name,
    attach: () => {
      b.bench.attach(null);
    },
    /** Exports: `SIGNALED-STUB`, the one fence, or an array called `as`. */
    'export-sync': ([flags, as = '']) => {
      const arg = words(Number(flags), 0xffffffff);
      const error = ask(DMA_BUF_IOCTL.EXPORT_SYNC_FILE, arg);
      if (error !== 0) return error;
      const fd = new DataView(arg.buffer).getInt32(4, true);
      const fence = syncFileGetFence(b.platform, fd);
      if (fence === null || !b.files.closesOnExec(fd)) return 'wrong file';
      b.bench.run(b.files.close(fd));
      if (![...b.fences.values()].includes(fence)) b.shared.add(fence);
      if (fence.isContainer) b.fences.set(as, fence);
      else dmaFencePut(fence);
      return fence.context === 0 && fence.seqno === 0 ? 'stub' : fence;
    },
    'import-sync': ([flags, name = '', memory]) =>
      importSync(b, name, memory === undefined, (fd) =>
        ask(DMA_BUF_IOCTL.IMPORT_SYNC_FILE, words(Number(flags), fd)),
      ),
    'import-fd': ([flags, fd]) => ask(DMA_BUF_IOCTL.IMPORT_SYNC_FILE, words(Number(flags), Number(fd))),
    'import-buffer': ([flags]) => {
      const fd = dmaBufFd(dmabuf, 0);
      return ask(DMA_BUF_IOCTL.IMPORT_SYNC_FILE, words(Number(flags), fd));
    },
    'held-fences': () =>
      underLock(dmabuf.resv, () =>
        [...dmaResvForEachFence(dmabuf.resv, usageOf('bookkeep'))].map(
          ({ fence, usage }) => `${b.spell(fence)}:${usageNames[usage]}`,
        ),
      ),
    'fill-descriptors': () => {
      while (b.files.reserve().ok);
    },
  };
}

function importSync(b: BufferBench, name: string, memory: boolean, ask: (fd: number) => unknown): unknown {
  const file = syncFileCreate(b.platform, b.fence(name));
  const fd = b.files.reserve();
  if (file === null || !fd.ok) return 'no file';
  b.files.install(fd.value, file);
  if (!memory) b.platform.allocate = () => false;
  const answer = ask(fd.value);
  b.bench.run(b.files.close(fd.value));
  return answer;
}

/** Everything about one buffer. */
export const bufferSteps = (b: BufferBench): Steps => ({
  ...resvSteps(b),
  ...pollSteps(b),
  ...accessSteps(b),
  ...ioctlSteps(b),
});
