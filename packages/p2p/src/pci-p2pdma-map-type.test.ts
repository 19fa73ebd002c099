// Map types on a live fabric: what is remembered, what refreshes it, who is a client at all, and what the log says.

import {
  ACS,
  addOffset,
  BarMemory,
  Clock,
  frameOf,
  PciFabric,
  type PciFunction,
  PhysicalMemory,
  physAddr,
} from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { type PeerName, PeerTree } from '../test/peer-tree.ts';
import type { P2pClient } from './p2p-client.ts';
import { P2pPlatform } from './p2p-platform.ts';
import { PageRoutes } from './page-routes.ts';
import type { P2pdmaProvider } from './pci-p2pdma.ts';
import { pciP2pdmaAddResource } from './pci-p2pdma-add-resource.ts';
import { pciP2pdmaDistance, pciP2pdmaDistanceMany } from './pci-p2pdma-distance.ts';
import { pciP2pdmaMapType } from './pci-p2pdma-map-type.ts';
import { pcimP2pdmaInit, pcimP2pdmaProvider } from './pcim-p2pdma.ts';
import { releaseP2pdma } from './release-p2pdma.ts';

function providerOf(tree: PeerTree, name: PeerName): P2pdmaProvider {
  pcimP2pdmaInit(tree.dev(name));
  return pcimP2pdmaProvider(tree.dev(name), 0) as P2pdmaProvider;
}

const kinds = (tree: PeerTree): string[] => tree.log.events.map(({ kind }) => kind);
const platformDevice: P2pClient = { name: 'misc', isPci: false, requesterId: 0 };

describe('what is remembered', () => {
  it('outlives a change of ACS until a distance is asked for', () => {
    const tree = new PeerTree();
    const provider = providerOf(tree, 'B');
    const client = tree.dev('A');
    expect(pciP2pdmaMapType(provider, client)).toBe('bus-addr');
    tree.setAcs('DSP0', ACS.requestRedirect);
    expect(pciP2pdmaMapType(provider, client)).toBe('bus-addr');
    expect(pciP2pdmaDistance(provider.owner, client, false)).toBe(-1);
    expect(pciP2pdmaMapType(provider, client)).toBe('not-supported');
    tree.setAcs('DSP0', 0);
    expect(pciP2pdmaMapType(provider, client)).toBe('not-supported');
    expect(pciP2pdmaDistance(provider.owner, client, false)).toBe(4);
    expect(pciP2pdmaMapType(provider, client)).toBe('bus-addr');
  });

  it('is kept per client, and dies with the driver of the owner', () => {
    const tree = new PeerTree();
    const provider = providerOf(tree, 'B');
    expect(pciP2pdmaMapType(provider, tree.dev('A'))).toBe('bus-addr');
    expect(pciP2pdmaMapType(provider, tree.dev('C'))).toBe('not-supported');
    expect(provider.owner.p2pdma?.mapTypes.size).toBe(2);
    expect(releaseP2pdma(provider.owner)).toBe(true);
    expect(pciP2pdmaMapType(provider, tree.dev('A'))).toBe('not-supported');
    expect(pciP2pdmaMapType(providerOf(tree, 'B'), tree.dev('A'))).toBe('bus-addr');
  });

  it('is not kept when the slot cannot be allocated', () => {
    const tree = new PeerTree();
    const provider = providerOf(tree, 'B');
    tree.platform.allocate = () => false;
    expect(pciP2pdmaMapType(provider, tree.dev('A'))).toBe('bus-addr');
    expect(provider.owner.p2pdma?.mapTypes.size).toBe(0);
    tree.setAcs('DSP1', ACS.egressControl);
    expect(pciP2pdmaMapType(provider, tree.dev('A'))).toBe('not-supported');
  });

  it('is not made by a distance to an owner without peer-to-peer state', () => {
    const tree = new PeerTree();
    expect(pciP2pdmaDistance(tree.dev('B'), tree.dev('A'), false)).toBe(4);
    expect(tree.dev('B').p2pdma).toBeNull();
  });
});

