// Exporting: what the core refuses, what it takes and gives back, and descriptors.
import { Errno, failure, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { Bench, Exporter, type Mapping } from '../../test/buffer-rig.ts';
import { DmaBufPlatform } from '../dma-buf-platform.ts';
import { dmaBufExport, dmaBufFd, dmaBufGet, dmaBufPut } from './dma-buf-export.ts';

describe('export', () => {
  const ops = new Exporter(true).ops;
  it.each([
    ['no private data', { ops, priv: null }],
    ['no operations', { ops: null, priv: {} }],
    ['no map', { ops: { ...ops, mapDmaBuf: undefined }, priv: {} }],
    ['no unmap', { ops: { ...ops, unmapDmaBuf: undefined }, priv: {} }],
    ['no release', { ops: { ...ops, release: undefined }, priv: {} }],
    ['pin without unpin', { ops: { ...ops, unpin: undefined }, priv: {} }],
    ['unpin without pin', { ops: { ...ops, pin: undefined }, priv: {} }],
  ])('%s is -EINVAL and a violation', (_, wrong) => {
    const platform = new DmaBufPlatform();
    platform.log.enabled = true;
    const info = { expName: 'x', size: 1, ...wrong } as unknown as Parameters<
      typeof dmaBufExport<Mapping>
    >[1];
    expect(dmaBufExport(platform, info)).toEqual(failure(Errno.EINVAL));
    expect(platform.log.events.map((event) => event['rule'])).toEqual(['dma-buf-export-incomplete']);
  });

  it('takes the module, and gives it back with the buffer or without memory', () => {
    let module = 0;
    const owner = {
      tryGet: () => {
        module += 1;
        return module < 10;
      },
      put: () => {
        module -= 1;
      },
    };
    const platform = new DmaBufPlatform();
    const info = { expName: 'x', size: 1, ops, priv: {}, owner };
    platform.allocate = () => false;
    expect(dmaBufExport(platform, info)).toEqual(failure(Errno.ENOMEM));
    expect(module).toBe(0);
    platform.allocate = () => true;
    const made = dmaBufExport(platform, info);
    expect(module).toBe(1);
    if (made.ok) platform.scheduler.runTask('put', dmaBufPut(made.value));
    expect([module, platform.buffers.size]).toEqual([0, 0]);
    module = 9;
    expect(dmaBufExport(platform, info)).toEqual(failure(Errno.ENOENT));
  });

  it('hands out descriptors, the lowest free first', () => {
    const b = new Bench();
    const { platform, dmabuf, exporter } = b;
    expect(dmaBufFd(dmabuf, 0)).toBe(0);
    const got = dmaBufGet<Mapping>(platform, 0);
    expect(got).toEqual(success(dmabuf));
    expect(dmabuf.refs).toBe(2);
    expect(dmaBufGet(platform, 1)).toEqual(failure(Errno.EBADF));
    expect(b.run(platform.files.close(0))).toBe(0);
    expect(exporter.calls).toEqual([]);
    b.run(dmaBufPut(dmabuf));
    expect(exporter.calls).toEqual(['release']);
    expect(b.run(platform.files.close(0))).toBe(-Errno.EBADF);
  });

  it('runs out of descriptors', () => {
    const platform = new DmaBufPlatform({ fdLimit: 1 });
    const made = dmaBufExport(platform, { expName: 'x', size: 1, ops, priv: {} });
    if (!made.ok) throw new Error('export failed');
    expect([dmaBufFd(made.value, 0), dmaBufFd(made.value, 0), dmaBufFd(null, 0)]).toEqual([
      0,
      -Errno.EMFILE,
      -Errno.EINVAL,
    ]);
  });
});
