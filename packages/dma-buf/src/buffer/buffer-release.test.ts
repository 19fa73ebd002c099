// The end of a buffer: what keeps it alive, what goes with it and what does not.
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { Bench, face, type Mapping } from '../../test/buffer-rig.ts';
import { dmaFenceSignal } from '../fence/dma-fence.ts';
import { DmaResvUsage } from '../resv/resv-usage.ts';
import { dmaBufBeginCpuAccess } from './cpu-access.ts';
import { dmaBufExport, dmaBufPut } from './dma-buf-export.ts';
import { dmaBufPoll, EPOLLIN } from './dma-buf-file.ts';
import { mapAttachment } from './map-attachment.ts';

describe('a buffer', () => {
  it('that is polled lives until the fence signals, and its release runs in a task of its own', () => {
    const b = new Bench();
    const fence = b.fence(DmaResvUsage.WRITE);
    expect(b.run(dmaBufPoll(b.dmabuf, EPOLLIN))).toBe(0);
    b.run(dmaBufPut(b.dmabuf));
    expect([b.dmabuf.refs, b.platform.buffers.size]).toEqual([1, 1]);
    dmaFenceSignal(fence);
    expect([b.exporter.calls, b.dmabuf.pollIn.wakeups]).toEqual([[], 1]);
    b.platform.scheduler.run();
    expect([b.exporter.calls, b.platform.buffers.size, fence.refs]).toEqual([['release'], 0, 0]);
  });

  it('must not go while somebody is polling it', () => {
    const b = new Bench();
    b.fence(DmaResvUsage.WRITE);
    b.run(dmaBufPoll(b.dmabuf, EPOLLIN));
    b.run(dmaBufPut(b.dmabuf));
    expect(() => b.run(dmaBufPut(b.dmabuf))).toThrow('dma-buf-released-polled');
  });

  it('takes the fences of its own reservation with it, but not those of one that it shares', () => {
    const b = new Bench();
    const fence = b.fence(DmaResvUsage.WRITE);
    const { platform, exporter, dmabuf } = b;
    const info = { expName: 'second', ops: exporter.ops, size: 4096, priv: {}, resv: dmabuf.resv };
    const second = dmaBufExport<Mapping>(platform, info);
    if (!second.ok) throw new Error('export failed');
    b.run(dmaBufPut(second.value));
    expect([fence.refs, dmabuf.resv.list?.entries.length]).toEqual([1, 1]);
    dmaFenceSignal(fence);
    b.run(dmaBufPut(dmabuf));
    expect(fence.refs).toBe(0);
  });
});

describe('an exporter', () => {
  it('that cannot pin for a static importer because it is busy breaks a promise', () => {
    const b = new Bench();
    const attach = b.attach(null);
    b.exporter.failing = 'pin';
    b.locked(() => mapAttachment(attach, 'to-device', face));
    expect(b.rules()).toEqual([]);
    b.exporter.errno = Errno.EBUSY;
    expect(b.locked(() => mapAttachment(attach, 'to-device', face))).not.toEqual(success('mapping'));
    expect(b.rules()).toEqual(['dma-buf-pin-busy']);
  });

  it('that refuses an access of the processor is the end of it: no fence is waited for', () => {
    const b = new Bench();
    b.fence(DmaResvUsage.WRITE);
    b.exporter.failing = 'begin';
    function* body(): ModelTask<number> {
      return yield* dmaBufBeginCpuAccess(b.dmabuf, 'to-device');
    }
    expect(b.run(body())).toBe(-Errno.EIO);
  });
});
