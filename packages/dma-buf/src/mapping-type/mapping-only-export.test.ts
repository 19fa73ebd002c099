// Exporting at stage 8: what has no kind of mapping is refused, and so is the old pair, alone or beside one.
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { goodValue, MappingRig } from '../../test/mapping-rig.ts';
import { dmaBufMappingExport as exportOfStage6 } from '../stage-6.ts';
import { dmaBufMappingExport, dmaBufMatchMapping, rangeListExporterMatch } from '../stage-8.ts';

const release = { *release(): ModelTask<void> {} };

it('an exporter of range lists is exported, by either of the two members', () => {
  const rig = new MappingRig({ iommu: false });
  const offer = rangeListExporterMatch(rig.ranges, rig.machine.pdev);
  const info = { expName: 'peer', size: rig.size, priv: rig };
  const ways = [
    { ...release, singleExporterMatch: offer },
    {
      ...release,
      *matchMapping(args: Parameters<typeof dmaBufMatchMapping>[0]): ModelTask<number> {
        yield { at: 'exporter:match' };
        return dmaBufMatchMapping(args, [offer]);
      },
    },
  ];
  for (const ops of ways) goodValue(dmaBufMappingExport(rig.platform, { ...info, ops }));
  expect([rig.platform.buffers.size, rig.rules()]).toEqual([2, []]);
});

it('the pair that stage 6 still takes is refused', () => {
  const rig = new MappingRig({ iommu: false });
  const singleExporterMatch = rangeListExporterMatch(rig.ranges, rig.machine.pdev);
  const { mapDmaBuf, unmapDmaBuf } = rig.tables;
  const info = { expName: 'peer', size: rig.size, priv: rig };
  const pair = { ...release, mapDmaBuf, unmapDmaBuf };
  const rows = [
    { ops: pair, rule: 'dma-buf-export-no-mapping-type' },
    { ops: { ...pair, singleExporterMatch }, rule: 'dma-buf-export-contradiction' },
    { ops: release, rule: 'dma-buf-export-no-mapping-type' },
    { ops: null, rule: 'dma-buf-export-no-mapping-type' },
    { ops: { singleExporterMatch }, rule: 'dma-buf-export-incomplete' },
  ];
  for (const { ops, rule } of rows) {
    expect(dmaBufMappingExport(rig.platform, { ...info, ops })).toEqual(failure(Errno.EINVAL));
    expect(rig.rules().at(-1)).toBe(rule);
  }
  expect([rig.platform.buffers.size, rig.rules().length]).toEqual([0, rows.length]);
  goodValue(exportOfStage6(rig.platform, { ...info, ops: pair as never }));
});