describe('clients', () => {
  it('that are no PCI functions have a distance by their parent but no map type', () => {
    const tree = new PeerTree();
    const provider = providerOf(tree, 'B');
    const child: P2pClient = { ...platformDevice, parent: tree.dev('A') };
    expect(pciP2pdmaMapType(provider, child)).toBe('not-supported');
    expect(pciP2pdmaDistance(provider.owner, child, true)).toBe(4);
    expect(pciP2pdmaDistance(provider.owner, platformDevice, false)).toBe(-1);
    expect(kinds(tree)).not.toContain('p2p:not-pci');
    expect(pciP2pdmaDistance(provider.owner, platformDevice, true)).toBe(-1);
    expect(kinds(tree)).toContain('p2p:not-pci');
  });

  it('add up, and one out of reach spoils the sum', () => {
    const tree = new PeerTree();
    const [a, b, c, d] = (['A', 'B', 'C', 'D'] as const).map((name) => tree.dev(name));
    if (a === undefined || b === undefined || c === undefined || d === undefined)
      throw new RangeError('devices');
    expect(pciP2pdmaDistanceMany(a, [], true)).toBe(-1);
    expect(pciP2pdmaDistanceMany(a, [a, b, d], true)).toBe(0 + 4 + 6);
    pcimP2pdmaInit(a);
    expect(pciP2pdmaDistanceMany(a, [c, b], false)).toBe(-1);
    expect(a.p2pdma?.mapTypes.size).toBe(1);
    expect(pciP2pdmaDistanceMany(a, [c, b, platformDevice, d], true)).toBe(-1);
    expect(a.p2pdma?.mapTypes.size).toBe(2);
  });
});

describe('what the log says', () => {
  it('names the redirecting functions once each, and the parameter that would clear them', () => {
    const tree = new PeerTree();
    tree.setAcs('DSP0', ACS.requestRedirect);
    tree.setAcs('USP', ACS.completionRedirect);
    tree.setAcs('DSP1', ACS.egressControl);
    const provider = providerOf(tree, 'A');
    expect(pciP2pdmaMapType(provider, tree.dev('B'))).toBe('not-supported');
    const names = (['DSP0', 'USP', 'DSP1'] as const).map((name) => tree.dev(name).name);
    const ends = { provider: tree.dev('A').name, client: tree.dev('B').name };
    expect(tree.log.events).toEqual([
      {
        kind: 'p2p:acs-redirect',
        ...ends,
        functions: names,
        parameter: `pci=disable_acs_redir=${names.join(';')}`,
      },
      { kind: 'p2p:host-bridge-not-listed', vendorId: 0x8086, deviceId: 0x29c0 },
      { kind: 'p2p:not-supported', ...ends },
    ]);
    tree.log.clear();
    expect(pciP2pdmaMapType(provider, tree.dev('B'))).toBe('not-supported');
    expect(tree.log.events).toEqual([]);
  });

  it('speaks of a host bridge that is not listed only when redirection led to it, verbose or not', () => {
    const tree = new PeerTree({}, { identity: { vendorId: 0x8086, deviceId: 0x29c0 } });
    expect(pciP2pdmaDistance(tree.dev('A'), tree.dev('C'), true)).toBe(-1);
    expect(kinds(tree)).toEqual(['p2p:not-supported']);
    tree.setAcs('DSP0', ACS.requestRedirect);
    tree.log.clear();
    expect(pciP2pdmaDistance(tree.dev('A'), tree.dev('B'), false)).toBe(-1);
    expect(tree.log.events).toEqual([
      { kind: 'p2p:host-bridge-not-listed', vendorId: 0x8086, deviceId: 0x29c0 },
    ]);
  });

  it('is silent about a host bridge that is listed for one root complex only', () => {
    const tree = new PeerTree({}, { identity: { vendorId: 0x8086, deviceId: 0x3c00 } });
    tree.setAcs('DSP0', ACS.requestRedirect);
    expect(pciP2pdmaDistance(tree.dev('A'), tree.dev('E'), true)).toBe(-1);
    expect(kinds(tree)).toEqual(['p2p:not-supported']);
    expect(pciP2pdmaDistance(tree.dev('A'), tree.dev('B'), true)).toBe(4);
  });
});

