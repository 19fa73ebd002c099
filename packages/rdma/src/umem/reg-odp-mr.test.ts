// On-demand regions: a peer's write faults pages in, a change of the process takes them away in the right order.
import { dmaAddr, PAGE_SIZE, RdmaPageFault } from '@sgfree/hw-model';
import { copyFromUser, copyToUser, Errno, vmMunmap, zapPageRange } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { UmemMachine } from '../../test/umem-machine.ts';
import { outcomeValue } from '../../test/verbs-rig.ts';
import { IbAccess } from '../verbs/ib-access.ts';
import { ibPostSend } from '../verbs/ib-post.ts';
import { PageFaultService } from './page-fault-service.ts';
import { ibDeregOdpMr, ibRegOdpMr } from './reg-odp-mr.ts';
import { ibUmemOdpMapDmaAndLock, mapOdpEntry } from './umem-odp.ts';

const ACCESS = IbAccess.LOCAL_WRITE | IbAccess.REMOTE_READ | IbAccess.REMOTE_WRITE | IbAccess.ON_DEMAND;

function onDemand(iommu: boolean, pages = 4) {
  const machine = new UmemMachine({ iommu });
  const faults = new PageFaultService(machine.device, machine.rig.scheduler);
  const at = machine.mm.mmap(pages * PAGE_SIZE);
  const bytes = pages * PAGE_SIZE;
  const reg = outcomeValue(machine.do(ibRegOdpMr(machine.pd, machine.mm, at, bytes, at, ACCESS, faults)));
  return { machine, faults, at, bytes, reg };
}

it('a peer writes pages that were not there; unmapping them takes the keys translations first', () => {
  const { machine, faults, at, bytes, reg } = onDemand(false);
  const sent = Uint8Array.from({ length: bytes }, (_, i) => (i * 13 + 5) % 241);
  machine.rig.b.bar.mmioWrite(0, sent);
  const local = { addr: machine.rig.b.barAt, length: bytes, lkey: machine.rig.b.pd.localDmaLkey };
  const write = {
    wrId: 1,
    opcode: 'rdma-write',
    sgList: [local],
    remoteAddr: at,
    rkey: reg.mr.rkey,
    sendFlags: { signaled: true },
  } as const;
  ibPostSend(machine.peerQp, [write], { wr: null });
  expect(machine.rig.settle(machine.rig.b).map(({ status }) => status)).toEqual([0]);
  expect(faults.served).toBeGreaterThan(0);
  const seen = new Uint8Array(bytes);
  machine.do(copyFromUser(machine.mm, at, seen));
  expect(seen).toEqual(sent);
  expect(reg.umem.npages).toBe(4);
  machine.do(zapPageRange(machine.mm, at + PAGE_SIZE, PAGE_SIZE));
  expect(reg.umem.npages).toBe(3);
  expect([0, 1, 2].map((block) => reg.mr.entry.translation?.permits(block, true))).toEqual([
    true,
    false,
    true,
  ]);
  machine.do(vmMunmap(machine.mm, at, bytes));
  expect(machine.pages.liveFrames).toBe(0);
  ibPostSend(machine.peerQp, [{ ...write, wrId: 2 }], { wr: null });
  expect(machine.rig.settle(machine.rig.b).map(({ status }) => status)).toEqual([10]);
  expect(machine.do(ibDeregOdpMr(reg, faults))).toBe(0);
});

it('behind an IOMMU each page is linked by itself and all are gone after deregistration', () => {
  const { machine, faults, at, bytes, reg } = onDemand(true);
  const { umem } = reg;
  machine.do(copyToUser(machine.mm, at, new Uint8Array(PAGE_SIZE)));
  const count = machine.do(locked(umem, at, bytes, true, false));
  expect(count).toEqual([4, 1]);
  expect(machine.domain.table.liveLeafEntries).toBe(1);
  expect(machine.do(locked(umem, at, bytes, true, true))).toEqual([4, 4]);
  // One page was mapped already and is counted again (odp-count-drift).
  expect(umem.npages).toBe(5);
  expect(machine.domain.table.liveLeafEntries).toBe(4);
  expect(machine.mm.pinnedVm).toBe(0);
  expect(machine.do(ibDeregOdpMr(reg, faults))).toBe(0);
  expect(machine.leftovers).toEqual([0, 0, 0, 0, machine.leftovers[4], 1]);
  expect(machine.mm.notifiers.watchers.size).toBe(0);
});

