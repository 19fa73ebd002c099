// Buffers: what the core does around an exporter for each class of importer, in which order, and how it undoes failures.
import { fc, test } from '@fast-check/vitest';
import type { DmaDataDirection } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { Bench, face, type Mapping } from '../../test/buffer-rig.ts';
import { type DmaFence, dmaFenceSignal } from '../fence/dma-fence.ts';
import { dmaResvLock, dmaResvUnlock } from '../resv/dma-resv.ts';
import { DmaResvUsage } from '../resv/resv-usage.ts';
import { dmaBufBeginCpuAccess, dmaBufMmap, dmaBufVmap, dmaBufVunmap } from './cpu-access.ts';
import { dmaBufAttach, dmaBufAttachRevocable, dmaBufDetach, dmaBufPin } from './dma-buf-attachment.ts';
import { dmaBufPut } from './dma-buf-export.ts';
import { dmaBufLlseek, dmaBufPoll, dmaBufShowFdinfo, EPOLLIN, EPOLLOUT } from './dma-buf-file.ts';
import { dmaBufInvalidateMappings } from './invalidate-mappings.ts';
import { mapAttachment, unmapAttachment } from './map-attachment.ts';

const BIDIR: DmaDataDirection = 'bidirectional';
const dynamic = { allowPeer2peer: true };

describe('mapping', () => {
  it('for a static importer pins, maps, and waits for the fences of the kernel alone', () => {
    const b = new Bench();
    const attach = b.attach(null);
    b.fence(DmaResvUsage.WRITE);
    const kernel = b.fence(DmaResvUsage.KERNEL);
    const { resv } = b.dmabuf;
    function* body(): ModelTask<Outcome<Mapping>> {
      yield* dmaResvLock(resv);
      const mapped = yield* mapAttachment(attach, BIDIR, face);
      dmaResvUnlock(resv);
      return mapped;
    }
    const task = b.platform.scheduler.spawn('map', body());
    b.platform.scheduler.run();
    expect([task.at, b.exporter.calls]).toEqual(['dma-fence:wait', ['attach', 'pin', 'map']]);
    dmaFenceSignal(kernel);
    b.platform.scheduler.run();
    expect(task.result).toEqual(success('mapping'));
    b.locked(() => unmapAttachment(attach, 'mapping', BIDIR, face));
    expect(b.exporter.calls).toEqual(['attach', 'pin', 'map', 'unmap', 'unpin']);
    expect(b.rules()).toEqual([]);
  });

  it('for a dynamic importer neither pins nor waits', () => {
    const b = new Bench();
    const attach = b.attach(dynamic);
    b.fence(DmaResvUsage.KERNEL);
    expect(b.locked(() => mapAttachment(attach, BIDIR, face))).toEqual(success('mapping'));
    expect(b.exporter.calls).toEqual(['attach', 'map']);
  });

  it.each([
    ['pin', Errno.EIO, ['attach', 'pin']],
    ['map', Errno.EIO, ['attach', 'pin', 'map', 'unpin']],
    ['map-null', Errno.ENOMEM, ['attach', 'pin', 'map', 'unpin']],
  ])('that fails at %s undoes what was done before', (failing, errno, calls) => {
    const b = new Bench();
    const attach = b.attach(null);
    b.exporter.failing = failing;
    expect(b.locked(() => mapAttachment(attach, BIDIR, face))).toEqual(failure(errno));
    expect(b.exporter.calls).toEqual(calls);
  });

  it('that is interrupted in its wait unmaps and unpins', () => {
    const b = new Bench();
    const attach = b.attach(null);
    b.fence(DmaResvUsage.KERNEL);
    const { scheduler } = b.platform;
    const task = scheduler.spawn('map', mapAttachment(attach, BIDIR, face));
    scheduler.run();
    b.platform.interrupt(task);
    scheduler.run();
    expect(task.result).toEqual(failure(Errno.ERESTARTSYS));
    expect(b.exporter.calls).toEqual(['attach', 'pin', 'map', 'unmap', 'unpin']);
    expect(b.rules()).toEqual(['dma-buf-lock-needed']);
  });
});

