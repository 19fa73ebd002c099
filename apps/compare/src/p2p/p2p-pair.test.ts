// One pair, and one device against all others.

import { describe, expect, it } from 'vitest';
import { type InventedAcs, inventedMachine } from '../../test/invented-machine.ts';
import { document, p2p } from '../../test/run-p2p.ts';

const REDIRECTED: InventedAcs = { portOfGpu: 0x1d, portOfNic: 0x1d, portOfDrive: 0x01, rootPort: 0x1d };

describe('a pair', () => {
  it('below one switch is a bus address, and the switch is named', async () => {
    const { out } = await p2p(['-', '--from', '04:00.0', '--to', '0000:03:00.0'], inventedMachine());
    expect(out).toContain(
      'Verdict   bus address (PCI_P2PDMA_MAP_BUS_ADDR); the same in the other direction\n',
    );
    expect(out).toContain('Common    0000:01:00.0 (Broadcom / LSI PEX890xx PCIe Gen 5 Switch)\n');
    expect(out).toContain('Traffic   turns around at 0000:01:00.0 or below; no IOMMU sees it\n');
    expect(out).toContain('Distance  4\n');
    expect(out).toContain('BAR 0: physical 0x380000000000, 64 GiB, 64-bit prefetchable\n');
    expect(out).toContain('note: the initiator must be able to send 46-bit addresses');
  });

  it('is shown hop by hop in the order of a request, with the bit that decides', async () => {
    const { out } = await p2p(['-', '--from', '05:00.0', '--to', '03:00.0'], inventedMachine(REDIRECTED));
    const hops = [...out.matchAll(/^ {2}(initiator|up|common port|down|target) +(0000:\S+)/gm)];
    expect(hops.map(([, role, address]) => `${role} ${address}`)).toEqual([
      'initiator 0000:05:00.0',
      'up 0000:02:02.0',
      'common port 0000:01:00.0',
      'down 0000:02:00.0',
      'target 0000:03:00.0',
    ]);
    expect(out).toContain(
      'ACSCtl: SrcValid+ TransBlk- ReqRedir- CmpltRedir- UpstreamFwd- EgressCtrl- DirectTrans-  <- none of RR, CR, EC: does not redirect',
    );
    expect(out).toContain(
      'ACSCtl: SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-  <- ReqRedir, CmpltRedir: redirects, decides',
    );
    expect(out).toContain('Because   ACS redirection on 0000:02:00.0 sends requests past the common port');
    expect(out).toContain('setpci -s 0000:02:00.0 ECAP_ACS+6.w=0:c\n');
    expect(out).toContain('      pci=disable_acs_redir=0000:02:00.0\n');
  });

  it('on two sockets says which rule decides', async () => {
    const argv = ['-', '--from', '03:00.0', '--to', '81:00.0'];
    const intel = (await p2p([...argv, '--cpu', 'intel'], inventedMachine())).out;
    expect(intel).toContain('Verdict   not supported (PCI_P2PDMA_MAP_NOT_SUPPORTED)');
    expect(intel).toContain(
      'allow list: Linux 7.3.4 does not list pci0000:80 (8086:1234), and the CPU is not AMD Zen',
    );
    expect(intel).toContain('pci_p2pdma_distance() returns -1');
    const zen = (await p2p([...argv, '--cpu', 'zen'], inventedMachine())).out;
    expect(zen).toContain('Verdict   through host bridge (PCI_P2PDMA_MAP_THRU_HOST_BRIDGE)');
    expect(zen).toContain('CPU rule');
    const both = (await p2p(argv, inventedMachine())).out;
    expect(both).toContain(
      'on AMD Zen through host bridge by the CPU rule; on any other not supported, since Linux 7.3.4 does not list pci0000:80 (8086:1234)',
    );
  });

  it('with a row of the list for one host bridge only says that there are two', async () => {
    const haswell = inventedMachine().replaceAll(
      /Intel Corporation Device (?:2020|1234)/g,
      'Intel Corporation Device 2f00',
    );
    const argv = ['-', '--from', '03:00.0', '--to', '81:00.0', '--cpu', 'intel'];
    expect((await p2p(argv, haswell)).out).toContain(
      'Linux 7.3.4 does not allow two different host bridges of this kind: pci0000:00 (8086:2f00) and pci0000:80 (8086:2f00)',
    );
  });

  it('on two sockets is not decided by ports that redirect', async () => {
    const { out } = await p2p(['-', '--from', '03:00.0', '--to', '81:00.0'], inventedMachine(REDIRECTED));
    expect(out).toMatch(
      /^ {2}root +host bridges pci0000:00 \(8086:2020\) and pci0000:80 \(8086:1234\): no common port$/m,
    );
    expect(out).toContain('<- ReqRedir, CmpltRedir: redirects, decides nothing without a common port');
    expect(out).not.toMatch(/decides$/m);
    expect(out).toContain('No register or parameter gives a bus address');
  });

  it.each([
    ['on', 'an IOVA: the DMA API maps the physical range'],
    ['pt', 'the CPU physical address of the BAR (identity domain)'],
    ['off', 'the CPU physical address of the BAR, from the DMA API'],
  ])('through a host bridge with --iommu %s has its form of address', async (iommu, words) => {
    const argv = ['-', '--from', '03:00.0', '--to', '81:00.0', '--cpu', 'zen', '--iommu', iommu];
    const { out } = await p2p(argv, inventedMachine());
    expect(out).toContain(`Address   ${words}`);
    expect(out.includes('0000:03:00.0  none\n')).toBe(iommu === 'off');
  });

  it('is a document with its way and advice', async () => {
    const found = await document(
      ['--from', '04:00.0', '--to', '03:00.0', '--cpu', 'intel'],
      inventedMachine(REDIRECTED),
    );
    expect(found.route?.hops.map(({ address, side }) => [address, side])).toEqual([
      ['0000:04:00.0', 'up'],
      ['0000:02:01.0', 'up'],
      ['0000:01:00.0', 'common'],
      ['0000:02:00.0', 'down'],
      ['0000:03:00.0', 'down'],
    ]);
    expect(found.route?.hops[1]).toMatchObject({ acs: 'shown', acsControl: '0x1d', redirects: true });
    expect(found.advice?.busAddress).toBe('clear-redirect');
    expect(found.advice?.changes.map(({ kind }) => kind)).toContain('clear-redirect');
  });

  it('is told what else each way of clearing takes away, as text and as a document', async () => {
    const argv = ['--from', '04:00.0', '--to', '03:00.0'];
    const { out } = await p2p(['-', ...argv], inventedMachine(REDIRECTED));
    const words = 'note: 0000:02:01.0 loses SV, UF unless firmware had set them\n';
    const at = out.indexOf('      pci=disable_acs_redir=');
    expect(out.indexOf(words, at)).toBeGreaterThan(at);
    const { advice } = await document(argv, inventedMachine(REDIRECTED));
    const ways = advice?.changes.flatMap((change) => (change.kind === 'clear-redirect' ? change.ways : []));
    expect(ways?.map(({ method, losses }) => [method, losses.map(({ maybeLost }) => maybeLost)])).toEqual([
      ['running', []],
      ['disable_acs_redir', ['0x11', '0x11']],
      ['config_acs', []],
    ]);
    expect(ways?.[0]?.remarks.map(({ code }) => code)).toContain('not-permanent');
  });

  it('that egress control refuses in hardware is warned of', async () => {
    const machine = inventedMachine({ portOfGpu: 0x20 });
    const argv = ['--from', '04:00.0', '--to', '03:00.0'];
    expect((await p2p(['-', ...argv], machine)).out).toMatch(
      /^ {2}note: 0000:02:00\.0: egress control is on without request redirect/m,
    );
    const { advice } = await document(argv, machine);
    expect(advice?.remarks).toMatchObject([{ code: 'egress-refuses', of: ['0000:02:00.0'] }]);
    expect((await document(argv, inventedMachine())).advice?.remarks).toEqual([]);
  });

  it('of one device with itself passes nothing', async () => {
    const found = await document(['--from', '04:00.0', '--to', '04:00.0'], inventedMachine());
    expect(found.route).toMatchObject({ verdict: 'bus-addr', distance: 0, common: '0000:04:00.0' });
    expect(found.devices).toHaveLength(1);
  });
});

describe('one end alone', () => {
  it.each(['--from', '--to'])('%s shows it against all others', async (option) => {
    const { out } = await p2p(['-', option, '04:00.0', '--cpu', 'intel'], inventedMachine(REDIRECTED));
    expect(out).toMatch(/^0000:03:00\.0 +through host bridge +4 +ACS redirect on .*; host bridge listed/m);
    expect(out).toMatch(/^0000:81:00\.0 +not supported +6 +host bridge not listed/m);
    expect(out).not.toMatch(/^0000:04:00\.0 +(?:bus|through|not)/m);
  });
});
