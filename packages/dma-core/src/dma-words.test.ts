// The words of the DMA layer: how directions and attributes print, and what limits and peer pages come to.

import { PhysicalMemory } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import {
  attrsTraceName,
  DmaPlatform,
  directionTraceName,
  dmaBitMask,
  lastGranuleUnder,
  minNotZero,
  P2pdmaMapState,
  type P2pMapType,
  pciDevice,
  pciP2pdmaState,
} from './index.ts';

it('attributes print in the order of their bits, nothing as nothing', () => {
  expect(attrsTraceName({})).toBe('');
  expect(attrsTraceName({ requireCoherent: true, weakOrdering: true, noWarn: false })).toBe(
    'WEAK_ORDERING|REQUIRE_COHERENT',
  );
});

it('directions print as the kernel writes them', () => {
  expect((['bidirectional', 'to-device', 'from-device', 'none'] as const).map(directionTraceName)).toEqual([
    'BIDIRECTIONAL',
    'TO_DEVICE',
    'FROM_DEVICE',
    'NONE',
  ]);
});

it.each([
  [dmaBitMask(32), 4096, 0xfffff],
  [0xfff, 4096, 0],
  [0x1000, 4096, 1],
  [dmaBitMask(53), 4096, 2 ** 41 - 1],
  [dmaBitMask(64), 4096, 2 ** 52 - 1],
  [dmaBitMask(54), 1024, 2 ** 44 - 1],
])('the last granule under %d in units of %d is %d', (limit, granule, last) => {
  expect(lastGranuleUnder(limit, granule)).toBe(last);
});

it('zero is no limit', () => {
  expect([minNotZero(0, 0), minNotZero(0, 5), minNotZero(5, 0), minNotZero(7, 5)]).toEqual([0, 5, 5, 5]);
});

it('a peer page is classified once per provider', () => {
  const memory = new PhysicalMemory();
  const asked: string[] = [];
  const platform = new DmaPlatform({ memory });
  const dev = pciDevice({ name: 'client', platform });
  const state = new P2pdmaMapState();
  platform.frames.addZoneDevice('pci-p2pdma', 100, 4);
  expect(pciP2pdmaState(state, dev, 5)).toBe<P2pMapType>('none');
  expect(pciP2pdmaState(state, dev, 100)).toBe<P2pMapType>('not-supported');
  platform.p2p = {
    mapType: (_pagemap, client) => {
      asked.push(client.name);
      return 'bus-addr';
    },
    busAddress: () => {
      throw new Error('not asked');
    },
  };
  const fresh = new P2pdmaMapState();
  expect([100, 103, 5, 101].map((frame) => pciP2pdmaState(fresh, dev, frame))).toEqual([
    'bus-addr',
    'bus-addr',
    'none',
    'bus-addr',
  ]);
  expect(asked).toEqual(['client']);
});