it('takes away in order: the translation of the key, the IOTLB entry, then the page', () => {
  const { machine, at, bytes, reg } = onDemand(true);
  machine.do(locked(reg.umem, at, bytes, true, true));
  reg.mr.entry.translation?.set(1, dmaAddr(0x1000));
  const order: string[] = [];
  const look = (): void => {
    if (reg.mr.entry.translation?.permits(1, true) === false && !order.includes('key')) order.push('key');
    if (machine.rig.log.events.some(({ kind }) => kind === 'test:iotlb') && !order.includes('iotlb'))
      order.push('iotlb');
    if (machine.pages.liveFrames === 3 && !order.includes('page')) order.push('page');
  };
  machine.rig.log.clear();
  const { log } = machine.rig;
  const post = log.post.bind(log);
  machine.rig.log.post = (event) => {
    look();
    post(event);
    look();
  };
  machine.do(zapPageRange(machine.mm, at + PAGE_SIZE, PAGE_SIZE));
  look();
  expect(order).toEqual(['key', 'iotlb', 'page']);
});

it('refuses ranges outside, processes that are gone, and allocations that fail', () => {
  const { machine, at, bytes, reg } = onDemand(true);
  const look = (from: number, size: number): number =>
    machine.do(ibUmemOdpMapDmaAndLock(reg.umem, from, size, false, true));
  expect(look(at - 1, 2)).toBe(-Errno.EFAULT);
  expect(look(at, bytes + 1)).toBe(-Errno.EFAULT);
  machine.mm.users = 0;
  expect(look(at, bytes)).toBe(-Errno.EINVAL);
  for (let allowed = 0; allowed < 8; allowed += 1) {
    const fresh = new UmemMachine({ iommu: true });
    const faults = new PageFaultService(fresh.device, fresh.rig.scheduler);
    const start = fresh.mm.mmap(PAGE_SIZE);
    const before = fresh.leftovers;
    fresh.failAfter = allowed;
    const made = fresh.do(ibRegOdpMr(fresh.pd, fresh.mm, start, PAGE_SIZE, start, ACCESS, faults));
    if (made.ok) fresh.do(ibDeregOdpMr(made.value, faults));
    else expect(made.errno).toBe(Errno.ENOMEM);
    expect(fresh.leftovers).toEqual(before);
    expect(fresh.mm.notifiers.watchers.size).toBe(0);
  }
});

it('keeps nothing after a fault that fails at any page of the process or of the page table', () => {
  let failures = 0;
  for (const kind of ['tables', 'pages'] as const) {
    for (let allowed = 0; allowed < 8; allowed += 1) {
      const machine = new UmemMachine({ iommu: true });
      const faults = new PageFaultService(machine.device, machine.rig.scheduler);
      const at = machine.mm.mmap(4 * PAGE_SIZE);
      const before = machine.leftovers;
      const made = ibRegOdpMr(machine.pd, machine.mm, at, 4 * PAGE_SIZE, at, ACCESS, faults);
      const reg = outcomeValue(machine.do(made));
      machine[kind].failAfter = allowed;
      const fault = new RdmaPageFault(reg.mr.entry, { iova: at, bytes: 4 * PAGE_SIZE, write: true });
      machine.device.nic.onPageFault?.(fault);
      machine.rig.scheduler.run();
      expect(reg.umem.umemMutex.locked).toBe(false);
      expect(reg.umem.npages).toBe(machine.domain.table.liveLeafEntries);
      if (fault.answer === 'failed') failures += 1;
      else expect(reg.umem.npages).toBe(4);
      expect(machine.do(ibDeregOdpMr(reg, faults))).toBe(0);
      expect(machine.leftovers).toEqual(before);
      machine.do(vmMunmap(machine.mm, at, 4 * PAGE_SIZE));
      expect(machine.pages.liveFrames).toBe(0);
    }
  }
  expect(failures).toBeGreaterThan(4);
});