describe('attachments', () => {
  it('are told of an invalidation the newest first, if they asked to be', () => {
    const b = new Bench();
    const told: string[] = [];
    const importer = (name: string) => ({
      allowPeer2peer: true,
      *invalidateMappings(): ModelTask<void> {
        yield { at: 'importer' };
        told.push(name);
      },
    });
    const attachments = [null, importer('old'), dynamic, importer('new')].map((ops) => b.attach(ops));
    b.locked(() => dmaBufInvalidateMappings(b.dmabuf));
    expect(told).toEqual(['new', 'old']);
    expect(attachments.map(dmaBufAttachRevocable)).toEqual([false, true, false, true]);
    expect(attachments.map(({ peer2peer }) => peer2peer)).toEqual([false, true, true, true]);
  });

  it('are refused with the errno of the exporter and leave nothing behind', () => {
    const b = new Bench();
    b.exporter.failing = 'attach';
    expect(b.run(dmaBufAttach(b.dmabuf, b.dev))).toEqual(failure(Errno.EIO));
    expect(b.dmabuf.attachments).toEqual([]);
    expect(b.run(dmaBufAttach(b.dmabuf, null))).toEqual(failure(Errno.EINVAL));
    b.platform.allocate = () => false;
    expect(b.run(dmaBufAttach(b.dmabuf, b.dev))).toEqual(failure(Errno.ENOMEM));
  });

  it('that are left when the buffer goes are a violation', () => {
    const b = new Bench();
    const attach = b.attach(dynamic);
    b.run(dmaBufPut(b.dmabuf));
    expect(b.rules()).toEqual(['dma-buf-released-attached']);
    const c = new Bench();
    c.run(dmaBufDetach(c.dmabuf, attach));
    expect(c.rules()).toEqual(['dma-buf-detach-other']);
  });

  it('pin for nothing when the exporter cannot, and a static one may not', () => {
    const b = new Bench(false);
    const attach = b.attach(dynamic);
    expect(b.locked(() => dmaBufPin(attach))).toBe(0);
    const fixed = b.attach(null);
    b.locked(() => dmaBufPin(fixed));
    expect(b.rules()).toEqual(['dma-buf-pin-static']);
  });
});

describe('the lock', () => {
  it('is asked for by what needs it and forbidden to what takes it', () => {
    const b = new Bench();
    const attach = b.attach(dynamic);
    b.run(mapAttachment(attach, BIDIR, face));
    b.run(dmaBufPin(attach));
    b.run(dmaBufInvalidateMappings(b.dmabuf));
    expect(b.rules()).toEqual(['dma-buf-lock-needed', 'dma-buf-lock-needed', 'dma-buf-lock-needed']);
    b.platform.log.clear();
    b.locked(() => dmaBufBeginCpuAccess(b.dmabuf, BIDIR));
    expect(b.rules()).toEqual(['dma-buf-lock-forbidden']);
  });

  it('taken again by an importer in its own callback is a recursion', () => {
    const b = new Bench();
    const { resv } = b.dmabuf;
    b.attach({ allowPeer2peer: true, invalidateMappings: () => dmaResvLock(resv) });
    function* body(): ModelTask<void> {
      yield* dmaResvLock(resv);
      yield* dmaBufInvalidateMappings(b.dmabuf);
    }
    b.platform.scheduler.spawn('exporter', body());
    expect(b.platform.scheduler.run().status).toBe('deadlock');
    expect(b.rules()).toEqual(['lock-recursion']);
  });
});

