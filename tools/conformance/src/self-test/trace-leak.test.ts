// The proof must find a number of the trace that reaches the model, and let pass what may reach it.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Suite } from '../suite.ts';
import { mapSuite } from '../suites/map.ts';
import { traceNameOf } from '../suites/recorded-trace.ts';
import { openSelfTestFile, type SelfTestFile } from './self-test-file.ts';
import { displacedTrace, findTraceLeak } from './trace-leak.ts';

const NAME = 'kernel/inv/lazy/inv_2.jsonl';
const path = fileURLToPath(new URL(`../../../../vectors/${NAME}`, import.meta.url));

function fileOf(suite: Suite): SelfTestFile {
  const file = openSelfTestFile({ path, name: NAME }, [suite]);
  if (file === null) throw new Error('the file is skipped');
  return file;
}

/** Checks the third record against what the fed trace says of the first mapping. */
const leaky: Suite = {
  ...mapSuite,
  open: (header, context) => {
    const replayer = mapSuite.open(header, context);
    const name = context === undefined ? '' : traceNameOf(context);
    const firstIova = (text: string | null | undefined): string =>
      / map: IOMMU: iova=(\S+)/.exec(text ?? '')?.[1] ?? '';
    const expected = firstIova(context?.readSibling(name));
    const got = firstIova(context?.readInput(name));
    return {
      replay: (record) => [
        ...replayer.replay(record),
        ...(record['op'] === 'map_phys' && got !== expected ? [{ field: 'iova', expected, got }] : []),
      ],
    };
  },
};

test('the flush timer of a lazy file is fed with positions only', () => {
  expect(findTraceLeak(fileOf(mapSuite))).toBeNull();
});

test('a model that knows a recorded address is found out', () => {
  expect(findTraceLeak(fileOf(leaky))).toEqual({
    suite: 'map',
    kind: 'map_phys',
    file: NAME,
    line: 3,
    field: 'inv_2_trace.txt: iova',
    first: '0x00000000ffff0000',
    second: '0x00000000ffff1000',
  });
});

test('all numbers move but those of markers, whole flushes, devices and domains', () => {
  const stamp = '   sh-1     [000] d.s2.    17.260001: ';
  const kept = [
    'tracing_mark_write: nvio k=1 read pos=1 total=2 niov=3 style=4',
    'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 7 [0x0-0xffffffffffffffff] addr 0x0 mask 0x34',
    'qi_submit: iotlb_inv dmar0: 0x700e2 0x0 0x0 0x0',
  ];
  const moved = [
    ['map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096', '0x2000 - 0x3000 paddr=0x6000 size=5096'],
    ['qi_submit: iotlb_inv dmar0: 0x700f2 0x1040 0x0 0x0', 'dmar0: 0x700f2 0x2040 0x1000 0x1000'],
    [
      'dma_unmap_phys: 0000:00:0a.0 dir=TO_DEVICE dma_addr=10 size=9 attrs=',
      '0a.0 dir=TO_DEVICE dma_addr=1010',
    ],
    ['cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 7 [0x0-0xfff] addr', 'did 7 [0x1000-0x1fff] addr'],
  ] as const;
  for (const line of kept) expect(displacedTrace(stamp + line)).toBe(stamp + line);
  const text = displacedTrace(moved.map(([line]) => stamp + line).join('\n')).split('\n');
  for (const [at, [, part]] of moved.entries()) expect(text[at]).toContain(part);
});
