// Finding published memory: the nearest for all clients, drawn among equals; and the attribute that drivers offer for it.

import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { type PeerName, PeerTree } from '../test/peer-tree.ts';
import { pciHasP2pmem, pciP2pmemPublish } from './p2pmem.ts';
import { pciP2pdmaEnableShow, pciP2pdmaEnableStore, pciP2pmemFindMany } from './p2pmem-find.ts';
import { pciP2pdmaAddResource } from './pci-p2pdma-add-resource.ts';

function publish(tree: PeerTree, ...names: PeerName[]): void {
  for (const name of names) {
    expect(pciP2pdmaAddResource(tree.dev(name), 0, 0, 0)).toBe(0);
    pciP2pmemPublish(tree.dev(name), true);
  }
}

describe('pci_p2pmem_find_many', () => {
  it('finds nothing unpublished or out of reach', () => {
    const tree = new PeerTree();
    expect(pciP2pmemFindMany(tree.platform, [tree.dev('A')])).toBeNull();
    publish(tree, 'C');
    expect(pciP2pmemFindMany(tree.platform, [tree.dev('A')])).toBeNull();
    pciP2pmemPublish(tree.dev('B'), true);
    expect(pciHasP2pmem(tree.dev('B'))).toBe(false);
    expect(pciP2pmemFindMany(tree.platform, [])).toBeNull();
  });

  it('takes the nearest to all clients together', () => {
    const tree = new PeerTree();
    publish(tree, 'D', 'B', 'A1');
    expect(pciP2pmemFindMany(tree.platform, [tree.dev('A')])).toBe(tree.dev('A1'));
    expect(pciP2pmemFindMany(tree.platform, [tree.dev('B'), tree.dev('D')])).toBe(tree.dev('B'));
    expect(pciP2pmemFindMany(tree.platform, [tree.dev('A'), tree.dev('C')])).toBeNull();
    pciP2pmemPublish(tree.dev('A1'), false);
    expect(pciP2pmemFindMany(tree.platform, [tree.dev('A')])).toBe(tree.dev('B'));
  });

  it('draws among equals only', () => {
    const drawn: number[] = [];
    const choose = (count: number): number => {
      drawn.push(count);
      return count - 1;
    };
    const tree = new PeerTree({ choose });
    publish(tree, 'A', 'A1', 'D');
    expect(pciP2pmemFindMany(tree.platform, [tree.dev('B')])).toBe(tree.dev('A1'));
    expect(pciP2pmemFindMany(tree.platform, [tree.dev('D')])).toBe(tree.dev('D'));
    expect(drawn).toEqual([2]);
    tree.platform.allocate = () => false;
    expect(pciP2pmemFindMany(tree.platform, [tree.dev('B')])).toBeNull();
  });
});

describe('the attribute of a driver', () => {
  it.each([
    ['0', false],
    ['1\n', true],
    ['on', true],
    ['off\n', false],
    ['Yes', true],
    ['no', false],
  ])('reads %j as a boolean', (text, useP2pdma) => {
    const { platform } = new PeerTree();
    expect(pciP2pdmaEnableStore(platform, text)).toEqual({ ok: true, value: { useP2pdma, p2pDev: null } });
  });

  it.each(['', 'maybe', '0000:77:00.0', '10', '0x'])('refuses %j', (text) => {
    expect(pciP2pdmaEnableStore(new PeerTree().platform, text)).toEqual({ ok: false, errno: Errno.ENODEV });
  });

  it('takes the name of a function with published memory, and shows it', () => {
    const tree = new PeerTree();
    const pdev = tree.dev('B');
    expect(pciP2pdmaEnableStore(tree.platform, `${pdev.name}\n`)).toEqual({ ok: false, errno: Errno.ENODEV });
    publish(tree, 'B');
    const stored = pciP2pdmaEnableStore(tree.platform, `${pdev.name}\n`);
    expect(stored).toEqual({ ok: true, value: { useP2pdma: true, p2pDev: pdev } });
    const shown = [
      [pdev, true],
      [null, true],
      [pdev, false],
    ] as const;
    expect(shown.map(([dev, use]) => pciP2pdmaEnableShow(dev, use))).toEqual([
      `${pdev.name}\n`,
      '1\n',
      '0\n',
    ]);
  });
});
