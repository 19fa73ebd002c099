// The command on real machines that others published, where they lie beside the project; addresses come from the answers.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { document, p2p } from '../../test/run-p2p.ts';

const server = fileURLToPath(new URL('../../../../../shared/data/gpud/lspci-vvv', import.meta.url));
const present = existsSync(server);

describe('real machines', () => {
  it(present ? 'are there, and are judged below' : 'are NOT THERE: nothing below was judged', () => {
    expect(existsSync(server)).toBe(present);
  });
});

if (present) {
  describe('a server with 8 GPUs and 517 functions', () => {
    it('has GPUs and NICs with bus addresses below one switch, and nothing unknown', async () => {
      const { devices, pairs, summary, dump } = await document([server]);
      expect(dump.functions).toBe(517);
      expect(summary?.verdicts).toMatchObject({ unknown: 0, notSupported: 0, cpuDecides: 0 });
      const kinds = new Map(devices.map(({ address, kind }) => [address, kind]));
      const direct = pairs.filter(
        ({ from, to, verdict }) =>
          verdict === 'bus-addr' && ['gpu nic', 'nic gpu'].includes(`${kinds.get(from)} ${kinds.get(to)}`),
      );
      expect(direct.length).toBeGreaterThanOrEqual(8);
    });

    it('names the switch of such a pair', async () => {
      const { devices, pairs } = await document([server]);
      const gpus = devices.filter(({ kind }) => kind === 'gpu').map(({ address }) => address);
      const pair = pairs.find(({ verdict, to }) => verdict === 'bus-addr' && gpus.includes(to));
      const { out } = await p2p([server, '--from', pair?.from ?? '', '--to', pair?.to ?? '']);
      expect(out).toContain('Verdict   bus address');
      expect(out).toMatch(new RegExp(`^Common {4}${pair?.common} \\(.*Switch`, 'm'));
      expect(out).toContain('switch-local');
    });

    it('says of two sockets which rule decides', async () => {
      const { devices } = await document([server, '--class', 'gpu']);
      const ends = [0, 1].map(
        (node) => devices.filter(({ numaNode }) => numaNode === node).at(-1)?.address ?? '',
      );
      const argv = [server, '--from', ends[0] ?? '', '--to', ends[1] ?? ''];
      expect((await p2p(argv)).out).toMatch(/^Rule {6}allow list: Linux 7\.3\.4 lists pci/m);
      expect((await p2p([...argv, '--cpu', 'zen'])).out).toMatch(/^Rule {6}CPU rule/m);
      expect((await p2p([...argv, '--kernel', '6.8', '--cpu', 'intel'])).out).toContain('Verdict   unknown');
    });

    it('has few functions that redirect, on no way between these devices', async () => {
      const { summary } = await document([server]);
      expect(summary?.redirecting.length).toBeGreaterThan(0);
      expect(summary?.redirecting.every(({ pairs }) => pairs === 0)).toBe(true);
    });
  });
}
