// The exporter against records of a booted machine whose user exported a BAR, switched its memory off and on, and mapped
// buffers through iommufd: each errno that the exporter decides. Where iommufd places a buffer is not looked at.
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { dmaBufDetach, dmaBufGet, dmaBufPut, dmaResvLock, dmaResvUnlock } from '@sgfree/dma-buf';
import { dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { featureBytes, VfioMachine } from '../../test/vfio-machine.ts';
import { vfioPciConfigWrite } from '../config/config-write.ts';
import { vfioPciDmaBufIommufdMap } from './iommufd-map.ts';
import type { VfioSgTable } from './sgt-mapping.ts';

interface RecordedOp {
  readonly op?: string;
  readonly k?: number;
  readonly id?: number;
  readonly region?: number;
  readonly ranges?: readonly (readonly [string, string])[];
  readonly errno?: number;
  readonly start?: string;
  readonly length?: string;
  readonly value?: string;
  readonly mem_enable?: number;
}

const folder = new URL('../../../../vectors/kernel/vfio/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.startsWith('vfio_dmabuf_'));
const opsOf = (name: string): RecordedOp[] =>
  gunzipSync(readFileSync(new URL(name, folder)))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedOp);

const importerOps = { allowPeer2peer: true, *invalidateMappings(): ModelTask<void> {} };
/** Errnos that only buffer and exporter can give. */
const OURS: readonly number[] = [Errno.EBADF, Errno.ENODEV, Errno.EOPNOTSUPP];

/** Replays one file; a machine with the recorded BARs, of which the second is an I/O BAR. */
class Replay {
  readonly machine: VfioMachine;
  readonly #fds = new Map<number, number>();
  readonly counts = { exported: 0, refused: 0, opened: 0, closed: 0 };

  constructor(barBytes: number) {
    const bars = [
      { index: 0, bytes: 4096 },
      { index: 2, bytes: barBytes },
    ];
    this.machine = new VfioMachine({ bars, claimedBars: [0, 1, 2] });
  }

  play(record: RecordedOp): void {
    if (record.op === 'dmabuf') this.#export(record);
    if (record.op === 'map_file') this.#mapFile(record);
    if (record.op === 'close_dmabuf') this.#close(record.id ?? -1);
    if (record.op === 'pci_command') this.#command(record);
  }

  #export({ k, region = 0, ranges = [], errno = 0, id = -1 }: RecordedOp): void {
    const asked = ranges.map(([offset, length]) => [BigInt(offset), BigInt(length)] as const);
    const fd = this.machine.ioctl(featureBytes({ region, ranges: asked }));
    expect([k, fd < 0 ? -fd : 0]).toEqual([k, errno]);
    if (fd >= 0) this.#fds.set(id, fd);
    this.counts[fd < 0 ? 'refused' : 'exported'] += 1;
  }

  #mapFile({ k, id = -1, start = '0', length = '0', errno = 0 }: RecordedOp): void {
    const found = this.machine.run(this.#import(this.#fds.get(id) ?? 999, Number(start), Number(length)));
    // Placing an area that can be imported fails for reasons of iommufd's own.
    if (found !== 0) expect([k, found]).toEqual([k, errno]);
    else expect(OURS).not.toContain(errno);
    this.counts[found === 0 ? 'opened' : 'closed'] += 1;
  }

  *#import(fd: number, start: number, length: number): ModelTask<number> {
    if (length === 0) return Errno.EINVAL;
    const dmabuf = dmaBufGet<VfioSgTable>(this.machine.platform, fd);
    if (!dmabuf.ok) return dmabuf.errno;
    const error = start + length > dmabuf.value.size ? Errno.EINVAL : yield* this.#attach(dmabuf.value);
    yield* dmaBufPut(dmabuf.value);
    return error;
  }

  *#attach(dmabuf: Parameters<typeof dmaBufDynamicAttach<VfioSgTable>>[0]): ModelTask<number> {
    const attach = yield* dmaBufDynamicAttach(dmabuf, this.machine.near, importerOps, null);
    if (!attach.ok) return attach.errno;
    yield* dmaResvLock(dmabuf.resv);
    const phys = vfioPciDmaBufIommufdMap(attach.value);
    dmaResvUnlock(dmabuf.resv);
    yield* dmaBufDetach(dmabuf, attach.value);
    return phys.ok ? 0 : phys.errno;
  }

  /** The recorder closes some descriptors twice. */
  #close(id: number): void {
    const fd = this.#fds.get(id);
    if (fd === undefined) return;
    expect(this.machine.run(this.machine.platform.files.close(fd))).toBe(0);
    this.#fds.delete(id);
  }

  #command({ value = '0', mem_enable: enabled }: RecordedOp): void {
    const { vdev } = this.machine;
    const word = Number(value);
    const written = Uint8Array.of(word & 0xff, word >> 8);
    expect(this.machine.run(vfioPciConfigWrite(vdev, 4, written))).toBe(2);
    expect(vdev.pdev.fn.memoryEnabled).toBe(enabled === 1);
    expect(vdev.dmabufs.every(({ revoked }) => revoked === (enabled !== 1))).toBe(true);
  }
}

describe('records of an exported BAR', () => {
  it('are there', () => {
    expect(files.length).toBeGreaterThan(0);
  });

  it.each(files)('%s', (name) => {
    const ops = opsOf(name);
    const region = ops.find(({ op }) => op === 'region') as { readonly size?: string } | undefined;
    const replay = new Replay(Number(region?.size));
    for (const record of ops) replay.play(record);
    const { counts } = replay;
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
    expect(replay.machine.rules()).toEqual([]);
  });
});
