// The three doors of a VFIO buffer by the text: who is let in and with which errno, what a list is, what a revoke waits for by each
// door, and what an importer finds when it asks inside its callback.
import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufMappingMatch,
  type DmaBufPhysList,
  type DmaRangeList,
  dmaBufDomainReady,
  dmaBufGet,
  dmaBufMappingAttach,
  dmaBufMapRangeList,
  dmaBufUnmapRangeList,
  dmaResvLock,
  dmaResvUnlock,
  domainImporterMatch,
  rangeListImporterMatch,
  vfioIommufdInterconnect,
} from '@sgfree/dma-buf';
import { dmaBufPalMapPhys, dmaBufPalUnmapPhys, palImporterMatch } from '@sgfree/dma-buf/iommufd';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { featureBytes, VfioMachine } from '../../test/vfio-machine.ts';
import { vfioPciConfigWrite } from '../config/config-write.ts';
import { vfioPciIoctlReset } from '../device/device-reset.ts';
import { vfioPciCoreCloseDevice } from '../device/open-close.ts';
import { vfioSgtOffer } from './sgt-offer.ts';
import { vfioMappingTypes } from './vfio-mapping-types.ts';

type Ranges = readonly (readonly [bigint, bigint])[];
const ADJOINING: Ranges = [
  [0x3000n, 0x2000n],
  [0x5000n, 0x1000n],
];
const ONE: Ranges = [[0x3000n, 0x2000n]];
const SCATTERED: Ranges = [
  [0x8000n, 0x1000n],
  [0x3000n, 0x2000n],
  [0x8000n, 0x1000n],
];
const revocable = { allowPeer2peer: true, *invalidateMappings(): ModelTask<void> {} };
const memory = (machine: VfioMachine, on: boolean): number =>
  machine.run(vfioPciConfigWrite(machine.vdev, 4, Uint8Array.of(on ? 2 : 0, 0)));

const OFFERS: Readonly<Record<string, DmaBufMappingMatch>> = {
  interconnect: vfioIommufdInterconnect.importerMatch,
  'physical list': palImporterMatch,
  'domain window': domainImporterMatch,
};
const DOORS = Object.keys(OFFERS);

/** A machine with one buffer, and what an importer at `door` does. */
function at(door: string, ranges: Ranges = ONE, machine: VfioMachine = mappingMachine()) {
  const got = dmaBufGet<unknown>(machine.platform, machine.ioctl(featureBytes({ ranges })));
  if (!got.ok) throw new Error('no buffer');
  const dmabuf = got.value;
  const attachWith = (ops: typeof revocable | { allowPeer2peer: boolean }) =>
    machine.run(dmaBufMappingAttach(dmabuf, [OFFERS[door] as DmaBufMappingMatch], ops, null));
  const ask = (attach: DmaBufAttachment<unknown>): number =>
    machine.run(locked(dmabuf, () => askBy(door, attach)));
  return { machine, dmabuf, attachWith, ask, priv: machine.vdev.dmabufs[0] };
}

const mappingMachine = (): VfioMachine =>
  new VfioMachine({ mapping: vfioMappingTypes({ tables: vfioSgtOffer() }) });

function* locked<T>({ resv }: DmaBuf<unknown>, body: () => ModelTask<T>): ModelTask<T> {
  yield* dmaResvLock(resv);
  const result = yield* body();
  dmaResvUnlock(resv);
  return result;
}

/** Asks for the memory and gives it back: 0 or the errno. */
function* askBy(door: string, attach: DmaBufAttachment<unknown>): ModelTask<number> {
  yield { at: 'importer:asks' };
  if (door === 'domain window') return Math.abs(yield* dmaBufDomainReady(attach));
  if (door === 'interconnect') {
    const phys = vfioIommufdInterconnect.opsOf(attach)?.iommufdMap(attach);
    return phys === undefined ? -1 : phys.ok ? 0 : phys.errno;
  }
  const pal = attach as DmaBufAttachment<DmaBufPhysList>;
  const list = yield* dmaBufPalMapPhys(pal);
  if (list.ok) yield* dmaBufPalUnmapPhys(pal, list.value);
  return list.ok ? 0 : list.errno;
}

