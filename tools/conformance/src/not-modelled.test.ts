import { expect, test } from 'vitest';
import { chooseSuite } from './choose-suite.ts';
import type { JsonRecord, Suite } from './suite.ts';

const anySuite: Suite = {
  name: 'any',
  accepts: () => true,
  open: () => ({ replay: () => [] }),
  kindOf: () => 'x',
  outputs: { x: [] },
};

function chosen(header: JsonRecord): string {
  const choice = chooseSuite([anySuite], header);
  return choice.kind === 'skip' ? choice.entry.name : 'replayed';
}

const vtd = { pgsize_bitmap: '0x40201000', untrusted: 0, domain_type: 3 };
const amd = { pgsize_bitmap: '0x7f7ffffff000', untrusted: 0, domain_type: 3 };

test.each([
  ['replayed', { suite: 'map', ...vtd }],
  ['replayed', { suite: 'map', untrusted: 0, domain_type: null }],
  ['replayed', { suite: 'map', ...vtd, pgsize_bitmap: '0x201000' }],
  ['replayed', { suite: 'dma_iova', ...vtd }],
  ['replayed', { suite: 'map', ...vtd, untrusted: 1 }],
  ['replayed', { suite: 'dma_iova', ...amd, untrusted: 1 }],
  ['replayed', { suite: 'map', ...vtd, domain_type: 11 }],
  ['replayed', { suite: 'dma_iova', ...vtd, domain_type: 11 }],
  ['replayed', { suite: 'hwdom', type: 1, pgsize_bitmap: '0x7f7ffffff000' }],
  ['replayed', { suite: 'map', ...amd }],
  ['replayed', { suite: 'dma_iova', ...amd }],
  ['replayed', { suite: 'pgtable', cmd: 'pgtable fmt=amdv1 vasz=48' }],
  ['pgtable/riscv', { suite: 'pgtable', cmd: 'pgtable fmt=riscv vasz=39 feat=0xd8' }],
  ['replayed', { suite: 'pgtable', cmd: 'pgtable fmt=vtdss note=riscv' }],
  ['replayed', { suite: 'fq', domain_type: 11 }],
  ['replayed', { suite: 'swiotlb' }],
  ['replayed', { suite: 'p2p' }],
  ['replayed', { suite: 'p2p_sg' }],
  ['replayed', { suite: 'phys_vec' }],
  ['replayed', { suite: 'iommufd' }],
  ['replayed', { suite: 'vfio_dmabuf' }],
  ['p2pio', { k: 0, op: 'read', pos: 0, iov: [{ p2p: 1, off: 0, len: 512 }], ret: 512, errno: 0 }],
])('%s: %j', (name, header) => {
  expect(chosen(header)).toBe(name);
});

test('what looks only a little like a request list is not skipped', () => {
  const request = { k: 0, op: 'write', pos: 0, iov: [{ p2p: 1, off: 0, len: 512 }] };
  for (const line of [
    { ...request, op: 'trim' },
    { ...request, iov: 7 },
    { k: 0, op: 'write', iov: request.iov },
    { ...request, total: 512, iov: [[512, []]] },
  ]) {
    expect(() => chosen(line)).toThrow(expect.objectContaining({ code: 'broken-header' }));
  }
});
