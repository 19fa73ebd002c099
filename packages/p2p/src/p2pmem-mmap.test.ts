// Sysfs group p2pmem: what its attributes show, and processes' mappings, which give their pages back one by one.

import { byteDistance, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { BAR_BYTES, PeerTree } from '../test/peer-tree.ts';
import { pciAllocP2pmem, pciP2pmemPublish } from './p2pmem.ts';
import { type P2pmemAttribute, p2pmemShow } from './p2pmem-attributes.ts';
import { type P2pmemMapping, p2pmemAllocMmap } from './p2pmem-mmap.ts';
import type { PciDev } from './pci-dev.ts';
import { pciP2pdmaAddResource } from './pci-p2pdma-add-resource.ts';
import { pcimP2pdmaInit } from './pcim-p2pdma.ts';
import { releaseP2pdma } from './release-p2pdma.ts';

const attributes: P2pmemAttribute[] = ['size', 'available', 'published'];
const shown = (pdev: PciDev) => attributes.map((attribute) => p2pmemShow(pdev, attribute));
const texts = (...values: string[]) => values.map((value) => ({ ok: true, value: `${value}\n` }));
const failed = (errno: number) => ({ ok: false, errno });

function registered(bytes: number): [PeerTree, PciDev] {
  const tree = new PeerTree();
  const pdev = tree.dev('A');
  expect(pciP2pdmaAddResource(pdev, 0, bytes, 0)).toBe(0);
  return [tree, pdev];
}

function mapped(pdev: PciDev, bytes: number): P2pmemMapping {
  const outcome = p2pmemAllocMmap(pdev, bytes, true, 0);
  if (!outcome.ok) throw new RangeError(`errno ${outcome.errno}`);
  return outcome.value;
}

describe('attributes', () => {
  it('are there from the first pool on, and tell size, free bytes and whether it is published', () => {
    const tree = new PeerTree();
    const pdev = tree.dev('A');
    const absent = attributes.map(() => failed(Errno.ENOENT));
    expect(shown(pdev)).toEqual(absent);
    pcimP2pdmaInit(pdev);
    expect(shown(pdev)).toEqual(absent);
    pciP2pdmaAddResource(pdev, 0, 0x8000, 0);
    pciP2pdmaAddResource(pdev, 0, 0x4000, 0x8000);
    expect(shown(pdev)).toEqual(texts('49152', '49152', '0'));
    pciAllocP2pmem(pdev, 1);
    pciP2pmemPublish(pdev, true);
    expect(shown(pdev)).toEqual(texts('49152', '45056', '1'));
  });
});

describe('mapping', () => {
  it.each<[string, number, boolean, number, number]>([
    ['privately', PAGE_SIZE, false, 0, Errno.EINVAL],
    ['from another offset', PAGE_SIZE, true, 1, Errno.EINVAL],
    ['privately more than there is', 2 * BAR_BYTES, false, 0, Errno.EINVAL],
    ['more than there is', 0x9000, true, 0, Errno.ENOMEM],
    ['nothing', 0, true, 0, Errno.ENOMEM],
  ])('%s fails', (_, bytes, isShared, pageOffset, errno) => {
    const [, pdev] = registered(0x8000);
    expect(p2pmemAllocMmap(pdev, bytes, isShared, pageOffset)).toEqual(failed(errno));
    expect(pdev.p2pdma?.pool?.available).toBe(0x8000);
  });

  it('fails without a pool, and while the owner is on its way out: -ENODEV', () => {
    const bare = new PeerTree().dev('A');
    expect(p2pmemAllocMmap(bare, PAGE_SIZE, true, 0)).toEqual(failed(Errno.ENODEV));
    const [, pdev] = registered(0x8000);
    pciAllocP2pmem(pdev, PAGE_SIZE);
    expect(releaseP2pdma(pdev)).toBe(false);
    expect(p2pmemAllocMmap(pdev, PAGE_SIZE, true, 0)).toEqual(failed(Errno.ENODEV));
    expect(p2pmemAllocMmap(pdev, 0x9000, true, 0)).toEqual(failed(Errno.ENOMEM));
    expect(pdev.p2pdma?.pool?.available).toBe(0x7000);
  });

  it('takes whole pages; each returns with its last reference', () => {
    const [tree, pdev] = registered(0x8000);
    const mapping = mapped(pdev, 0x2001);
    const chunk = pdev.p2pdma?.pool?.chunks[0];
    expect([mapping.pages, byteDistance(tree.fabric.barPhys(tree.fn('A'), 0), mapping.start)]).toEqual([
      3, 0,
    ]);
    expect([chunk?.available, chunk?.liveBlocks]).toEqual([0x5000, 3]);
    expect(mapping.pin(1)).toBe(true);
    mapping.unmap();
    mapping.unmap();
    expect([chunk?.available, chunk?.liveBlocks]).toEqual([0x7000, 1]);
    expect([mapping.pin(0), mapping.pin(1)]).toEqual([false, false]);
    mapping.unpin(1);
    expect([chunk?.available, chunk?.liveBlocks]).toEqual([0x8000, 0]);
    expect(() => mapping.unpin(1)).toThrow(expect.objectContaining({ rule: 'p2p-unpin-of-unpinned' }));
  });

  it('does not keep the driver of the owner, but a pinned page does', () => {
    const [, pdev] = registered(0x8000);
    mapped(pdev, 0x2000);
    const pinned = mapped(pdev, 0x2000);
    pinned.pin(0);
    expect(() => pinned.unpin(1)).toThrow(expect.objectContaining({ rule: 'p2p-unpin-of-unpinned' }));
    expect(releaseP2pdma(pdev)).toBe(false);
    expect([pdev.p2pdma?.pool?.available, pdev.p2pdma?.mappings.size]).toEqual([0x7000, 0]);
    pinned.unpin(0);
    expect(releaseP2pdma(pdev)).toBe(true);
    expect(shown(pdev)[0]).toEqual(failed(Errno.ENOENT));
  });
});