describe.each(DOORS)('the door %s', (door) => {
  it('takes importers that can be told, and nobody while the memory is taken back', () => {
    const { machine, dmabuf, attachWith } = at(door);
    const errnoWith = (ops: Parameters<typeof attachWith>[0]): number => {
      const made = attachWith(ops);
      return made.ok ? 0 : made.errno;
    };
    expect(errnoWith({ allowPeer2peer: true })).toBe(Errno.EOPNOTSUPP);
    memory(machine, false);
    expect([errnoWith({ allowPeer2peer: true }), errnoWith(revocable)]).toEqual([Errno.ENODEV, Errno.ENODEV]);
    memory(machine, true);
    expect([errnoWith(revocable), dmabuf.attachments.length]).toEqual([0, 1]);
    machine.run(vfioPciCoreCloseDevice(machine.vdev));
    expect([errnoWith(revocable), dmabuf.attachments.length]).toEqual([Errno.ENODEV, 1]);
  });

  it('of a buffer that was exported while decoding is off opens when it is on', () => {
    const machine = mappingMachine();
    memory(machine, false);
    const { attachWith, ask, priv } = at(door, ONE, machine);
    expect([priv?.revoked, attachWith(revocable).ok]).toEqual([true, false]);
    memory(machine, true);
    const attach = attachWith(revocable);
    if (!attach.ok) throw new Error('no attachment');
    expect([ask(attach.value), priv?.kref]).toEqual([0, 1]);
  });

  it('answers ENODEV inside the callback, when memory is taken and when it is given out; afterwards it works again', () => {
    const { machine, attachWith, ask, priv } = at(door);
    const inside: number[] = [];
    const attach = attachWith({
      allowPeer2peer: true,
      *invalidateMappings(...args: readonly unknown[]): ModelTask<void> {
        inside.push(yield* askBy(door, args[0] as DmaBufAttachment<unknown>));
      },
    });
    if (!attach.ok) throw new Error('no attachment');
    machine.run(vfioPciIoctlReset(machine.vdev));
    expect([inside, ask(attach.value), priv?.kref]).toEqual([[Errno.ENODEV, Errno.ENODEV], 0, 1]);
    expect(machine.rules()).toEqual([]);
  });

  it.each([
    ['overlapping and unordered', SCATTERED, door === 'interconnect' ? Errno.EOPNOTSUPP : 0],
    ['adjoining', ADJOINING, door === 'interconnect' ? Errno.EOPNOTSUPP : 0],
    ['one', ONE, 0],
  ] as const)('answers for ranges that are %s', (_, ranges, errno) => {
    const { machine, attachWith, ask } = at(door, ranges);
    const attach = attachWith(revocable);
    if (!attach.ok) throw new Error('no attachment');
    expect(ask(attach.value)).toBe(errno);
    memory(machine, false);
    // That the memory is taken back is said first.
    expect(ask(attach.value)).toBe(Errno.ENODEV);
  });

  it('finds nobody who knows only another door', () => {
    const others = {
      interconnect: 'interconnect',
      'physical list': 'phys-list',
      'domain window': 'domain-window',
    };
    for (const [name, option] of Object.entries(others)) {
      const machine = new VfioMachine({ mapping: vfioMappingTypes({ doors: [option as 'phys-list'] }) });
      const attach = at(door, ONE, machine).attachWith(revocable);
      expect(attach.ok ? 0 : attach.errno).toBe(name === door ? 0 : Errno.EINVAL);
    }
  });
});

