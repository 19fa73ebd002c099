// Stage 5 end to end: a BAR shared by VFIO, imported by RDMA through range lists and, for comparison, through tables: a peer's bytes
// arrive where the buffer says, come back the same, and a revoke in the middle of them ends them for good.
import { sgtFallback } from '@sgfree/dma-buf/sgt';
import { type ModelTask, physAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import {
  ibDeregDmabufMr,
  ibRegDmabufMr,
  ibRegDmabufMrPinned,
  ibRegDmabufMrRevocable,
  rangeListImport,
} from '@sgfree/rdma/stage-6';
import { vfioSgtMapping } from '@sgfree/vfio-dmabuf/stage-3';
import {
  vfioMappingTypes,
  vfioPciConfigWrite,
  vfioPciIoctlReset,
  vfioSgtOffer,
} from '@sgfree/vfio-dmabuf/stage-6';
import { describe, expect, it } from 'vitest';
import {
  goodValue,
  type NicSide,
  PEER_MEMORY,
  SHARED_ACCESS,
  SharedBarMachine,
} from './shared-bar-machine.ts';

const RANGES = [
  { offset: 0x30000, length: 0x3000 },
  { offset: 0x8000, length: 0x2000 },
  { offset: 0x100000, length: 0x3000 },
];
/** A window that starts in the first range and ends in the last. */
const WINDOW = { offset: 0x1000, size: 0x6000 };
const IOVA: number = 0x7000_0000 + WINDOW.offset;
const memoryOff = Uint8Array.of(0, 0);
const memoryOn = Uint8Array.of(2, 0);
const OK = 0;
const REMOTE_ACCESS_ERROR = 10;

const exporters = {
  'mapping types': () => vfioMappingTypes({ tables: vfioSgtOffer() }),
  'tables only': () => vfioSgtMapping(),
} as const;
type Exporter = keyof typeof exporters;
type Mode = 'dynamic' | 'revocable';

const pattern = (bytes: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + Math.floor(i / 256) * 3 + seed) % 251);

/** What the BAR holds in the window, in the order of the buffer. */
function inBar(machine: SharedBarMachine): Uint8Array {
  const all = RANGES.flatMap(({ offset, length }) => [
    ...Uint8Array.from({ length }, (_, i) => {
      const at = offset + i;
      return machine.bar.pageBytes(Math.floor(at / 4096))[at & 4095] ?? 0;
    }),
  ]);
  return Uint8Array.from(all.slice(WINDOW.offset, WINDOW.offset + WINDOW.size));
}

function registered(machine: SharedBarMachine, side: NicSide, fd: number, mode: Mode) {
  const { platform } = machine;
  const request = { platform, fd, ...WINDOW, access: SHARED_ACCESS, via: rangeListImport(sgtFallback) };
  return machine.run(
    mode === 'dynamic'
      ? ibRegDmabufMr(side.pd, request, IOVA, side.faults)
      : ibRegDmabufMrRevocable(side.pd, request, IOVA),
  );
}

const transfer = (rkey: number, localAt: number) => ({ rkey, at: IOVA, bytes: WINDOW.size, localAt });

/** The peer writes fresh data; the status, and whether the BAR holds it. */
function written(machine: SharedBarMachine, side: NicSide, rkey: number, seed: number): [number[], boolean] {
  const sent = pattern(WINDOW.size, seed);
  machine.memory.write(physAddr(PEER_MEMORY.source), sent);
  machine.post(side, 'rdma-write', transfer(rkey, PEER_MEMORY.source));
  const statuses = machine.settle();
  return [statuses, inBar(machine).every((byte, i) => byte === sent[i])];
}

/** The owner takes the memory back while the peer writes; the peer's statuses. */
function revokedInTraffic(machine: SharedBarMachine, side: NicSide, rkey: number, turns: number): number[] {
  machine.memory.write(physAddr(PEER_MEMORY.source), pattern(WINDOW.size, 3));
  machine.post(side, 'rdma-write', transfer(rkey, PEER_MEMORY.source));
  machine.scheduler.spawn(
    'owner',
    (function* (): ModelTask<void> {
      for (let turn = 0; turn < turns; turn += 1) yield { at: 'owner:waits' };
      yield* vfioPciConfigWrite(machine.vdev, 4, memoryOff);
    })(),
  );
  return machine.settle();
}

const sides = ['near', 'far'] as const;
const cases = (['mapping types', 'tables only'] as const).flatMap((exporter) =>
  sides.flatMap((where) =>
    [true, false].flatMap((iommu) =>
      (['dynamic', 'revocable'] as const).map((mode) => ({ exporter, where, iommu, mode })),
    ),
  ),
);