describe('the processor', () => {
  it.each([
    ['to-device', DmaResvUsage.READ, true],
    ['bidirectional', DmaResvUsage.READ, true],
    ['from-device', DmaResvUsage.READ, false],
    ['from-device', DmaResvUsage.WRITE, true],
    ['to-device', DmaResvUsage.BOOKKEEP, false],
  ] as const)('about to access %s, with a fence of usage %i: waits %s', (dir, usage, waits) => {
    const b = new Bench();
    const fence = b.fence(usage);
    const task = b.platform.scheduler.spawn('cpu', dmaBufBeginCpuAccess(b.dmabuf, dir));
    b.platform.scheduler.run();
    expect(task.done).toBe(!waits);
    dmaFenceSignal(fence);
    b.platform.scheduler.run();
    expect([task.result, b.exporter.calls]).toEqual([0, ['begin']]);
  });

  it('maps once and unmaps with the last user', () => {
    const b = new Bench();
    const [first, second] = [0, 1].map(() => b.locked(() => dmaBufVmap(b.dmabuf)));
    if (!first?.ok || !second?.ok) throw new Error('vmap failed');
    expect(first.value).toBe(second.value);
    b.locked(() => dmaBufVunmap(b.dmabuf, first.value));
    expect(b.exporter.calls).toEqual(['vmap']);
    expect(() => b.run(dmaBufVunmap(b.dmabuf, {}))).toThrow('dma-buf-vunmap-unbalanced');
    b.locked(() => dmaBufVunmap(b.dmabuf, first.value));
    expect(b.exporter.calls).toEqual(['vmap', 'vunmap']);
  });

  it.each([
    [0, 2, 0],
    [1, 2, -Errno.EINVAL],
    [2 ** 64, 1, -Errno.EOVERFLOW],
  ])('maps from page %d on %d pages: %d', (pageOffset, pages, result) => {
    const b = new Bench();
    expect(b.run(dmaBufMmap(b.dmabuf, { pageOffset, pages }))).toBe(result);
  });
});

describe('the file', () => {
  it('tells its size and its users', () => {
    const { dmabuf } = new Bench();
    expect([dmaBufLlseek(dmabuf, 0, 'end'), dmaBufLlseek(dmabuf, 0, 'set')]).toEqual([8192, 0]);
    expect([dmaBufLlseek(dmabuf, 1, 'set'), dmaBufLlseek(dmabuf, 0, 'cur')]).toEqual([-22, -22]);
    expect(dmaBufShowFdinfo(dmabuf)).toBe('size:\t8192\ncount:\t0\nexp_name:\ttest\n');
  });

  it('polls: a writer waits for readers too, an armed direction is never ready, references come back', () => {
    const b = new Bench();
    const read = b.fence(DmaResvUsage.READ);
    const poll = (events: number): number => b.run(dmaBufPoll(b.dmabuf, events));
    expect(poll(EPOLLIN | EPOLLOUT)).toBe(EPOLLIN);
    expect([poll(EPOLLOUT), b.dmabuf.pollOut.armed, b.dmabuf.refs]).toEqual([0, true, 2]);
    dmaFenceSignal(read);
    expect([b.dmabuf.pollOut.wakeups, b.dmabuf.refs]).toEqual([1, 1]);
    expect([poll(EPOLLOUT), poll(0)]).toEqual([EPOLLOUT, 0]);
  });
});

test.prop([fc.array(fc.constantFrom('static', 'dynamic', 'fence', 'signal', 'detach'), { maxLength: 30 })])(
  'any mix of importers and fences ends with every pin, map and reference given back',
  (steps) => {
    const b = new Bench();
    const fences: DmaFence[] = [];
    for (const step of steps) {
      if (step === 'fence') fences.push(b.fence(DmaResvUsage.BOOKKEEP));
      else if (step === 'signal') for (const fence of fences.splice(0)) dmaFenceSignal(fence);
      else {
        const attach = b.attach(step === 'static' ? null : dynamic);
        const mapped = b.locked(() => mapAttachment(attach, BIDIR, face));
        if (mapped.ok) b.locked(() => unmapAttachment(attach, mapped.value, BIDIR, face));
        b.run(dmaBufDetach(b.dmabuf, attach));
      }
    }
    for (const fence of fences) dmaFenceSignal(fence);
    const count = (name: string): number => b.exporter.calls.filter((call) => call === name).length;
    b.run(dmaBufPut(b.dmabuf));
    expect([count('pin'), count('map'), count('attach')]).toEqual([
      count('unpin'),
      count('unmap'),
      count('detach'),
    ]);
    expect([b.rules(), b.platform.buffers.size, b.platform.order.allFree]).toEqual([[], 0, true]);
  },
);
