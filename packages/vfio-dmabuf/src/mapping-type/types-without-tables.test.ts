// A VFIO exporter of stage 8: whoever asks for tables is refused when attaching, by every call that ever asked for them; whoever
// lists something else beside gets that, and its bytes arrive.
import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaRangeList,
  dmaBufDetach,
  dmaBufGet,
  dmaBufMappingAttach,
  dmaBufMapRangeList,
  dmaBufPut,
  dmaBufUnmapRangeList,
  dmaResvLock,
  dmaResvUnlock,
  mapTypeOf,
  rangeListImporterMatch,
} from '@sgfree/dma-buf';
import { dmaBufSgtAttach, dmaBufSgtDynamicAttach, sgtImporterMatch } from '@sgfree/dma-buf/sgt';
import {
  dmaBufDynamicAttach as attachOfStage3,
  dmaBufAttach as staticAttachOfStage3,
} from '@sgfree/dma-buf/stage-3';
import { dmaBufAttach, dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import type { SgTable } from '@sgfree/dma-sg';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { featureBytes, VfioMachine } from '../../test/vfio-machine.ts';
import { vfioPciConfigWrite } from '../config/config-write.ts';
import { vfioMappingTypes } from '../stage-8.ts';

const memoryOff = Uint8Array.of(0, 0);
const revocable = { allowPeer2peer: true, *invalidateMappings(): ModelTask<void> {} };

function rig() {
  const machine = new VfioMachine({ mapping: vfioMappingTypes() });
  const got = dmaBufGet<SgTable>(machine.platform, machine.ioctl(featureBytes({ ranges: [[0n, 0x3000n]] })));
  if (!got.ok) throw new Error('no buffer');
  return { machine, dmabuf: got.value, dev: machine.near };
}
type Rig = ReturnType<typeof rig>;

const calls: readonly (readonly [string, (rig: Rig) => ModelTask<unknown>])[] = [
  ['the call of stage 3', ({ dmabuf, dev }) => attachOfStage3(dmabuf, dev, revocable, null)],
  ['the static call of stage 3', ({ dmabuf, dev }) => staticAttachOfStage3(dmabuf, dev)],
  ['the deprecated call', ({ dmabuf, dev }) => dmaBufDynamicAttach(dmabuf, dev, revocable, null)],
  ['the deprecated static call', ({ dmabuf, dev }) => dmaBufAttach(dmabuf, dev)],
  ['the call of tables', ({ dmabuf, dev }) => dmaBufSgtDynamicAttach(dmabuf, dev, revocable, null)],
  ['the static call of tables', ({ dmabuf, dev }) => dmaBufSgtAttach(dmabuf, dev)],
  [
    'an offer of tables and nothing else',
    ({ dmabuf, dev }) => dmaBufMappingAttach(dmabuf, [sgtImporterMatch(dev, true)], revocable, null),
  ],
];

it.each(calls)('%s: nothing in common, -EINVAL, and the exporter is not asked', (_, call) => {
  const all = rig();
  // An exporter that is asked would answer -ENODEV now.
  all.machine.run(vfioPciConfigWrite(all.machine.vdev, 4, memoryOff));
  expect(all.machine.run(call(all))).toEqual(failure(Errno.EINVAL));
  expect([all.dmabuf.attachments.length, all.machine.rules()]).toEqual([0, []]);
});

it('an importer that lists range lists behind tables gets range lists, and its bytes arrive', () => {
  const { machine, dmabuf, dev } = rig();
  const offers = [sgtImporterMatch(dev, true), rangeListImporterMatch(dev, true)];
  const sent = Uint8Array.from({ length: 0x3000 }, (_, i) => (i * 7 + Math.floor(i / 256)) % 251);
  const type = machine.run(
    (function* (): ModelTask<string | undefined> {
      const buffer = dmabuf as DmaBuf<unknown> as DmaBuf<DmaRangeList>;
      const made = yield* dmaBufMappingAttach(buffer, offers, revocable, null);
      if (!made.ok) throw new Error(`errno ${made.errno}`);
      yield* writeThrough(machine, made.value, sent);
      const name = mapTypeOf(made.value)?.type.name;
      yield* dmaBufDetach(buffer, made.value);
      yield* dmaBufPut(buffer);
      return name;
    })(),
  );
  expect(type).toBe('DMA Mapped Range List');
  const arrived = new Uint8Array(sent.length);
  machine.bar.mmioRead(0, arrived);
  expect(arrived).toEqual(sent);
  expect(machine.sgArrays.liveArrays).toBe(0);
});

function* writeThrough(
  machine: VfioMachine,
  attach: DmaBufAttachment<DmaRangeList>,
  sent: Uint8Array,
): ModelTask<void> {
  const { resv } = attach.dmabuf;
  yield* dmaResvLock(resv);
  const list = yield* dmaBufMapRangeList(attach, 'bidirectional');
  if (!list.ok) throw new Error(`errno ${list.errno}`);
  let at = 0;
  for (const { address, bytes } of list.value.ranges()) {
    yield* machine.engines.near.write(address, sent.subarray(at, at + bytes));
    at += bytes;
  }
  yield* dmaBufUnmapRangeList(attach, list.value, 'bidirectional');
  dmaResvUnlock(resv);
}
