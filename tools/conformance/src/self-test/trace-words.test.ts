import { expect, test } from 'vitest';
import { traceWords, withWordChanged } from './trace-words.ts';

const PREFIX = '              sh-832     [000] .....    18.508338: ';

/** Slots and words of a line. */
const wordsOf = (text: string): string[] =>
  traceWords(PREFIX + text).map(({ slot, word }) => `${slot} = ${word}`);

test('words are named by key or place', () => {
  expect(wordsOf('map: IOMMU: iova=0x00 - 0x1f size=4096')).toEqual([
    'map word 1 = IOMMU:',
    'map iova = 0x00',
    'map word 3 = 0x1f',
    'map size = 4096',
  ]);
  expect(wordsOf('qi_submit: iotlb_inv dmar0: 0x900f2 0x0')).toEqual([
    'qi_submit word 1 = iotlb_inv',
    'qi_submit word 2 = dmar0:',
    'qi_submit word 3 = 0x900f2',
    'qi_submit word 4 = 0x0',
  ]);
});

test('of a list the first, the second, the last and one between have names', () => {
  const slots = traceWords(`${PREFIX}dma_unmap_sg: d dir=X phys_addrs={0x1,0x2,0x3,0x4,0x5} attrs=`);
  expect(slots.map(({ slot }) => slot.slice('dma_unmap_sg '.length))).toEqual([
    'word 1',
    'dir',
    'phys_addrs[first]',
    'phys_addrs[second]',
    'phys_addrs[between]',
    'phys_addrs[between]',
    'phys_addrs[last]',
  ]);
});

test('lines without an event have no words', () => {
  expect(traceWords('# tracer: nop')).toEqual([]);
});

test('a changed word is the only difference', () => {
  const line = `${PREFIX}map: IOMMU: iova=0x00ff size=4096 attrs=MMIO`;
  const changed = traceWords(line).map((word) => withWordChanged(line, word).slice(PREFIX.length));
  expect(changed).toEqual([
    'map: IOMMU:x iova=0x00ff size=4096 attrs=MMIO',
    'map: IOMMU: iova=0x0100 size=4096 attrs=MMIO',
    'map: IOMMU: iova=0x00ff size=4097 attrs=MMIO',
    'map: IOMMU: iova=0x00ff size=4096 attrs=MMIOx',
  ]);
});
