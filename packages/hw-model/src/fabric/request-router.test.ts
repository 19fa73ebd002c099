// Routing: by address, with the configuration bytes of the moment: inside a switch, through the root complex, to memory.
// The table of ACS controls is hardware-and-platform's decision list for peer requests, one row per case.
import { describe, expect, it } from 'vitest';
import { type Peer, PeerMachine } from '../../test/peer-machine.ts';
import { addOffset, type DmaAddr, dmaAddr, type PhysAddr, physAddr, rawOffset } from '../addresses.ts';
import { ACS, acsOffset } from './access-control-services.ts';
import type { PciFunction } from './pci-function.ts';
import type { Route } from './route-counters.ts';

function setAcs(port: PciFunction, control: number, vector = 0): void {
  const at = acsOffset(port.config);
  port.config.write(at + 6, 2, control);
  port.config.write(at + 8, 4, vector);
}

/** The status and route of a one-byte write and read of `from` to `address`. */
function tried(machine: PeerMachine, from: Peer, address: DmaAddr, value = 0x5a): [string, Route] {
  const before = { ...counts(machine) };
  const status = machine.poke(from, address, value);
  const after = counts(machine);
  const taken = (Object.keys(after) as Route[]).filter((route) => after[route] > before[route]);
  if (taken.length !== 1) throw new Error(`routes ${taken.join()}`);
  return [status, taken[0] as Route];
}

/** The status and route of a one-byte read of `from`, whose address is translated already. */
function triedTranslated(machine: PeerMachine, from: Peer, address: DmaAddr): [string, Route] {
  const before = { ...counts(machine) };
  const status = machine.fabric.read(from.endpoint, address, new Uint8Array(1), 0, 1, 'translated');
  const after = counts(machine);
  const taken = (Object.keys(after) as Route[]).filter((route) => after[route] > before[route]);
  return [status, taken[0] as Route];
}

function counts(machine: PeerMachine): Record<Route, number> {
  const { switchLocal, hostBridge, memory, refused } = machine.fabric.counters;
  return {
    'switch-local': switchLocal.requests,
    'host-bridge': hostBridge.requests,
    memory: memory.requests,
    refused: refused.requests,
  };
}

describe('without access control', () => {
  it('turns a request for a sibling around inside the switch', () => {
    const machine = new PeerMachine();
    const target = addOffset(machine.busAddress(machine.b), 0x1234);
    expect(tried(machine, machine.a, target, 0x77)).toEqual(['success', 'switch-local']);
    expect(machine.b.memory.pageBytes(1)[0x234]).toBe(0x77);
    expect(machine.fabric.counters.switchLocal).toEqual({ requests: 2, bytes: 2 });
  });

  it('takes everything else up to the root complex', () => {
    const machine = new PeerMachine();
    const { a, d, e } = machine;
    expect(tried(machine, a, dmaAddr(0x1000), 0x42)).toEqual(['success', 'memory']);
    expect(machine.memory.frameBytes(1)[0]).toBe(0x42);
    expect(tried(machine, a, machine.busAddress(d))).toEqual(['success', 'host-bridge']);
    expect(tried(machine, d, machine.busAddress(a))).toEqual(['success', 'host-bridge']);
    expect(tried(machine, d, machine.busAddress(e))).toEqual(['success', 'host-bridge']);
    expect(tried(machine, e, machine.busAddress(a))).toEqual(['success', 'host-bridge']);
  });

  it('refuses what nobody claims, a hole of the aperture included', () => {
    const machine = new PeerMachine();
    const past = addOffset(machine.busAddress(machine.e), 2 ** 28);
    for (const address of [dmaAddr(2 ** 30), past]) {
      expect(tried(machine, machine.d, address)).toEqual(['unsupported-request', 'refused']);
    }
  });

  it('never sends a request back down the port it came from', () => {
    const machine = new PeerMachine();
    expect(tried(machine, machine.d, machine.busAddress(machine.d))).toEqual([
      'unsupported-request',
      'refused',
    ]);
  });

  it('stamps the BAR a device reached, not one the CPU reached', () => {
    const machine = new PeerMachine();
    const bar = machine.b.endpoint.bar(0);
    machine.memory.write(machine.fabric.barPhys(machine.b.endpoint, 0), Uint8Array.of(1));
    expect(bar?.lastAccessStep).toBe(-1);
    machine.clock.tick();
    machine.poke(machine.a, machine.busAddress(machine.b), 1);
    expect(bar?.lastAccessStep).toBe(1);
  });
});

