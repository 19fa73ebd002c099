// The matrix of all devices, on machines known wholly and in part.

import { describe, expect, it } from 'vitest';
import { type InventedAcs, inventedMachine } from '../../test/invented-machine.ts';
import { document, p2p } from '../../test/run-p2p.ts';

const REDIRECTED: InventedAcs = { portOfGpu: 0x1d, portOfNic: 0x1d, portOfDrive: 0x01, rootPort: 0x1d };

describe('the matrix', () => {
  it('has a cell for each pair, with verdict and distance', async () => {
    const { code, out, err } = await p2p(['-'], inventedMachine());
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(
      `   G0 N0 S0 G1
G0 .  B4 B4 Z6
N0 B4 .  B4 Z6
S0 B4 B4 .  Z6
G1 Z6 Z6 Z6 .
`,
    );
    expect(out).toContain('6 pairs, each in both directions');
    expect(out).toContain(
      "CPU not known (both answers are shown; --cpu decides, Intel's host bridges suggest intel)",
    );
    expect(out).toMatch(/^ +3 {2}B {2}bus address$/m);
    expect(out).toMatch(/^ +3 {2}Z {2}through host bridge on AMD Zen, else not supported$/m);
  });

  it('names devices, what they hang from and which functions redirect', async () => {
    const { out } = await p2p(['-'], inventedMachine(REDIRECTED));
    expect(out).toMatch(
      /^N0 {2}0000:04:00\.0 {2}0 .* 0000:02:01\.0 of switch 0000:01:00\.0 {2}Mellanox Technologies MT2910 Family \[ConnectX-7\]$/m,
    );
    expect(out).toMatch(/^ +2 {2}0000:02:00\.0 {2}ReqRedir\+ CmpltRedir\+ {2}switch downstream port/m);
    expect(out).toMatch(/^ +0 {2}0000:80:01\.0 {2}ReqRedir\+ CmpltRedir\+ {2}root port/m);
    expect(out).toContain('1 more with ACS bits set, but none that redirects');
    expect(out).toContain('  pci=disable_acs_redir=0000:02:00.0;0000:02:01.0\n');
  });

  it.each([
    ['zen', 'H'],
    ['intel', 'N'],
    ['amd-older', 'N'],
    ['hygon', 'N'],
  ])('on %s decides what the CPU decides', async (cpu, code) => {
    const { out } = await p2p(['-', '--cpu', cpu], inventedMachine());
    expect(out).toContain(`G1 ${code}6 ${code}6 ${code}6 .\n`);
  });

  it('counts as a document as it does as text', async () => {
    const { summary, pairs, devices } = await document(['--cpu', 'intel'], inventedMachine(REDIRECTED));
    expect(devices.map(({ label }) => label)).toEqual(['G0', 'N0', 'S0', 'G1']);
    expect(summary).toMatchObject({
      pairs: 6,
      verdicts: { busAddr: 0, thruHostBridge: 3, cpuDecides: 0, notSupported: 3, unknown: 0 },
      redirecting: [
        { address: '0000:02:00.0', acsControl: '0x1d', pairs: 2 },
        { address: '0000:02:01.0', acsControl: '0x1d', pairs: 2 },
        { address: '0000:00:01.0', pairs: 0 },
        { address: '0000:80:01.0', pairs: 0 },
      ],
      acsWithoutRedirect: 1,
      plan: { argument: 'pci=disable_acs_redir=0000:02:00.0;0000:02:01.0', gainedPairs: 3 },
    });
    expect(pairs[0]).toMatchObject({
      from: '0000:04:00.0',
      to: '0000:03:00.0',
      verdict: 'thru-host-bridge',
      rule: 'host-bridge-listed',
      redirecting: ['0000:02:00.0', '0000:02:01.0'],
      common: '0000:01:00.0',
      distance: 4,
    });
  });

  it('selects by class', async () => {
    const nics = await document(['--class', 'gpu', '--class', '0108'], inventedMachine());
    expect(nics.devices.map(({ label }) => label)).toEqual(['G0', 'S0', 'G1']);
    const all = await document(['--all'], inventedMachine());
    expect(all.devices.map(({ address }) => address)).toEqual(
      ['03', '04', '05', '81'].map((bus) => `0000:${bus}:00.0`),
    );
  });
});

describe('a machine known in part', () => {
  const hidden = inventedMachine({ portOfGpu: undefined });

  it('has unknown verdicts where hidden bits decide, and only there', async () => {
    const { out } = await p2p(['-'], hidden);
    expect(out).toContain('G0 .  ?4 ?4 Z6\n');
    expect(out).toContain('N0 ?4 .  B4 Z6\n');
    expect(out).toMatch(/^ +2 {2}rest on the ACS control of 0000:02:00\.0$/m);
    expect(out).toMatch(/^note: .*0000:02:00\.0.*: run lspci as root$/m);
  });

  it('says of a pair what can come out, and how to find out', async () => {
    const { out } = await p2p(['-', '--from', '04:00.0', '--to', '03:00.0', '--cpu', 'intel'], hidden);
    expect(out).toContain('Verdict   unknown; the same in the other direction\n');
    expect(out).toContain(
      'possible: bus address, through host bridge; not known: the ACS control of 0000:02:00.0',
    );
    expect(out).toContain(
      'ReqRedir? CmpltRedir? UpstreamFwd? EgressCtrl? DirectTrans?  <- not known: may redirect',
    );
    expect(out).toContain('Find out the ACS control of 0000:02:00.0');
  });

  it('leaves out what may be a device of interest, and says so', async () => {
    const nameless = inventedMachine().replace(
      '3D controller: NVIDIA',
      'Gadget of a kind nobody knows: NVIDIA',
    );
    const { out } = await p2p(['-'], nameless);
    expect(out).toContain('note: the dump does not show the class of 0000:03:00.0: left out here');
    expect(out).not.toMatch(/^G0 +0000:03/m);
    expect((await document([], nameless)).leftOut).toEqual(['0000:03:00.0']);
    expect((await document(['--all'], nameless)).leftOut).toEqual([]);
  });

  it('has no list for a kernel that is not known, and says so', async () => {
    const { out } = await p2p(['-', '--kernel', '6.8.0-40', '--cpu', 'intel'], inventedMachine());
    expect(out).toContain('Linux 6.8.0-40: its host-bridge list is unknown for this version');
    expect(out).toContain('G1 ?6 ?6 ?6 .\n');
    expect(out).toMatch(/^ +3 {2}rest on the host-bridge list of Linux 6\.8\.0-40$/m);
  });
});
