// What Linux does with on-demand memory that it had better not, each with the harm it does.
import { frameOf, PAGE_SIZE } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { UmemMachine } from '../../test/umem-machine.ts';
import { outcomeValue } from '../../test/verbs-rig.ts';
import { IbAccess } from '../verbs/ib-access.ts';
import { PageFaultService } from './page-fault-service.ts';
import { ibDeregOdpMr, ibRegOdpMr } from './reg-odp-mr.ts';
import { ibUmemOdpMapDmaAndLock, mapOdpEntry, type UmemOdpQuirks } from './umem-odp.ts';

const ACCESS = IbAccess.LOCAL_WRITE | IbAccess.REMOTE_WRITE | IbAccess.ON_DEMAND;
const HUGE_BYTES = 512 * PAGE_SIZE;

function faultedIn(quirks: UmemOdpQuirks, huge: boolean) {
  const machine = new UmemMachine();
  const faults = new PageFaultService(machine.device, machine.rig.scheduler);
  const bytes = huge ? 2 * HUGE_BYTES : 4 * PAGE_SIZE;
  const at = machine.mm.mmap(bytes, { huge });
  const access = huge ? ACCESS | IbAccess.HUGETLB : ACCESS;
  const reg = outcomeValue(
    machine.do(ibRegOdpMr(machine.pd, machine.mm, at, bytes, at, access, faults, quirks)),
  );
  const again = (): number =>
    machine.do(
      (function* () {
        const count = yield* ibUmemOdpMapDmaAndLock(reg.umem, at, bytes, true, true);
        for (let entry = 0; entry < count; entry += 1) mapOdpEntry(reg.umem, entry);
        reg.umem.umemMutex.unlock();
        return count;
      })(),
    );
  return { machine, faults, reg, again };
}

it.each([
  [{}, 8],
  [{ odpCountDrift: false }, 4],
] as const)('odp-count-drift: %j counts %i pages of 4 that fault twice', (quirks, pages) => {
  const { machine, faults, reg, again } = faultedIn(quirks, false);
  expect([again(), again()]).toEqual([4, 4]);
  expect(reg.umem.npages).toBe(pages);
  expect(machine.do(ibDeregOdpMr(reg, faults))).toBe(0);
  expect(reg.umem.npages).toBe(pages - 4);
});

it.each([
  [{}, 512],
  [{ odpHugetlbIndex: true }, 1],
] as const)(
  'odp-hugetlb-index: %j gives the second huge page %i frames behind the first',
  (quirks, frames) => {
    const { machine, faults, reg, again } = faultedIn(quirks, true);
    expect(again()).toBe(2);
    const [first, second] = [...reg.umem.dmaRanges()].map(({ address }) => frameOf(address));
    expect((second ?? 0) - (first ?? 0)).toBe(frames);
    expect(machine.do(ibDeregOdpMr(reg, faults))).toBe(0);
  },
);