describe('decoding and mastering', () => {
  it.each<[string, (machine: PeerMachine) => void]>([
    ['the requester is no bus master', ({ a }) => a.endpoint.setCommand({ memory: true, busMaster: false })],
    ['the target does not decode', ({ b }) => b.endpoint.setCommand({ memory: false, busMaster: true })],
    [
      'the port above does not forward',
      ({ tree }) => tree.downstream[0]?.setCommand({ memory: true, busMaster: false }),
    ],
  ])('refuses a sibling request when %s', (_name, change) => {
    const machine = new PeerMachine();
    change(machine);
    expect(tried(machine, machine.a, machine.busAddress(machine.b))).toEqual([
      'unsupported-request',
      'refused',
    ]);
  });

  it.each<[string, (machine: PeerMachine) => void]>([
    ['the upstream port', ({ tree }) => tree.upstream.setCommand({ memory: true, busMaster: false })],
    ['the root port', ({ ports }) => ports[0].setCommand({ memory: true, busMaster: false })],
  ])('refuses a memory request when %s is no bus master', (_name, change) => {
    const machine = new PeerMachine();
    change(machine);
    expect(tried(machine, machine.a, dmaAddr(0))).toEqual(['unsupported-request', 'refused']);
  });

  it('follows a BAR that software moved', () => {
    const machine = new PeerMachine();
    const { endpoint } = machine.d;
    const before = machine.busAddress(machine.d);
    const bar = endpoint.bar(0);
    const port = machine.ports[1];
    port.openPrefetchWindow(before, addOffset(before, 2 ** 21));
    bar?.assign(addOffset(bar.address, 2 ** 20));
    expect(tried(machine, machine.a, before)).toEqual(['unsupported-request', 'refused']);
    expect(tried(machine, machine.a, machine.busAddress(machine.d))).toEqual(['success', 'host-bridge']);
  });
});

describe('access control at the port a request enters', () => {
  const TARGET_B = 0b010;
  it.each<[string, number, number, string, Route]>([
    ['nothing enabled', 0, 0, 'success', 'switch-local'],
    ['request redirect', ACS.requestRedirect, 0, 'unsupported-request', 'refused'],
    ['egress control, target clear', ACS.egressControl, 0, 'success', 'switch-local'],
    ['egress control, target set', ACS.egressControl, TARGET_B, 'completer-abort', 'refused'],
    [
      'egress control, target set, redirect',
      ACS.egressControl | ACS.requestRedirect,
      TARGET_B,
      'unsupported-request',
      'refused',
    ],
    [
      'egress control, target clear, redirect',
      ACS.egressControl | ACS.requestRedirect,
      0b100,
      'success',
      'switch-local',
    ],
    ['source validation of an honest source', ACS.sourceValidation, 0, 'success', 'switch-local'],
    [
      'completion redirect and upstream forwarding',
      ACS.completionRedirect | ACS.upstreamForwarding,
      0,
      'success',
      'switch-local',
    ],
  ])('%s', (_name, control, vector, status, route) => {
    // A redirected request ends at the root port here: it would have to go back down where it came from.
    const machine = new PeerMachine();
    setAcs(machine.tree.downstream[0] as PciFunction, control, vector);
    expect(tried(machine, machine.a, machine.busAddress(machine.b))).toEqual([status, route]);
    expect(tried(machine, machine.c, machine.busAddress(machine.b))).toEqual(['success', 'switch-local']);
  });

  it('takes a redirected request through the root complex where the root port forwards upstream', () => {
    const machine = new PeerMachine();
    setAcs(machine.tree.downstream[0] as PciFunction, ACS.requestRedirect);
    setAcs(machine.ports[0], ACS.upstreamForwarding);
    expect(tried(machine, machine.a, machine.busAddress(machine.b), 0x99)).toEqual([
      'success',
      'host-bridge',
    ]);
    expect(machine.b.memory.pageBytes(0)[0]).toBe(0x99);
  });

  it('aborts a request whose bus number lies outside the port', () => {
    const machine = new PeerMachine();
    const port = machine.tree.downstream[0] as PciFunction;
    setAcs(port, ACS.sourceValidation);
    machine.a.endpoint.bus.number += 1;
    expect(tried(machine, machine.a, dmaAddr(0))).toEqual(['completer-abort', 'refused']);
  });

  it('turns a request around itself when upstream forwarding lets it', () => {
    const machine = new PeerMachine();
    setAcs(machine.ports[1], ACS.upstreamForwarding);
    expect(tried(machine, machine.d, machine.busAddress(machine.d))).toEqual(['success', 'host-bridge']);
  });
});

