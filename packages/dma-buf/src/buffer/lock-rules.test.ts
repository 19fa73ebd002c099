// The locking convention: which call needs the reservation lock and which must not be made with it, both ways.
import type { ModelTask } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { Bench, face, type Mapping } from '../../test/buffer-rig.ts';
import { dmaResvLock, dmaResvUnlock } from '../resv/dma-resv.ts';
import {
  dmaBufBeginCpuAccess,
  dmaBufEndCpuAccess,
  dmaBufMmap,
  dmaBufMmapInternal,
  dmaBufVmap,
  dmaBufVunmap,
} from './cpu-access.ts';
import { getDmaBuf } from './dma-buf.ts';
import {
  type DmaBufAttachment,
  dmaBufAttach,
  dmaBufDetach,
  dmaBufDynamicAttach,
  dmaBufPin,
  dmaBufUnpin,
} from './dma-buf-attachment.ts';
import { dmaBufExport, dmaBufFd, dmaBufGet, dmaBufPut } from './dma-buf-export.ts';
import { dmaBufInvalidateMappings } from './invalidate-mappings.ts';
import { mapAttachment, unmapAttachment } from './map-attachment.ts';

const dynamic = { allowPeer2peer: true };
const pages = { pageOffset: 0, pages: 1 };
type Call = (b: Bench, attach: DmaBufAttachment<Mapping>) => ModelTask<unknown>;

const NEEDED: readonly [string, Call][] = [
  ['dma_buf_pin', (_, attach) => dmaBufPin(attach)],
  ['dma_buf_unpin', (_, attach) => dmaBufUnpin(attach)],
  ['dma_buf_map_attachment', (_, attach) => mapAttachment(attach, 'to-device', face)],
  ['dma_buf_unmap_attachment', (_, attach) => unmapAttachment(attach, 'mapping', 'to-device', face)],
  ['dma_buf_vmap', (b) => dmaBufVmap(b.dmabuf)],
  ['dma_buf_vunmap', (b) => dmaBufVunmap(b.dmabuf, b.dmabuf.vmapPtr ?? {})],
  ['dma_buf_invalidate_mappings', (b) => dmaBufInvalidateMappings(b.dmabuf)],
];

/** What takes the lock itself waits for ever when it is held; the rule is reported before. */
const FORBIDDEN: readonly [string, Call][] = [
  ['dma_buf_dynamic_attach', (b) => dmaBufDynamicAttach(b.dmabuf, b.dev, dynamic, null)],
  ['dma_buf_dynamic_attach', (b) => dmaBufAttach(b.dmabuf, b.dev)],
  ['dma_buf_detach', (b, attach) => dmaBufDetach(b.dmabuf, attach)],
  ['dma_buf_export', (b) => called(() => exportOver(b))],
  ['dma_buf_fd', (b) => called(() => dmaBufFd(b.dmabuf, 0))],
  ['dma_buf_get', (b) => called(() => dmaBufGet(b.platform, 0))],
  ['dma_buf_put', (b) => dmaBufPut(getDmaBuf(b.dmabuf))],
  ['dma_buf_mmap', (b) => dmaBufMmap(b.dmabuf, pages)],
  ['dma_buf_mmap_internal', (b) => dmaBufMmapInternal(b.dmabuf, pages)],
  ['dma_buf_begin_cpu_access', (b) => dmaBufBeginCpuAccess(b.dmabuf, 'to-device')],
  ['dma_buf_end_cpu_access', (b) => dmaBufEndCpuAccess(b.dmabuf, 'to-device')],
];

function* called(call: () => unknown): ModelTask<void> {
  yield { at: 'test' };
  call();
}

function exportOver({ platform, exporter, dmabuf }: Bench): void {
  dmaBufExport<Mapping>(platform, {
    ...{ expName: 'second', ops: exporter.ops, size: 1, priv: {}, resv: dmabuf.resv },
  });
}

/** Rules and calls that are reported when `call` is made, with the lock or without. */
function reported(call: Call, held: boolean): unknown[] {
  const b = new Bench();
  const attach = b.attach(dynamic);
  b.locked(() => dmaBufVmap(b.dmabuf));
  dmaBufFd(b.dmabuf, 0);
  const { resv } = b.dmabuf;
  function* body(): ModelTask<void> {
    if (held) yield* dmaResvLock(resv);
    yield* call(b, attach);
    if (held) dmaResvUnlock(resv);
  }
  b.platform.scheduler.spawn('caller', body());
  b.platform.scheduler.run();
  const events = b.platform.log.events.filter(({ rule }) => String(rule).startsWith('dma-buf-lock'));
  return events.map(({ rule, call: name }) => [rule, name]);
}

describe('the reservation lock', () => {
  it.each(NEEDED)('is needed by %s', (name, call) => {
    expect(reported(call, true)).toEqual([]);
    expect(reported(call, false)).toEqual([['dma-buf-lock-needed', name]]);
  });

  it.each(FORBIDDEN)('is forbidden to %s', (name, call) => {
    expect(reported(call, false)).toEqual([]);
    expect(reported(call, true)).toEqual([['dma-buf-lock-forbidden', name]]);
  });
});

describe('the exporter is called', () => {
  it('with the lock for pin, map, vmap and their ways back, without it for everything else', () => {
    const b = new Bench();
    const { resv } = b.dmabuf;
    const held = new Map<string, boolean>();
    b.exporter.onCall = (name) => {
      held.set(name, resv.mutex.heldByCurrent);
    };
    const fixed = b.attach(null);
    const mapped = b.locked(() => mapAttachment(fixed, 'to-device', face));
    if (mapped.ok) b.locked(() => unmapAttachment(fixed, mapped.value, 'to-device', face));
    const map = b.locked(() => dmaBufVmap(b.dmabuf));
    if (map.ok) b.locked(() => dmaBufVunmap(b.dmabuf, map.value));
    b.run(dmaBufBeginCpuAccess(b.dmabuf, 'to-device'));
    b.run(dmaBufMmap(b.dmabuf, pages));
    b.run(dmaBufDetach(b.dmabuf, fixed));
    b.run(dmaBufPut(b.dmabuf));
    expect(Object.fromEntries(held)).toEqual({
      ...{ attach: false, detach: false, begin: false, mmap: false, release: false },
      ...{ pin: true, unpin: true, map: true, unmap: true, vmap: true, vunmap: true },
    });
  });
});

describe('an attachment', () => {
  it('cannot be ended twice', () => {
    const b = new Bench();
    const attach = b.attach(dynamic);
    b.run(dmaBufDetach(b.dmabuf, attach));
    expect(() => b.run(dmaBufDetach(b.dmabuf, attach))).toThrow('dma-buf-detach-twice');
    expect(b.exporter.calls.filter((call) => call === 'detach')).toEqual(['detach']);
  });
});
