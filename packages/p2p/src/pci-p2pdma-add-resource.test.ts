// The page layer: checks in their order, pages registered and withdrawn, blocks handed out, and every allocation failing.

import { addOffset, byteDistance, frameOf, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { BAR_BYTES, PeerTree } from '../test/peer-tree.ts';
import { pciAllocP2pmem, pciFreeP2pmem, pciP2pmemVirtToBus } from './p2pmem.ts';
import { pciP2pdmaAddResource, structPageBytes } from './pci-p2pdma-add-resource.ts';
import { pcimP2pdmaInit, pcimP2pdmaProvider } from './pcim-p2pdma.ts';
import { releaseP2pdma } from './release-p2pdma.ts';

const rules = ({ log }: PeerTree): unknown[] => log.events.map(({ rule }) => rule);

describe('registering', () => {
  it.each([
    ['a BAR that is not there', 1, 0, 0],
    ['an offset at the end of the BAR', 0, 0, BAR_BYTES],
    ['a size beyond the BAR', 0, BAR_BYTES, PAGE_SIZE],
  ])('%s: -EINVAL before anything is made', (_, bar, size, offset) => {
    const tree = new PeerTree();
    expect(pciP2pdmaAddResource(tree.dev('A'), bar, size, offset)).toBe(-Errno.EINVAL);
    expect(tree.dev('A').p2pdma).toBeNull();
  });

  it('what must not be mapped: -EOPNOTSUPP, and there is no provider', () => {
    const tree = new PeerTree();
    const pdev = tree.dev('A');
    pdev.nonMappableBars = true;
    expect(pciP2pdmaAddResource(pdev, 0, 0, 0)).toBe(-Errno.EOPNOTSUPP);
    expect(pciP2pdmaAddResource(pdev, 1, 0, 0)).toBe(-Errno.EINVAL);
    expect(pcimP2pdmaProvider(pdev, 0)).toBeNull();
    expect(rules(tree)).toEqual([]);
  });

  it('parts of a page: -EINVAL with the providers made', () => {
    const tree = new PeerTree();
    expect(pciP2pdmaAddResource(tree.dev('A'), 0, 100, 0)).toBe(-Errno.EINVAL);
    expect(pciP2pdmaAddResource(tree.dev('A'), 0, PAGE_SIZE, 100)).toBe(-Errno.EINVAL);
    expect(tree.dev('A').p2pdma?.pool?.size).toBe(0);
  });

  it('pages twice: -ENOMEM, and the first registration stays', () => {
    const tree = new PeerTree();
    expect(pciP2pdmaAddResource(tree.dev('A'), 0, 0x8000, 0)).toBe(0);
    expect(pciP2pdmaAddResource(tree.dev('A'), 0, 0x8000, 0x7000)).toBe(-Errno.ENOMEM);
    expect(rules(tree)).toEqual(['p2p-pages-conflict']);
    expect(pciP2pdmaAddResource(tree.dev('A'), 0, 0x8000, 0x8000)).toBe(0);
    expect(tree.dev('A').p2pdma?.pool?.size).toBe(0x10000);
  });

  it('size 0 takes the rest of the BAR; each page costs 64 bytes', () => {
    const tree = new PeerTree();
    const pdev = tree.dev('B');
    expect(structPageBytes(pdev)).toBe(0);
    expect(pciP2pdmaAddResource(pdev, 0, 0, PAGE_SIZE)).toBe(0);
    const start = frameOf(tree.fabric.barPhys(tree.fn('B'), 0));
    const last = start + BAR_BYTES / PAGE_SIZE - 1;
    const seen = [start, start + 1, last, last + 1].map((frame) => tree.frames.pagemapOf(frame)?.kind);
    expect(seen).toEqual([undefined, 'pci-p2pdma', 'pci-p2pdma', undefined]);
    expect(structPageBytes(pdev)).toBe((BAR_BYTES / PAGE_SIZE - 1) * 64);
  });

  it('leaves nothing behind, whichever allocation fails', () => {
    for (let allowed = 0; ; allowed += 1) {
      const tree = new PeerTree();
      let left = allowed;
      tree.platform.allocate = () => left-- > 0;
      const result = pciP2pdmaAddResource(tree.dev('A'), 0, 0, 0);
      const frame = frameOf(tree.fabric.barPhys(tree.fn('A'), 0));
      if (result === 0) {
        expect(allowed).toBe(4);
        break;
      }
      expect(result).toBe(-Errno.ENOMEM);
      expect(tree.frames.pagemapOf(frame)).toBeUndefined();
      tree.platform.allocate = () => true;
      expect(pciP2pdmaAddResource(tree.dev('A'), 0, 0, 0)).toBe(0);
      expect(tree.dev('A').p2pdma?.pool?.available).toBe(BAR_BYTES);
    }
  });
});

describe('providers', () => {
  it('are one per memory BAR, whoever asks', () => {
    const tree = new PeerTree();
    const pdev = tree.dev('A');
    expect(pcimP2pdmaProvider(pdev, 0)).toBeNull();
    expect(rules(tree)).toEqual(['p2p-not-initialised']);
    expect([pcimP2pdmaInit(pdev), pcimP2pdmaInit(pdev)]).toEqual([0, 0]);
    const provider = pcimP2pdmaProvider(pdev, 0);
    expect(provider).toMatchObject({ owner: pdev, bar: 0, busOffset: 0 });
    expect(pciP2pdmaAddResource(pdev, 0, 0, 0)).toBe(0);
    expect(pcimP2pdmaProvider(pdev, 0)).toBe(provider);
    expect(pcimP2pdmaProvider(pdev, 1)).toBeNull();
  });
});

describe('blocks', () => {
  it('are the lowest free pages of the newest registration that has room', () => {
    const tree = new PeerTree();
    const pdev = tree.dev('A');
    expect(pciAllocP2pmem(pdev, PAGE_SIZE)).toBeNull();
    pciP2pdmaAddResource(pdev, 0, 0x8000, 0);
    pciP2pdmaAddResource(pdev, 0, 0x4000, 0x8000);
    const start = tree.fabric.barPhys(tree.fn('A'), 0);
    const taken = [1, PAGE_SIZE + 1, 2 * PAGE_SIZE, 6 * PAGE_SIZE, PAGE_SIZE].map((size) =>
      pciAllocP2pmem(pdev, size),
    );
    expect(taken.map((at) => (at === null ? null : byteDistance(start, at)))).toEqual([
      0x8000, 0x9000, 0, 0x2000, 0xb000,
    ]);
    expect(pciAllocP2pmem(pdev, PAGE_SIZE)).toBeNull();
    expect(pciAllocP2pmem(pdev, 0)).toBeNull();
    for (const [at, size] of [
      [0x2000, 6],
      [0x8000, 1],
      [0xb000, 1],
      [0x9000, 2],
      [0, 2],
    ] as const) {
      pciFreeP2pmem(pdev, addOffset(start, at), size * PAGE_SIZE);
    }
    expect(pdev.p2pdma?.pool?.available).toBe(0xc000);
    expect(pciAllocP2pmem(pdev, 0x8000)).toBe(start);
  });

  it('of someone else, or free already, cannot be given back', () => {
    const tree = new PeerTree();
    const pdev = tree.dev('A');
    pciP2pdmaAddResource(pdev, 0, 0x8000, 0);
    const block = pciAllocP2pmem(pdev, 0x2000);
    if (block === null) throw new RangeError('no block');
    const foreign = tree.fabric.barPhys(tree.fn('B'), 0);
    expect(() => pciFreeP2pmem(pdev, foreign, PAGE_SIZE)).toThrow(
      expect.objectContaining({ rule: 'p2p-free-of-foreign' }),
    );
    expect(() => pciFreeP2pmem(pdev, block, 0x3000)).toThrow(
      expect.objectContaining({ rule: 'p2p-free-of-free' }),
    );
    pciFreeP2pmem(pdev, block, 0x2000);
    expect(() => pciFreeP2pmem(pdev, block, 0x1000)).toThrow(
      expect.objectContaining({ rule: 'p2p-free-of-free' }),
    );
    expect([pciP2pmemVirtToBus(pdev, null), pciP2pmemVirtToBus(pdev, foreign)]).toEqual([0, -1]);
    expect(pciP2pmemVirtToBus(tree.dev('B'), foreign)).toBe(0);
  });

  it('keep the driver of the owner waiting', () => {
    const tree = new PeerTree();
    const pdev = tree.dev('A');
    pciP2pdmaAddResource(pdev, 0, 0, 0);
    const block = pciAllocP2pmem(pdev, PAGE_SIZE);
    if (block === null) throw new RangeError('no block');
    expect(releaseP2pdma(pdev)).toBe(false);
    expect(pciAllocP2pmem(pdev, PAGE_SIZE)).toBeNull();
    expect(pdev.p2pdma?.pool?.available).toBe(BAR_BYTES - PAGE_SIZE);
    expect(tree.frames.pagemapOf(frameOf(block))).toBeDefined();
    pciFreeP2pmem(pdev, block, PAGE_SIZE);
    expect(releaseP2pdma(pdev)).toBe(true);
    expect(tree.frames.pagemapOf(frameOf(block))).toBeUndefined();
    expect(pdev.p2pdma).toBeNull();
  });
});