describe('a translated address (AT = 10)', () => {
  const { requestRedirect, egressControl, directTranslated, translationBlocking } = ACS;
  it.each<[string, number, string, Route]>([
    ['goes direct without access control', 0, 'success', 'switch-local'],
    ['goes direct past redirect with DT', requestRedirect | directTranslated, 'success', 'switch-local'],
    ['goes direct past egress control with DT', egressControl | directTranslated, 'success', 'switch-local'],
    ['is redirected without DT', requestRedirect, 'unsupported-request', 'refused'],
    ['is stopped by egress control without DT', egressControl, 'completer-abort', 'refused'],
    ['is stopped by translation blocking', translationBlocking, 'completer-abort', 'refused'],
    [
      'is stopped by translation blocking, DT or not',
      translationBlocking | directTranslated,
      'completer-abort',
      'refused',
    ],
  ])('%s', (_name, control, status, route) => {
    const machine = new PeerMachine();
    setAcs(machine.tree.downstream[0] as PciFunction, control, 0b010);
    expect(triedTranslated(machine, machine.a, machine.busAddress(machine.b))).toEqual([status, route]);
  });

  it('is no concern of translation blocking when it is none', () => {
    const machine = new PeerMachine();
    setAcs(machine.tree.downstream[0] as PciFunction, translationBlocking);
    expect(tried(machine, machine.a, machine.busAddress(machine.b))).toEqual(['success', 'switch-local']);
  });

  it('is stopped by translation blocking of the root port, too', () => {
    const machine = new PeerMachine();
    setAcs(machine.ports[0], translationBlocking);
    expect(triedTranslated(machine, machine.a, dmaAddr(0x3000))).toEqual(['completer-abort', 'refused']);
    expect(tried(machine, machine.a, dmaAddr(0x3000))).toEqual(['success', 'memory']);
  });

  it('passes the unit for functions with ATS only', () => {
    const machine = new PeerMachine();
    const { a, d } = machine;
    const translate = (): -1 => -1;
    machine.fabric.setTranslationAgent({
      translate,
      admitsTranslated: (requesterId) => requesterId === a.endpoint.requesterId,
    });
    expect(triedTranslated(machine, a, dmaAddr(0x3000))).toEqual(['success', 'memory']);
    expect(triedTranslated(machine, a, machine.busAddress(d))).toEqual(['success', 'host-bridge']);
    expect(triedTranslated(machine, d, dmaAddr(0x3000))).toEqual(['unsupported-request', 'refused']);
    expect(tried(machine, a, dmaAddr(0x3000))).toEqual(['unsupported-request', 'refused']);
    machine.fabric.setTranslationAgent({ translate });
    expect(triedTranslated(machine, a, dmaAddr(0x3000))).toEqual(['unsupported-request', 'refused']);
  });
});

describe('the egress control vector', () => {
  it.each<[string, number, number, string]>([
    ['has a second dword for ports 32 and up', 64, 40, 'completer-abort'],
    ['of size 0 has 256 bits', 0, 40, 'completer-abort'],
    ['blocks no port beyond its end', 8, 40, 'success'],
  ])('%s', (_name, size, port, status) => {
    const machine = new PeerMachine();
    const from = machine.tree.downstream[0] as PciFunction;
    const target = machine.tree.downstream[1] as PciFunction;
    const at = acsOffset(from.config);
    from.config.preset(at + 4, 2, size * 256 + 0x7f);
    setAcs(from, ACS.egressControl);
    // Port number: the upper byte of Link Capabilities.
    target.config.preset(0x50 + 0x0f, 1, port);
    from.config.preset(at + 8 + 4 * (port >>> 5), 4, 2 ** (port & 31));
    const route = status === 'success' ? 'switch-local' : 'refused';
    expect(tried(machine, machine.a, machine.busAddress(machine.b))).toEqual([status, route]);
  });
});

