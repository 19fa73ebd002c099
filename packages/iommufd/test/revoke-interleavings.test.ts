// Taking a buffer back while it is mapped, copied, shown to a new device or unmapped: whatever the order, no page table leads
// to it once it was taken back, the locks are taken in their order, and nothing is left over.
import type { ModelTask } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import {
  type IommufdIoas,
  iommufdTestMockDomain,
  ioptGetPages,
  ioptMapFilePages,
  ioptMapPages,
  ioptUnmapAll,
  u64,
} from '../src/index.ts';
import { CoreMachine, invalidateMappings, READ_WRITE, type TestBuffer } from './core-machine.ts';

const P = 4096;
const AT = u64(0x1000000);
const SEEDS = 300;

function* takeBack(buffer: TestBuffer): ModelTask<void> {
  buffer.state.revoked = true;
  yield* invalidateMappings(buffer.dmabuf);
}

function* mapFile(machine: CoreMachine, ioas: IommufdIoas, fd: number): ModelTask<boolean> {
  const request = { length: u64(4 * P), prot: READ_WRITE, iova: null, accountMode: 'user' } as const;
  return (yield* ioptMapFilePages(machine.process, ioas.iopt, fd, u64(0), request)).ok;
}

function* copyTo(from: IommufdIoas, to: IommufdIoas): ModelTask<boolean> {
  const pages = yield* ioptGetPages(from.iopt, AT, u64(4 * P));
  return pages.ok && (yield* ioptMapPages(to.iopt, pages.value, u64(4 * P), null, READ_WRITE)).ok;
}

/** Leaf entries of every page table. */
function leaves(machine: CoreMachine): number {
  const tables = machine.ctx.objects.objects.filter(({ type }) => type === 'hwpt-paging');
  return tables.reduce(
    (sum, { id }) => sum + (machine.hwpt(id).domain?.domain.table.liveLeafEntries ?? 0),
    0,
  );
}

it('no order of events leaves a way to memory that was taken back', () => {
  let mappedFirst = 0;
  let refused = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const machine = new CoreMachine({}, seed);
    const [one, other] = [machine.ioas(), machine.ioas()];
    machine.attach(one);
    const buffer = machine.buffer(4 * P);
    const early = seed % 2 === 0;
    if (early) machine.run(mapFile(machine, one, buffer.fd));
    const { scheduler, ctx } = machine;
    const map = scheduler.spawn('map', mapFile(machine, one, buffer.fd));
    scheduler.spawn('take back', takeBack(buffer));
    scheduler.spawn('copy', copyTo(one, other));
    scheduler.spawn('attach', iommufdTestMockDomain(ctx, other.id, machine.mock()));
    if (seed % 3 === 0) scheduler.spawn('unmap', ioptUnmapAll(one.iopt));
    expect(scheduler.run().status).toBe('idle');
    if (map.result === true) mappedFirst += 1;
    else refused += 1;
    expect([seed, leaves(machine)]).toEqual([seed, 0]);
    expect(machine.close()).toEqual([0, 0, 0]);
    expect([buffer.dmabuf.attachments.length, buffer.dmabuf.refs]).toEqual([0, 1]);
    expect(machine.rules()).toEqual([]);
    expect(machine.dmaBufs.order.allFree).toBe(true);
  }
  // Both orders were met.
  expect([mappedFirst > 10, refused > 10]).toEqual([true, true]);
});
