// Real requests to the addresses that the two layers hand out: inside the switch they never reach the root complex,
// redirected ones do, and a blocked one comes back with the completion status that hardware gives.

import {
  ACS,
  acsOffset,
  type DmaAddr,
  DmaEngine,
  dmaAddr,
  type ModelTask,
  rawOffset,
  type TransferStatus,
} from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import {
  type P2pdmaProvider,
  pciAllocP2pmem,
  pcimP2pdmaInit,
  pcimP2pdmaProvider,
  pciP2pdmaAddResource,
  pciP2pdmaBusAddrMap,
  pciP2pdmaDistance,
  pciP2pdmaMapType,
  pciP2pmemVirtToBus,
  pciResourceStart,
} from '../src/index.ts';
import { type PeerName, PeerTree } from './peer-tree.ts';

const BYTES = 10_000;
const OFFSET = 0x3210;

function providerOf(tree: PeerTree, name: PeerName): P2pdmaProvider {
  expect(pcimP2pdmaInit(tree.dev(name))).toBe(0);
  const provider = pcimP2pdmaProvider(tree.dev(name), 0);
  if (provider === null) throw new RangeError(`${name} has no provider`);
  return provider;
}

/** Runs a transfer to its end, request by request. */
function ended(transfer: ModelTask<TransferStatus>): TransferStatus {
  for (;;) {
    const step = transfer.next();
    if (step.done === true) return step.value;
  }
}

/** Writes a pattern from `client` to `address` and reads it back; the status of the transfers. */
function moved(tree: PeerTree, client: PeerName, address: DmaAddr): TransferStatus {
  const engine = new DmaEngine(tree.fabric, tree.fn(client));
  const pattern = Uint8Array.from({ length: BYTES }, (_, at) => (at * 7) & 0xff);
  const back = new Uint8Array(BYTES);
  let status = ended(engine.write(address, pattern));
  if (status === 'success') status = ended(engine.read(address, back));
  if (status === 'success') expect(back).toEqual(pattern);
  return status;
}

/** The address of byte {@link OFFSET} of a provider's BAR for a client that uses it directly. */
function address(provider: P2pdmaProvider, mapType: 'bus' | 'phys'): DmaAddr {
  const start = pciResourceStart(provider.owner, provider.bar);
  if (start === null) throw new RangeError('no BAR');
  return mapType === 'bus'
    ? dmaAddr(rawOffset(pciP2pdmaBusAddrMap(provider, start), OFFSET))
    : dmaAddr(rawOffset(start, OFFSET));
}

describe('requests between peers', () => {
  it('stay inside the switch when the verdict is a bus address', () => {
    const tree = new PeerTree({}, { busOffset: -0x40000000 });
    const provider = providerOf(tree, 'D');
    expect(provider.busOffset).toBe(-0x40000000);
    expect(pciP2pdmaMapType(provider, tree.dev('A'))).toBe('bus-addr');
    expect(moved(tree, 'A', address(provider, 'bus'))).toBe('success');
    const { switchLocal, hostBridge, memory, refused } = tree.fabric.counters;
    expect([switchLocal.bytes, hostBridge.requests, memory.requests, refused.requests]).toEqual([
      2 * BYTES,
      0,
      0,
      0,
    ]);
    expect(tree.barMemory('D').pageBytes(3)[0x211]).toBe(7);
  });

  it('go up to the root complex and down again when redirected', () => {
    const tree = new PeerTree();
    tree.setAcs('DSP0', ACS.requestRedirect);
    tree.setAcs('RP0', ACS.upstreamForwarding);
    const provider = providerOf(tree, 'B');
    expect(pciP2pdmaDistance(tree.dev('B'), tree.dev('A'), false)).toBe(-1);
    expect(moved(tree, 'A', address(provider, 'phys'))).toBe('success');
    const { switchLocal, hostBridge } = tree.fabric.counters;
    expect([switchLocal.requests, hostBridge.bytes]).toEqual([0, 2 * BYTES]);
  });

  it('cross host bridges where those forward', () => {
    const tree = new PeerTree();
    const provider = providerOf(tree, 'E');
    expect(moved(tree, 'A', address(provider, 'phys'))).toBe('success');
    expect(tree.fabric.counters.hostBridge.bytes).toBe(2 * BYTES);
  });

  it.each<[string, (tree: PeerTree) => void, PeerName, TransferStatus]>([
    [
      'redirected into a root port that does not forward',
      (tree) => tree.setAcs('DSP0', ACS.requestRedirect),
      'B',
      'unsupported-request',
    ],
    ['forbidden by egress control', (tree) => egressBlocks(tree), 'B', 'completer-abort'],
    [
      'between root ports that do not forward',
      (tree) => {
        tree.hosts[0].peerToPeer = 'none';
      },
      'C',
      'unsupported-request',
    ],
    [
      'to a target that does not decode',
      (tree) => tree.fn('B').setCommand({ memory: false, busMaster: true }),
      'B',
      'unsupported-request',
    ],
  ])('are refused %s', (_, prepare, target, status) => {
    const tree = new PeerTree();
    const provider = providerOf(tree, target);
    prepare(tree);
    expect(moved(tree, 'A', address(provider, 'bus'))).toBe(status);
    const { switchLocal, hostBridge, refused } = tree.fabric.counters;
    expect([switchLocal.requests, hostBridge.requests, refused.requests]).toEqual([0, 0, 1]);
    expect(tree.log.events.filter(({ kind }) => kind === 'hw:refused')).toHaveLength(1);
    expect(tree.barMemory(target).pageBytes(3)[0x211]).toBe(0);
  });
});

/** The port of A may not send to port 1, that of B. */
function egressBlocks(tree: PeerTree): void {
  tree.setAcs('DSP0', ACS.egressControl);
  const { config } = tree.fn('DSP0');
  config.write(acsOffset(config) + 8, 4, 0b10);
}

describe('pool memory', () => {
  it('is reached at the bus address it has', () => {
    const tree = new PeerTree({}, { busOffset: -0x40000000 });
    const pdev = tree.dev('B');
    expect(pciP2pdmaAddResource(pdev, 0, 0x20000, 0x10000)).toBe(0);
    const block = pciAllocP2pmem(pdev, BYTES);
    const bus = pciP2pmemVirtToBus(pdev, block);
    if (block === null || bus === -1) throw new RangeError('no pool memory');
    expect(moved(tree, 'A', dmaAddr(bus))).toBe('success');
    expect(tree.fabric.counters.switchLocal.bytes).toBe(2 * BYTES);
    expect(tree.barMemory('B').pageBytes(0x10)[1]).toBe(7);
    const seen = new Uint8Array(2);
    expect(tree.memory.read(block, seen)).toBe(true);
    expect([...seen]).toEqual([0, 7]);
  });
});