describe('pages of a BAR', () => {
  it('lead to their provider by pagemap', () => {
    const tree = new PeerTree({}, { busOffset: -0x40000000 });
    const routes = new PageRoutes(tree.platform);
    expect(pciP2pdmaAddResource(tree.dev('B'), 0, 0, 0)).toBe(0);
    const start = tree.fabric.barPhys(tree.fn('B'), 0);
    const pagemap = tree.frames.pagemapOf(frameOf(start));
    if (pagemap === undefined) throw new RangeError('no pagemap');
    // The DMA layer knows a client by its requester id.
    const { requesterId } = tree.fn('A');
    expect(routes.mapType(pagemap, { name: 'a', isPci: true, requesterId })).toBe('bus-addr');
    expect(routes.busAddress(pagemap, start)).toBe(addOffset(start, -0x40000000));
    const strange = tree.frames.addZoneDevice('pci-p2pdma', 7, 1);
    expect(() => routes.providerOf(strange)).toThrow(expect.objectContaining({ name: 'InternalError' }));
  });

  it('are refused to a client that is not on the machine', () => {
    const tree = new PeerTree();
    const provider = providerOf(tree, 'B');
    const stranger = { name: 'stranger', isPci: true, requesterId: 0xffff };
    expect(() => pciP2pdmaMapType(provider, stranger)).toThrow(
      expect.objectContaining({ name: 'InternalError' }),
    );
  });
});

describe('a provider of an earlier driver', () => {
  it('is gone: not supported, and a violation', () => {
    const tree = new PeerTree();
    const pdev = tree.dev('A');
    pcimP2pdmaInit(pdev);
    const old = pcimP2pdmaProvider(pdev, 0) as P2pdmaProvider;
    expect(pciP2pdmaMapType(old, tree.dev('B'))).toBe('bus-addr');
    releaseP2pdma(pdev);
    expect(pciP2pdmaMapType(old, tree.dev('B'))).toBe('not-supported');
    pcimP2pdmaInit(pdev);
    tree.log.clear();
    expect(pciP2pdmaMapType(old, tree.dev('B'))).toBe('not-supported');
    expect(tree.log.events).toMatchObject([{ kind: 'violation', rule: 'p2p-provider-gone' }]);
    expect(pciP2pdmaMapType(pcimP2pdmaProvider(pdev, 0) as P2pdmaProvider, tree.dev('B'))).toBe('bus-addr');
  });
});

describe('segments', () => {
  it('keep functions with one requester id apart', () => {
    const fabric = new PciFabric({ memory: new PhysicalMemory(), clock: new Clock() });
    const [near, far] = [0, 1].map((segment) => {
      const host = fabric.addHostBridge({
        segment,
        memoryAperture: { base: physAddr(0xc0000000 + segment * 2 ** 28), bytes: 2 ** 28 },
        identity: { vendorId: 0x8086, deviceId: 0x3c00 },
      });
      const { downstream } = fabric.addSwitch(fabric.addRootPort(host), { downstreamPorts: 2 });
      return downstream.map((port) =>
        fabric.addEndpoint(port, {
          name: `of segment ${segment}`,
          identity: { vendorId: 0x1234, deviceId: 1, classCode: 0x058000 },
          bars: [{ index: 0, bytes: 2 ** 20, width: 32, target: new BarMemory(2 ** 20) }],
        }),
      );
    }) as [PciFunction[], PciFunction[]];
    fabric.enumerate();
    // Each segment has its own bus numbers.
    const shift = (far[0] as PciFunction).bus.number - (near[0] as PciFunction).bus.number;
    for (const fn of far) fn.bus.number -= shift;
    const platform = new P2pPlatform({ hosts: fabric.hosts });
    const provider = platform.devOf(near[0] as PciFunction);
    pcimP2pdmaInit(provider);
    const memory = pcimP2pdmaProvider(provider, 0) as P2pdmaProvider;
    const { requesterId } = near[1] as PciFunction;
    expect((far[1] as PciFunction).requesterId).toBe(requesterId);
    const client = (segment: number) => ({ name: 'client', isPci: true, requesterId, segment });
    for (let again = 0; again < 2; again += 1) {
      expect(pciP2pdmaMapType(memory, client(1))).toBe('not-supported');
      expect(pciP2pdmaMapType(memory, client(0))).toBe('bus-addr');
    }
    expect([...(provider.p2pdma?.mapTypes.keys() ?? [])]).toEqual([0x10000 + requesterId, requesterId]);
  });
});