describe.each(cases)('$exporter, $where, IOMMU $iommu, $mode', ({ exporter, where, iommu, mode }) => {
  const start = (seed = 1): SharedBarMachine =>
    new SharedBarMachine({ iommu, mapping: exporters[exporter as Exporter](), seed });

  it('a peer’s WRITE lands in every range and READ brings it back; nothing is left', () => {
    const machine = start();
    const side = machine[where];
    const fd = machine.export(RANGES);
    const before = machine.leftovers;
    const reg = goodValue(registered(machine, side, fd, mode));
    expect(written(machine, side, reg.mr.rkey, 17)).toEqual([[OK], true]);
    machine.post(side, 'rdma-read', transfer(reg.mr.rkey, PEER_MEMORY.sink));
    expect(machine.settle()).toEqual([OK]);
    const back = machine.bytesAt(PEER_MEMORY.sink, WINDOW.size);
    expect(Buffer.compare(back, pattern(WINDOW.size, 17))).toBe(0);
    const { switchLocal, hostBridge } = machine.fabric.counters;
    expect([switchLocal.requests > 0, hostBridge.requests > 0]).toEqual([where === 'near', where === 'far']);
    const fellBack = machine.log.events.filter(({ kind }) => kind === 'rdma:deprecated-import');
    expect(fellBack.length).toBe(exporter === 'mapping types' ? 0 : 1);
    expect(machine.run(ibDeregDmabufMr(reg))).toBe(0);
    expect([machine.leftovers, machine.rules()]).toEqual([before, []]);
  });

  it.each([0, 20, 60, 100])('a revoke after %i turns of the traffic is its end', (turns) => {
    const machine = start();
    const side = machine[where];
    const fd = machine.export(RANGES);
    const reg = goodValue(registered(machine, side, fd, mode));
    const [status] = revokedInTraffic(machine, side, reg.mr.rkey, turns);
    const [revoked = -1] = machine.stepsOf('vfio:revoked');
    expect(revoked).toBeGreaterThan(-1);
    expect(machine.bar.lastWrite).toBeLessThanOrEqual(revoked);
    expect([OK, REMOTE_ACCESS_ERROR]).toContain(status);
    expect(machine.leftovers.slice(2)).toEqual([0, 0, machine.leftovers[4]]);
    expect(machine.rules()).toEqual([]);
    expect(machine.run(ibDeregDmabufMr(reg))).toBe(0);
  });

  it('after a reset a dynamic region comes back by a fault, a revocable one never does', () => {
    const machine = start();
    const side = machine[where];
    const reg = goodValue(registered(machine, side, machine.export(RANGES), mode));
    machine.run(vfioPciIoctlReset(machine.vdev));
    const again = written(machine, side, reg.mr.rkey, 31);
    expect(again).toEqual(mode === 'dynamic' ? [[OK], true] : [[REMOTE_ACCESS_ERROR], false]);
    expect(machine.run(ibDeregDmabufMr(reg))).toBe(0);
  });

  it('registering is refused while the memory is off, and keeps nothing whichever allocation fails', () => {
    const machine = start();
    const side = machine[where];
    const fd = machine.export(RANGES);
    const before = machine.leftovers;
    machine.run(vfioPciConfigWrite(machine.vdev, 4, memoryOff));
    expect(registered(machine, side, fd, mode)).toEqual({ ok: false, errno: Errno.ENODEV });
    machine.run(vfioPciConfigWrite(machine.vdev, 4, memoryOn));
    let failures = 0;
    for (let allowed = 0; ; allowed += 1) {
      machine.failAfter = allowed;
      const made = registered(machine, side, fd, mode);
      machine.failAfter = -1;
      if (made.ok) expect(machine.run(ibDeregDmabufMr(made.value))).toBe(0);
      else expect(made.errno).toBe(Errno.ENOMEM);
      expect(machine.leftovers).toEqual(before);
      if (made.ok) break;
      failures += 1;
    }
    expect(failures).toBeGreaterThan(2);
    expect(machine.rules()).toEqual([]);
  });
});

it('some of these revokes do come in the middle: a part of the bytes is there, and no more of them later', () => {
  const parts: number[] = [];
  for (let turns = 0; turns <= 120; turns += 10) {
    const machine = new SharedBarMachine({ iommu: true, mapping: exporters['mapping types']() });
    const reg = goodValue(registered(machine, machine.far, machine.export(RANGES), 'revocable'));
    const [status] = revokedInTraffic(machine, machine.far, reg.mr.rkey, turns);
    const sent = pattern(WINDOW.size, 3);
    const there = inBar(machine).filter((byte, i) => byte !== 0 && byte === sent[i]).length;
    const all = sent.filter((byte) => byte !== 0).length;
    expect(status).toBe(there === all ? OK : REMOTE_ACCESS_ERROR);
    parts.push(there / all);
  }
  expect(parts.some((part) => part > 0 && part < 1)).toBe(true);
});

describe('who cannot import', () => {
  it('an importer that cannot be revoked: -EOPNOTSUPP from the exporter, as with tables', () => {
    for (const exporter of ['mapping types', 'tables only'] as const) {
      const machine = new SharedBarMachine({ iommu: true, mapping: exporters[exporter]() });
      const fd = machine.export(RANGES);
      const { platform, near } = machine;
      const request = { platform, fd, ...WINDOW, access: SHARED_ACCESS, via: rangeListImport(sgtFallback) };
      const made: ModelTask<{ readonly ok: boolean }> = ibRegDmabufMrPinned(near.pd, request, IOVA);
      expect(machine.run(made)).toEqual({ ok: false, errno: Errno.EOPNOTSUPP });
    }
  });

  it('an importer without a fallback at an exporter of tables: -EINVAL', () => {
    const machine = new SharedBarMachine({ iommu: true, mapping: exporters['tables only']() });
    const fd = machine.export(RANGES);
    const before = machine.leftovers;
    const { platform, near } = machine;
    const request = { platform, fd, ...WINDOW, access: SHARED_ACCESS, via: rangeListImport() as never };
    const made: ModelTask<{ readonly ok: boolean }> = ibRegDmabufMrRevocable(near.pd, request, IOVA);
    expect(machine.run(made)).toEqual({ ok: false, errno: Errno.EINVAL });
    expect([machine.leftovers, machine.rules()]).toEqual([before, []]);
    expect(machine.log.events.some(({ kind }) => kind === 'rdma:deprecated-import')).toBe(false);
  });
});
