// PciFabric: what a kernel reads in the configuration bytes, the 4 KiB rule, and what the log says of a request.
import { describe, expect, it } from 'vitest';
import { PeerMachine } from '../../test/peer-machine.ts';
import { dmaAddr } from '../addresses.ts';
import { InternalError } from '../internal-error.ts';
import { ACS, acsOffset } from './access-control-services.ts';
import { findCapability } from './capability-list.ts';
import { PCI_EXP_TYPE, pciExpressType, tlpSizes } from './pci-express-capability.ts';
import type { PciFunction } from './pci-function.ts';

describe('configuration bytes', () => {
  it('have the header types and classes of bridges and endpoints', () => {
    const { ports, tree, a, host } = new PeerMachine();
    const header = ({ config }: PciFunction): number[] => [config.read(0x0e, 1), config.read(0x08, 4) >>> 8];
    expect([ports[0], tree.upstream, a.endpoint].map(header)).toEqual([
      [1, 0x060400],
      [1, 0x060400],
      [0, 0x058000],
    ]);
    const root = host.childBus.functions[0] as PciFunction;
    expect([root.devfn, ...header(root)]).toEqual([0, 0, 0x060000]);
  });

  it('tell the port types apart', () => {
    const { ports, tree, a, e, host } = new PeerMachine();
    const down = tree.downstream[0] as PciFunction;
    const found = [ports[0], tree.upstream, down, a.endpoint, e.endpoint].map(({ config }) =>
      pciExpressType(config),
    );
    const { rootPort, upstream, downstream, endpoint, rootComplexIntegratedEndpoint } = PCI_EXP_TYPE;
    expect(found).toEqual([rootPort, upstream, downstream, endpoint, rootComplexIntegratedEndpoint]);
    expect(pciExpressType((host.childBus.functions[0] as PciFunction).config)).toBe(-1);
  });

  it('have ACS in root and downstream ports, nothing of it enabled', () => {
    const { ports, tree } = new PeerMachine();
    const down = tree.downstream[0] as PciFunction;
    const acs = ({ config }: PciFunction): number[] => {
      const at = acsOffset(config);
      return [at, config.read(at + 4, 2), config.read(at + 6, 2)];
    };
    // The switch implements egress control for 32 ports, the root port none.
    expect([ports[0], down].map(acs)).toEqual([
      [0x100, 0x5f, 0],
      [0x100, 0x207f, 0],
    ]);
    expect(acsOffset(tree.upstream.config)).toBe(0);
  });

  it('let software set the ACS bits a port implements and no others', () => {
    const { ports } = new PeerMachine();
    const at = acsOffset(ports[0].config);
    ports[0].config.write(at + 6, 2, 0xffff);
    expect(ports[0].config.read(at + 6, 2)).toBe(0x5f);
    expect(ports[0].acsControl & ACS.egressControl).toBe(0);
  });

  it('decide the TLP sizes', () => {
    const { a } = new PeerMachine();
    const { config } = a.endpoint;
    expect(tlpSizes(config)).toEqual({ maxPayloadBytes: 256, maxReadRequestBytes: 512 });
    const control = findCapability(config, 0x10) + 8;
    config.write(control, 2, 0x5000);
    expect(a.endpoint.tlpSizes).toEqual({ maxPayloadBytes: 128, maxReadRequestBytes: 4096 });
    config.write(control, 2, 0x70e0);
    expect(a.endpoint.tlpSizes).toEqual({ maxPayloadBytes: 4096, maxReadRequestBytes: 4096 });
  });

  it('mark the functions of a device that has several', () => {
    const { fabric, ports, d } = new PeerMachine();
    const identity = { vendorId: 1, deviceId: 2, classCode: 0x020000 };
    const second = fabric.addEndpoint(ports[1], { name: 'd1', identity, functionNumber: 1 });
    expect([d.endpoint, second].map(({ config }) => config.read(0x0e, 1))).toEqual([0x80, 0x80]);
    expect(() => fabric.addEndpoint(ports[1], { name: 'd2', identity, functionNumber: 1 })).toThrow(
      InternalError,
    );
  });
});