/** Looks, maps what is there and gives the mutex back: entries in the range, entries mapped. */
function* locked(
  umem: Parameters<typeof ibUmemOdpMapDmaAndLock>[0],
  at: number,
  bytes: number,
  write: boolean,
  fault: boolean,
) {
  const count = yield* ibUmemOdpMapDmaAndLock(umem, at, bytes, write, fault);
  let mapped = 0;
  for (let idx = 0; idx < count; idx += 1) {
    const entry = mapOdpEntry(umem, idx);
    if (entry !== null && typeof entry !== 'number') mapped += 1;
  }
  umem.umemMutex.unlock();
  return [count, mapped];
}

it('a fault that is being served when the region goes leaves nothing mapped behind', () => {
  let served = 0;
  for (let seed = 1; seed <= 40; seed += 1) {
    const machine = new UmemMachine({ iommu: true, seed });
    const faults = new PageFaultService(machine.device, machine.rig.scheduler);
    const at = machine.mm.mmap(4 * PAGE_SIZE);
    const before = machine.leftovers;
    const made = ibRegOdpMr(machine.pd, machine.mm, at, 4 * PAGE_SIZE, at, ACCESS, faults);
    const reg = outcomeValue(machine.do(made));
    const { scheduler } = machine.rig;
    for (let page = 0; page < 4; page += 1) {
      const wanted = { iova: at + page * PAGE_SIZE, bytes: PAGE_SIZE, write: true };
      machine.device.nic.onPageFault?.(new RdmaPageFault(reg.mr.entry, wanted));
    }
    let error = -1;
    scheduler.spawn('deregister', deregister());
    scheduler.run();
    expect(error).toBe(0);
    expect(machine.leftovers).toEqual(before);
    expect(reg.umem.npages).toBe(0);
    served += faults.served;
    function* deregister() {
      error = yield* ibDeregOdpMr(reg, faults);
    }
  }
  expect(served).toBe(160);
});

it('a change that may not sleep is refused, and nothing is taken away', () => {
  const { machine, at, bytes, reg } = onDemand(true);
  machine.do(locked(reg.umem, at, bytes, true, true));
  const mapped = [reg.umem.npages, machine.domain.table.liveLeafEntries, machine.mm.ptes.size];
  expect(machine.do(zapPageRange(machine.mm, at, bytes, false))).toBe(-Errno.EAGAIN);
  expect([reg.umem.npages, machine.domain.table.liveLeafEntries, machine.mm.ptes.size]).toEqual(mapped);
  expect(reg.umem.umemMutex.locked).toBe(false);
  expect(machine.do(zapPageRange(machine.mm, at, bytes))).toBe(0);
  expect([reg.umem.npages, machine.domain.table.liveLeafEntries, machine.mm.ptes.size]).toEqual([0, 0, 0]);
});

it.each([true, false])(
  'pages that go are dirty if the device could write them (%s), the others stay',
  (writable) => {
    const machine = new UmemMachine();
    const { mm } = machine;
    const faults = new PageFaultService(machine.device, machine.rig.scheduler);
    const at = mm.mmap(3 * PAGE_SIZE, { writable });
    const made = ibRegOdpMr(machine.pd, mm, at, 3 * PAGE_SIZE, at, ACCESS, faults);
    const reg = outcomeValue(machine.do(made));
    expect(machine.do(locked(reg.umem, at, 3 * PAGE_SIZE, writable, true))).toEqual([3, 3]);
    const folios = [0, 1, 2].map((page) => mm.ptes.get(at / PAGE_SIZE + page)?.folio);
    const dirty = (): unknown[] => folios.map((folio) => folio?.dirty);
    expect(dirty()).toEqual([false, false, false]);
    machine.do(zapPageRange(mm, at + PAGE_SIZE, PAGE_SIZE));
    expect(dirty()).toEqual([false, writable, false]);
    expect(machine.do(ibDeregOdpMr(reg, faults))).toBe(0);
    expect(dirty()).toEqual([writable, writable, writable]);
  },
);
