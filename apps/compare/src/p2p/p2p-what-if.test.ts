// Answers before and after a change.

import { describe, expect, it } from 'vitest';
import { type InventedAcs, inventedMachine } from '../../test/invented-machine.ts';
import { document, p2p } from '../../test/run-p2p.ts';

const REDIRECTED: InventedAcs = { portOfGpu: 0x1d, portOfNic: 0x1d, portOfDrive: 0x01, rootPort: 0x1d };

describe('a what-if', () => {
  const clear = ['--what-if', 'clear-acs-redirect=0000:02:00.0'];

  it('shows the cells that change, counts, and registers before and after', async () => {
    const { out } = await p2p(['-', ...clear], inventedMachine(REDIRECTED));
    expect(out).toContain(
      `   G0  N0 S0  G1
G0 .   -  H>B -
N0 -   .  -   -
S0 H>B -  .   -
G1 -   -  -   .
`,
    );
    expect(out).toContain('1 of 6 pairs change; - = as before\n');
    expect(out).toMatch(/^ +0 -> 1 +B {2}bus address$/m);
    expect(out).toContain(
      'before SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-\n',
    );
    expect(out).toContain(
      'after  SrcValid+ TransBlk- ReqRedir- CmpltRedir- UpstreamFwd+ EgressCtrl- DirectTrans-\n',
    );
  });

  it('may be given again, and is one document', async () => {
    const both = [...clear, '--what-if', 'clear-acs-redirect=0000:02:01.0'];
    const { whatIf, pairs } = await document(both, inventedMachine(REDIRECTED));
    expect(pairs).toHaveLength(6);
    expect(whatIf?.registers.map(({ address }) => address)).toEqual(['0000:02:00.0', '0000:02:01.0']);
    expect(whatIf?.changedPairs.map(({ before, after }) => [before.verdict, after.verdict])).toEqual([
      ['thru-host-bridge', 'bus-addr'],
      ['thru-host-bridge', 'bus-addr'],
      ['thru-host-bridge', 'bus-addr'],
    ]);
  });

  it('in the syntax of the kernel explains a comma where a semicolon belongs', async () => {
    const argv = ['-', '--what-if', 'disable_acs_redir=0000:02:00.0,0000:02:01.0'];
    const { code, out } = await p2p(argv, inventedMachine(REDIRECTED));
    expect(code).toBe(0);
    expect(out).toContain('mistake in "0000:02:01.0": a comma ends the option');
    expect(out).toContain('1 of 6 pairs change');
  });

  it('of config_acs takes flags from the right', async () => {
    const { whatIf } = await document(
      ['--what-if', 'config_acs=xxx00xx@pci:1000:0'],
      inventedMachine(REDIRECTED),
    );
    expect(whatIf?.mistakes).toEqual([]);
    expect(whatIf?.registers.map(({ address, after }) => [address, after])).toEqual([
      ['0000:02:00.0', { value: '0x0', unknownBits: '0x11' }],
      ['0000:02:01.0', { value: '0x0', unknownBits: '0x11' }],
      ['0000:02:02.0', { value: '0x0', unknownBits: '0x1' }],
    ]);
    expect(whatIf?.changedPairs).toHaveLength(3);
  });

  it('shows bits that only firmware can tell as open', async () => {
    const argv = ['-', '--from', '03:00.0', '--to', '05:00.0', '--what-if', 'config_acs=0xxx@0000:02:00.0'];
    const { out } = await p2p(argv, inventedMachine(REDIRECTED));
    const [before = '', after = ''] = out.split('After the change');
    expect(before).toContain('Verdict   through host bridge');
    expect(after).toContain('ReqRedir? CmpltRedir- UpstreamFwd? EgressCtrl- DirectTrans-');
  });

  it('that this machine cannot have is bad usage', async () => {
    const { code, err } = await p2p(['-', '--what-if', 'clear-acs-redirect=0000:77:00.0'], inventedMachine());
    expect(code).toBe(2);
    expect(err).toBe('sgfree: <stdin>: found --what-if "0000:77:00.0", expected a function of the dump\n');
  });
});
