// The machine as a graph.

import { describe, expect, it } from 'vitest';
import { type InventedAcs, inventedMachine } from '../../test/invented-machine.ts';
import { p2p } from '../../test/run-p2p.ts';

const REDIRECTED: InventedAcs = { portOfGpu: 0x1d, portOfNic: 0x1d, portOfDrive: 0x01, rootPort: 0x1d };

describe('graphs', () => {
  it('for Graphviz mark ports that redirect and the way of a pair', async () => {
    const argv = ['-', '--dot', '--from', '04:00.0', '--to', '03:00.0'];
    const { out } = await p2p(argv, inventedMachine(REDIRECTED));
    expect(out).toMatch(/^digraph machine \{\n/);
    expect(out).toMatch(
      /^ {2}f\d+ \[label="0000:02:00\.0\\n.*redirects: ReqRedir\+ CmpltRedir\+", fillcolor="#ffb3b3".*penwidth=3\];$/m,
    );
    expect(out).toContain('Example Inc \\"Fast\\" <SSD> \\\\ 1');
    expect(out.match(/^ {2}\w+ -> \w+ \[penwidth=3/gm)).toHaveLength(4);
    expect(out.trimEnd().endsWith('}')).toBe(true);
  });

  it('for Mermaid escape names and number the links of the way', async () => {
    const argv = ['-', '--mermaid', '--from', '03:00.0', '--to', '81:00.0'];
    const { out } = await p2p(argv, inventedMachine());
    expect(out).toContain('Example Inc #quot;Fast#quot; #lt;SSD#gt; #92; 1');
    const links = out.split('\n').filter((line) => /^ {2}\w+ (?:---|-\.)/.test(line));
    const marked = /linkStyle ([\d,]+) /.exec(out)?.[1]?.split(',').map(Number) ?? [];
    expect(marked.map((position) => links[position])).toHaveLength(7);
    expect(links[marked.at(-1) ?? -1]).toContain('root complex');
  });
});