it('lists every function, depth first', () => {
  const { fabric } = new PeerMachine();
  expect(fabric.functions.map(({ name }) => name)).toEqual([
    'host',
    'rp1',
    'switch.up',
    'switch.down0',
    'a',
    'switch.down1',
    'b',
    'switch.down2',
    'c',
    'rp2',
    'd',
    'e',
  ]);
});

describe('a request', () => {
  it('must not cross a 4 KiB boundary, and must ask for something', () => {
    const { fabric, a } = new PeerMachine();
    expect(() => fabric.read(a.endpoint, dmaAddr(0xfff), new Uint8Array(2))).toThrow(InternalError);
    expect(() => fabric.write(a.endpoint, dmaAddr(0), new Uint8Array(0))).toThrow(InternalError);
    expect(fabric.read(a.endpoint, dmaAddr(0xfff), new Uint8Array(1))).toBe('success');
  });

  it('moves the asked part of a buffer, to memory and to a peer', () => {
    const machine = new PeerMachine();
    const { fabric, a, b } = machine;
    for (const address of [dmaAddr(0x2000), machine.busAddress(b), machine.busAddress(machine.d)]) {
      expect(fabric.write(a.endpoint, address, Uint8Array.of(1, 2, 3, 4), 1, 2)).toBe('success');
      const found = new Uint8Array(4).fill(9);
      expect(fabric.read(a.endpoint, address, found, 2, 2)).toBe('success');
      expect([...found]).toEqual([9, 9, 2, 3]);
    }
  });

  it('is aborted by a BAR that refuses it, and leaves the buffer alone', () => {
    const machine = new PeerMachine();
    const { fabric, a } = machine;
    const identity = { vendorId: 1, deviceId: 2, classCode: 0x020000 };
    const refusing = { mmioRead: () => false, mmioWrite: () => false };
    const bars = [{ index: 0, bytes: 4096, target: refusing }];
    const endpoint = fabric.addEndpoint(machine.host, { name: 'mute', identity, bars });
    fabric.enumerate();
    endpoint.setCommand({ memory: true, busMaster: false });
    const address = dmaAddr(endpoint.bar(0)?.address ?? 0);
    const found = Uint8Array.of(7);
    expect(fabric.read(a.endpoint, address, found)).toBe('completer-abort');
    expect(fabric.write(a.endpoint, address, found)).toBe('completer-abort');
    expect([found[0], fabric.counters.refused]).toEqual([7, { requests: 2, bytes: 2 }]);
  });

  it('is posted to the log when refused, and otherwise only when asked for', () => {
    const machine = new PeerMachine();
    const { fabric, a, log } = machine;
    log.enabled = true;
    machine.poke(a, dmaAddr(0x10), 1);
    expect(log.events).toEqual([]);
    fabric.write(a.endpoint, dmaAddr(2 ** 31), Uint8Array.of(1, 2));
    fabric.traceRequests = true;
    fabric.read(a.endpoint, dmaAddr(0x20), new Uint8Array(4));
    const requester = a.endpoint.requesterId;
    expect(log.events).toEqual([
      {
        kind: 'hw:refused',
        step: 0,
        requester,
        address: 2 ** 31,
        bytes: 2,
        write: true,
        route: 'refused',
        status: 'unsupported-request',
      },
      {
        kind: 'hw:request',
        step: 0,
        requester,
        address: 0x20,
        bytes: 4,
        write: false,
        route: 'memory',
        status: 'success',
      },
    ]);
  });
});

it('knows no BAR that a function does not have', () => {
  const { fabric, a } = new PeerMachine();
  expect(() => fabric.barPhys(a.endpoint, 1)).toThrow(InternalError);
});
