// Virtual functions: how a dump shows them, in registers, in words, by links, and when it leaves them open.

import { describe, expect, test } from 'vitest';
import { deriveIommuGroups, readTopologyText, readTopologyTree } from '../src/index.ts';
import { at } from './asking.ts';
import { configText } from './config-machine.ts';

describe('virtual functions', () => {
  const acs =
    '\tCapabilities: [148 v1] Access Control Services\n\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-\n\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-\n';
  const root = `00:01.0 PCI bridge [0604]: A B [1234:0001]\n\tControl: I/O+ Mem+ BusMaster+\n\tStatus: Cap+ 66MHz-\n\tBus: primary=00, secondary=01, subordinate=02, sec-latency=0\n\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00\n${acs}\n`;
  const nic = (name: string, memory: '+' | '-', more = ''): string =>
    `${name} Ethernet controller [0200]: A B [1234:5678]\n\tControl: I/O- Mem${memory} BusMaster+\n\tStatus: Cap+ 66MHz-\n\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n\tCapabilities: [100 v1] Advanced Error Reporting\n${more}\n`;
  const sriov = (enable: '+' | '-', count: number, offset: number): string =>
    `\tCapabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)\n\t\tIOVCap:\tMigration-, Interrupt Message Number: 000\n\t\tIOVCtl:\tEnable${enable} Migration- Interrupt- MSE+ ARIHierarchy+\n\t\tInitial VFs: 8, Total VFs: 8, Number of VFs: ${count}, Function Dependency Link: 00\n\t\tVF offset: ${offset}, stride: 1, Device ID: 5679\n`;
  const facts = (text: string, name: string): unknown[] => {
    const fn = at(readTopologyText(text), name);
    return [
      fn.virtualFunction,
      fn.multifunction,
      typeof fn.upstream === 'string' ? fn.upstream : fn.upstream.name,
    ];
  };

  test('those that a listing counts', () => {
    const text =
      root +
      nic('01:00.0', '+', sriov('+', 2, 1)) +
      nic('01:00.1', '-') +
      nic('01:00.2', '-') +
      nic('01:00.3', '-');
    expect(facts(text, '01:00.1')).toEqual([true, false, '0000:00:01.0']);
    expect(facts(text, '01:00.2')).toEqual([true, false, '0000:00:01.0']);
    expect(facts(text, '01:00.3')).toEqual([false, true, '0000:00:01.0']);
    const { groups } = deriveIommuGroups(
      readTopologyText(
        root + nic('01:00.0', '+', sriov('+', 2, 1)) + nic('01:00.1', '-') + nic('01:00.2', '-'),
      ),
    );
    expect(
      groups.map(({ members, number }) => `${number} ${members.map(({ name }) => name.slice(5)).join(' ')}`),
    ).toEqual(['0 00:01.0', '1 01:00.0', 'unknown 01:00.1', 'unknown 01:00.2']);
  });

  test('on a bus of no bridge', () => {
    const text = root + nic('01:00.0', '+', sriov('+', 2, 0x100)) + nic('02:00.0', '-') + nic('02:00.1', '-');
    expect(facts(text, '02:00.1')).toEqual([true, false, '0000:00:01.0']);
    expect(readTopologyText(text).remarks).toEqual([]);
  });

  test('none where the capability is switched off or missing, or where the function decodes memory', () => {
    const off = root + nic('01:00.0', '+', sriov('-', 0, 1)) + nic('01:00.1', '-');
    expect(facts(off, '01:00.1')).toEqual([false, true, '0000:00:01.0']);
    expect(facts(root + nic('01:00.0', '+') + nic('01:00.1', '-'), '01:00.1')).toEqual([
      false,
      true,
      '0000:00:01.0',
    ]);
    const claimed = root + nic('01:00.0', '+', sriov('+', 1, 1)) + nic('01:00.1', '+');
    expect(facts(claimed, '01:00.1')).toEqual([false, true, '0000:00:01.0']);
  });

  test('open when function 0 is missing, and its registers with it', () => {
    const text = root + nic('01:00.1', '-') + nic('01:00.2', '+');
    expect(facts(text, '01:00.1')).toEqual(['unknown', 'unknown', '0000:00:01.0']);
    expect(facts(text, '01:00.2')).toEqual([false, true, '0000:00:01.0']);
  });

  test('open when the capability is named and its registers are not', () => {
    const named = '\tCapabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)\n';
    const text = root + nic('01:00.0', '+', named) + nic('01:00.1', '-');
    expect(facts(text, '01:00.1')).toEqual(['unknown', 'unknown', '0000:00:01.0']);
    const dump = readTopologyText(text);
    expect(deriveIommuGroups(dump).groupOf(at(dump, '01:00.1'))).toBe('unknown');
  });

  test('bytes and the links of /sys', () => {
    const text = configText({
      '00:01.0': { type: 4, buses: [1, 1], acs: [0x1f, 0x1d] },
      '01:00.0': { type: 0, sriov: [1, 1, 1] },
      '01:00.1': { ids: 'ffff:ffff', type: 0 },
      '01:00.2': { type: 0 },
    });
    expect([facts(text, '01:00.1')[0], facts(text, '01:00.2')[0]]).toEqual([true, false]);
    const sys = readTopologyTree({
      list: (path) =>
        path === 'sys/bus/pci/devices' ? ['0000:01:00.1', '0000:01:00.2', '0000:01:00.3'] : undefined,
      read: () => undefined,
      link: (path) => {
        if (path.endsWith('00.3/subsystem') || path.endsWith('00.1/subsystem')) return '../../bus/pci';
        return path.endsWith('00.1/physfn') ? '../0000:01:00.0' : undefined;
      },
    });
    expect(sys.functions.map(({ virtualFunction }) => virtualFunction)).toEqual([true, 'unknown', false]);
  });
});