describe('host bridges', () => {
  it.each([
    ['none', 'unsupported-request', 'refused'],
    ['same-bridge', 'success', 'host-bridge'],
    ['any', 'success', 'host-bridge'],
  ] as const)('with the peer rule %s', (peerToPeer, status, route) => {
    const machine = new PeerMachine({ peerToPeer });
    expect(tried(machine, machine.a, machine.busAddress(machine.d))).toEqual([status, route]);
    expect(tried(machine, machine.a, dmaAddr(0))).toEqual(['success', 'memory']);
    expect(tried(machine, machine.a, machine.busAddress(machine.b))).toEqual(['success', 'switch-local']);
  });

  it('shift addresses between the bus and the CPU', () => {
    const machine = new PeerMachine({ busOffset: -0x40000000 });
    const { d, a } = machine;
    expect(machine.busAddress(d)).toBe(addOffset(machine.fabric.barPhys(d.endpoint, 0), -0x40000000));
    const found = new Uint8Array(1);
    machine.memory.write(machine.fabric.barPhys(d.endpoint, 0), Uint8Array.of(0x31));
    expect(machine.memory.read(machine.fabric.barPhys(d.endpoint, 0), found)).toBe(true);
    expect([d.memory.pageBytes(0)[0], found[0]]).toEqual([0x31, 0x31]);
    expect(tried(machine, a, machine.busAddress(d))).toEqual(['success', 'host-bridge']);
  });
});

describe('a translation agent', () => {
  /** Pages of the bus space 0x100000 above where they lie; frame 7 is blocked. */
  const agentOf = (asked: [number, number, boolean][]) => ({
    translate(requesterId: number, address: DmaAddr, write: boolean): PhysAddr | -1 {
      asked.push([requesterId, address, write]);
      return address >= 0x107000 && address < 0x108000 ? -1 : physAddr(rawOffset(address, -0x100000));
    },
  });

  it('is asked once per request that reaches the root complex, with the requester id', () => {
    const machine = new PeerMachine();
    const asked: [number, number, boolean][] = [];
    machine.fabric.setTranslationAgent(agentOf(asked));
    expect(tried(machine, machine.a, dmaAddr(0x102010), 0x21)).toEqual(['success', 'memory']);
    const id = machine.a.endpoint.bus.number * 256;
    expect(asked).toEqual([
      [id, 0x102010, true],
      [id, 0x102010, false],
    ]);
    expect(machine.memory.frameBytes(2)[0x10]).toBe(0x21);
    machine.poke(machine.a, machine.busAddress(machine.b), 1);
    expect(asked).toHaveLength(2);
  });

  it('can block a request: no byte moves', () => {
    const machine = new PeerMachine();
    machine.fabric.setTranslationAgent(agentOf([]));
    expect(tried(machine, machine.a, dmaAddr(0x107ff0))).toEqual(['unsupported-request', 'refused']);
    expect(machine.memory.frameBytes(7).every((byte) => byte === 0)).toBe(true);
  });

  it('translates a redirected request like any other, down to the peer; one turned around it never sees', () => {
    const machine = new PeerMachine();
    const { a, b } = machine;
    const phys = machine.fabric.barPhys(b.endpoint, 0);
    const asked: [number, number, boolean][] = [];
    const agent = {
      translate(requesterId: number, address: DmaAddr, write: boolean): PhysAddr | -1 {
        asked.push([requesterId, address, write]);
        return address === 0x5000 ? phys : -1;
      },
    };
    machine.fabric.setTranslationAgent(agent);
    setAcs(machine.tree.downstream[0] as PciFunction, ACS.requestRedirect);
    expect(tried(machine, a, dmaAddr(0x5000), 0x42)).toEqual(['success', 'host-bridge']);
    expect(b.memory.pageBytes(0)[0]).toBe(0x42);
    const id = a.endpoint.requesterId;
    expect(asked).toEqual([
      [id, 0x5000, true],
      [id, 0x5000, false],
    ]);
    // The bus address of the peer, sent up by redirection and let pass by the root port: the unit knows nothing of it.
    setAcs(machine.ports[0], ACS.upstreamForwarding);
    const bus = machine.busAddress(b);
    expect(tried(machine, a, bus)).toEqual(['unsupported-request', 'refused']);
    expect(asked.slice(2).map(([, address]) => address)).toEqual([bus, bus]);
    setAcs(machine.tree.downstream[0] as PciFunction, 0);
    expect(tried(machine, a, bus)).toEqual(['success', 'switch-local']);
    expect(asked).toHaveLength(4);
  });

  it('covers the functions it was set for, until it is taken away', () => {
    const machine = new PeerMachine();
    const asked: [number, number, boolean][] = [];
    machine.fabric.setTranslationAgent(agentOf(asked), [machine.d.endpoint]);
    machine.poke(machine.a, dmaAddr(0x3000), 1);
    expect(asked).toEqual([]);
    machine.poke(machine.d, dmaAddr(0x103000), 2);
    expect(asked).toHaveLength(2);
    machine.fabric.setTranslationAgent(null);
    expect(tried(machine, machine.d, dmaAddr(0x3000))).toEqual(['success', 'memory']);
    expect(asked).toHaveLength(2);
  });
});
