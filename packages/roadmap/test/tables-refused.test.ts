// Stage 8 end to end: RDMA as each earlier stage imports, at a VFIO exporter that has no tables any more: whoever takes tables and nothing else
// is refused when it attaches, whoever takes range lists gets its bytes.
import { sgtFallback, sgtRangeSource } from '@sgfree/dma-buf/sgt';
import { physAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { sgtImport } from '@sgfree/rdma/stage-3';
import { rangeImport as importOfStage4 } from '@sgfree/rdma/stage-4';
import { rangeListImport as importOfStage6, rangeImport } from '@sgfree/rdma/stage-6';
import { type DmabufRequest, ibDeregDmabufMr, ibRegDmabufMr, rangeListImport } from '@sgfree/rdma/stage-8';
import { vfioMappingTypes } from '@sgfree/vfio-dmabuf/stage-8';
import { expect, it } from 'vitest';
import { goodValue, PEER_MEMORY, SHARED_ACCESS, SharedBarMachine } from './shared-bar-machine.ts';

const RANGES = [{ offset: 0x3000, length: 0x4000 }];
const IOVA = 0x7000_0000;
const SIZE = 0x4000;

function rig() {
  const machine = new SharedBarMachine({ iommu: true, mapping: vfioMappingTypes() });
  const fd = machine.export(RANGES);
  const open = <M>(via: DmabufRequest<M>['via']) => {
    const request = { platform: machine.platform, fd, offset: 0, size: SIZE, access: SHARED_ACCESS, via };
    return machine.run(ibRegDmabufMr(machine.far.pd, request, IOVA, machine.far.faults));
  };
  /** A region that must come about: its key, and how it goes. */
  const region = <M>(via: DmabufRequest<M>['via']) => {
    const made = goodValue(open(via));
    return { rkey: made.mr.rkey, close: () => machine.run(ibDeregDmabufMr(made)) };
  };
  return { machine, open, region };
}

const refused = { ok: false, errno: Errno.EINVAL };
it.each([
  ['the table of stage 3', ({ open }: ReturnType<typeof rig>) => open(sgtImport)],
  ['the source of tables of stage 4', ({ open }) => open(importOfStage4(sgtRangeSource))],
  ['the deprecated source of tables', ({ open }) => open(rangeImport(sgtRangeSource))],
])('%s is refused, and nothing is attached', (_, asked) => {
  const all = rig();
  const before = all.machine.leftovers;
  expect(asked(all)).toEqual(refused);
  expect(all.machine.vdev.dmabufs.map(({ dmabuf }) => dmabuf.attachments.length)).toEqual([0]);
  expect([all.machine.leftovers, all.machine.rules()]).toEqual([before, []]);
});

it.each([
  ['of stage 8', ({ region }: ReturnType<typeof rig>) => region(rangeListImport())],
  ['of stage 6, whose fallback is not needed', ({ region }) => region(importOfStage6(sgtFallback))],
])('range lists %s are imported, and the peer’s bytes arrive', (_, opened) => {
  const all = rig();
  const region = opened(all);
  const sent = Uint8Array.from({ length: SIZE }, (_, i) => (i * 7 + Math.floor(i / 256)) % 251);
  all.machine.memory.write(physAddr(PEER_MEMORY.source), sent);
  const key = { rkey: region.rkey, at: IOVA, bytes: SIZE, localAt: PEER_MEMORY.source };
  all.machine.post(all.machine.far, 'rdma-write', key);
  expect(all.machine.settle()).toEqual([0]);
  const pages = [3, 4, 5, 6].flatMap((page) => [...all.machine.bar.pageBytes(page)]);
  expect(Uint8Array.from(pages)).toEqual(sent);
  expect(all.machine.log.events.filter(({ kind }) => kind === 'rdma:deprecated-import')).toEqual([]);
  expect(region.close()).toBe(0);
});