it('a physical list has the ranges in the order of the user, and changing it changes nothing', () => {
  const { machine, dmabuf, attachWith, priv } = at('physical list', SCATTERED);
  const attach = attachWith(revocable);
  if (!attach.ok || priv === undefined) throw new Error('no attachment');
  const pal = attach.value as DmaBufAttachment<DmaBufPhysList>;
  machine.run(
    locked(dmabuf, function* () {
      const list = yield* dmaBufPalMapPhys(pal);
      if (!list.ok) throw new Error('no list');
      const [base] = list.value.phys;
      const start = Number(base?.paddr) - 0x8000;
      expect(list.value.phys.map(({ paddr, len }) => [Number(paddr) - start, len])).toEqual(
        SCATTERED.map(([offset, length]) => [Number(offset), Number(length)]),
      );
      (list.value.phys as DmaBufPhysList['phys'][number][]).pop();
      for (const entry of list.value.phys) Object.assign(entry, { len: 1 });
      expect(priv.physVec.map(({ len }) => len)).toEqual([0x1000, 0x2000, 0x1000]);
      yield* dmaBufPalUnmapPhys(pal, list.value);
    }),
  );
});

describe('a revoke', () => {
  /** Whether a reset ends while an importer keeps what it got. */
  function endsWhile(door: string, keep: (attach: DmaBufAttachment<unknown>) => ModelTask<unknown>) {
    const { machine, dmabuf, attachWith } = at(door);
    const attach = attachWith(revocable);
    if (!attach.ok) throw new Error('no attachment');
    const kept = machine.run(locked(dmabuf, () => keep(attach.value)));
    let ended = false;
    machine.scheduler.spawn(
      'owner',
      (function* (): ModelTask<void> {
        yield* vfioPciIoctlReset(machine.vdev);
        ended = true;
      })(),
    );
    machine.scheduler.run();
    return { machine, dmabuf, attach: attach.value, kept, ended: () => ended };
  }

  it('waits for a physical list that is kept, and ends when it comes back', () => {
    const run = endsWhile('physical list', (attach) => dmaBufPalMapPhys(attach as never));
    expect(run.ended()).toBe(false);
    const { value } = run.kept as { readonly value: DmaBufPhysList };
    run.machine.run(locked(run.dmabuf, () => dmaBufPalUnmapPhys(run.attach as never, value)));
    run.machine.scheduler.run();
    expect([run.ended(), run.machine.rules()]).toEqual([true, []]);
  });

  it('does not wait for who came by the interconnect: nothing is counted there', () => {
    const run = endsWhile('interconnect', (attach) => askBy('interconnect', attach));
    expect([run.kept, run.ended()]).toEqual([0, true]);
  });

  it('a range list that is mapped again inside the callback is refused, and the old one still counts', () => {
    const { machine, dmabuf, priv } = at('physical list');
    const { near } = machine;
    const held: { list: DmaRangeList | null } = { list: null };
    const inside: number[] = [];
    const ops = {
      allowPeer2peer: true,
      *invalidateMappings(attach: DmaBufAttachment<unknown>): ModelTask<void> {
        const own = attach as DmaBufAttachment<DmaRangeList>;
        const again = yield* dmaBufMapRangeList(own, 'bidirectional');
        inside.push(again.ok ? 0 : again.errno, priv?.kref ?? -1);
        const { list } = held;
        held.list = null;
        if (list !== null) yield* dmaBufUnmapRangeList(own, list, 'bidirectional');
      },
    };
    const made = machine.run(dmaBufMappingAttach(dmabuf, [rangeListImporterMatch(near, true)], ops, null));
    if (!made.ok) throw new Error('no attachment');
    const own = made.value as DmaBufAttachment<DmaRangeList>;
    const mapped = machine.run(locked(dmabuf, () => dmaBufMapRangeList(own, 'bidirectional')));
    if (!mapped.ok) throw new Error('no list');
    held.list = mapped.value;
    machine.run(vfioPciIoctlReset(machine.vdev));
    // Taken back: the list counts; given out: only the buffer itself does.
    expect([inside, mapped.value.live]).toEqual([[Errno.ENODEV, 2, Errno.ENODEV, 1], false]);
  });
});
