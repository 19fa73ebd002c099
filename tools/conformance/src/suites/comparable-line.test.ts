// What is left out of a line before it is compared.
import { expect, test } from 'vitest';
import { comparableText, domainIdIn } from './comparable-line.ts';

test('hashed pointers and allocation flags stand for any', () => {
  const alloc = 'dma_alloc: 0000:00:08.0 dir=BIDIRECTIONAL dma_addr=fff size=4096';
  const text = `${alloc} virt_addr=00000000a1b2c3d4 flags=GFP_KERNEL|__GFP_ZERO attrs=`;
  expect(comparableText(text, true)).toBe(`${alloc} virt_addr=* flags=* attrs=`);
  const other = 'io_page_fault: IOMMU:x y iova=0x1 flags=0x0001';
  expect(comparableText(other, true)).toBe(other);
  expect(comparableText(other, false)).toBe(other);
});

test('a domain id is left out only where it is not known, and nothing else with it', () => {
  const flush = 'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 7 [0x1000-0x1fff] addr 0x1000 mask 0x0';
  expect(comparableText(flush, true)).toBe(flush);
  expect(comparableText(flush, false)).toBe(flush.replace('did 7', 'did *'));
  const command = 'qi_submit: p_iotlb_inv dmar0: 0x300000700f6 0x1040 0x0 0x0';
  expect(comparableText(command, true)).toBe(command);
  expect(comparableText(command, false)).toBe(
    'qi_submit: p_iotlb_inv dmar0: 0x00000300****00f6 0x1040 0x0 0x0',
  );
  const device = 'qi_submit: dev_tlb_inv dmar0: 0x4000000003 0x1001 0x0 0x0';
  expect(comparableText(device, false)).toBe(device);
});

test('the domain id of a command is in bits 31:16 of its first word', () => {
  expect(domainIdIn('1307f00f2')).toBe(0x307f);
  expect(domainIdIn('f2')).toBe(0);
});
