// `sgfree compare --topology`: the stages between two functions of a dumped machine, by the way its registers lead, and
// clear words for every pair that cannot be run.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Ended, runCommand } from '../../test/run-command.ts';
import { switchMachine } from '../../test/switch-machine.ts';

const requests = fileURLToPath(new URL('../../requests/nvio_small.jsonl.gz', import.meta.url));
const published = fileURLToPath(new URL('../../../../../shared/data/gpud/lspci-vvv', import.meta.url));
const isPublishedHere = existsSync(published);

const compare = (argv: readonly string[], stdin = ''): Promise<Ended> =>
  runCommand(['compare', '-r', requests, ...argv], stdin);

const pair = (initiator: string, target: string): string[] => [
  '--topology',
  '-',
  '--initiator',
  initiator,
  '--target',
  target,
];

interface Stage {
  readonly bytesVerified: number;
  readonly bytesWrong: number;
  readonly fabric: Readonly<Record<'switchLocal' | 'hostBridge' | 'refused', { readonly bytes: number }>>;
  readonly peer: {
    readonly initiator: string;
    readonly target: string;
    readonly bar: number;
    readonly barBytes: number;
    readonly mapType: string;
    readonly distance: number;
    readonly structPages: number;
  };
}

interface Document {
  readonly schema: string;
  readonly initiator: { readonly address: string; readonly plays: string; readonly registersBar: number };
  readonly target: { readonly address: string; readonly bar: number; readonly barBytes: number };
  readonly route: { readonly mapType: string; readonly distance: number; readonly rule: string };
  readonly kernelRam: { readonly start: string };
  readonly assumed: readonly string[];
  readonly variants: readonly { readonly iommu: boolean; readonly stages: readonly Stage[] }[];
  readonly verdict: { readonly ok: boolean };
}

async function documentOf(argv: readonly string[], stdin: string): Promise<Document> {
  const { code, out, err } = await compare([...argv, '--json'], stdin);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Document;
}

describe('a pair below one switch', () => {
  it('moves every byte inside the switch, at every stage, with an IOMMU and without', async () => {
    const document = await documentOf(pair('03:00.0', '04:00.0'), switchMachine());
    expect(document).toMatchObject({
      schema: 'sgfree/compare-machine/v1',
      initiator: { address: '0000:03:00.0', plays: 'nvme-controller', registersBar: 0 },
      target: { address: '0000:04:00.0', bar: 2, barBytes: 2 ** 30 },
      route: { mapType: 'bus-addr', distance: 4, rule: 'common-port' },
      verdict: { ok: true },
    });
    expect(document.variants.map(({ iommu }) => iommu)).toEqual([true, false]);
    for (const { stages } of document.variants) {
      expect(stages.length).toBe(3);
      for (const { bytesVerified, bytesWrong, fabric, peer } of stages) {
        expect(bytesVerified).toBeGreaterThan(2 ** 20);
        expect(fabric.switchLocal.bytes).toBe(bytesVerified);
        expect([bytesWrong, fabric.hostBridge.bytes, fabric.refused.bytes]).toEqual([0, 0, 0]);
        expect(peer).toMatchObject({
          initiator: '0000:03:00.0',
          target: '0000:04:00.0',
          bar: 2,
          mapType: 'bus-addr',
        });
      }
      expect(stages.map(({ peer }) => peer.structPages)).toEqual([2 ** 18, 2 ** 18, 0]);
    }
  });

  it('goes through the host bridge once ports redirect', async () => {
    const { route, variants } = await documentOf(
      pair('03:00.0', '04:00.0'),
      switchMachine({ redirect: true }),
    );
    expect(route).toEqual({ mapType: 'thru-host-bridge', distance: 4, rule: 'host-bridge-listed' });
    for (const { fabric, bytesVerified, bytesWrong } of variants.flatMap(({ stages }) => stages)) {
      expect([fabric.hostBridge.bytes, fabric.switchLocal.bytes, bytesWrong]).toEqual([bytesVerified, 0, 0]);
    }
  });

  it('stays inside a switch that redirects completions only, where nothing translates, and says so', async () => {
    const { code, out } = await compare(
      pair('03:00.0', '04:00.0'),
      switchMachine({ completionRedirect: true }),
    );
    expect(code).toBe(0);
    expect(out).toContain('route:     through host bridge, distance 4');
    const [on, off] = ['on', 'off'].map((iommu) =>
      out.split('\n').find((line) => line.startsWith(`IOMMU ${iommu}: `)),
    );
    expect([on, off].map((line) => line?.includes('the switch turned data round'))).toEqual([false, true]);
  });

  it('gives the controller the ACS register of the initiator', async () => {
    const text = switchMachine();
    const port = /\n\tCapabilities: \[148 v1\][^\n]*\n[^\n]*\n[^\n]*/.exec(text)?.[0] ?? '';
    const drive = text.indexOf('\n03:00.0');
    const own = text.slice(drive).replace('\n\n', `${port.replace('ReqRedir-', 'ReqRedir+')}\n\n`);
    const { route, variants } = await documentOf(pair('03:00.0', '04:00.0'), text.slice(0, drive) + own);
    expect(route.mapType).toBe('thru-host-bridge');
    const peers = variants.flatMap(({ stages }) => stages.map(({ peer }) => peer.mapType));
    expect(new Set(peers)).toEqual(new Set(['thru-host-bridge']));
  });

  it('says who plays what, what decides, and what was assumed', async () => {
    const { code, out } = await compare(pair('03:00.0', '04:00.0'), switchMachine());
    expect(code).toBe(0);
    expect(out).toContain('initiator: 0000:03:00.0 plays an NVMe controller here');
    expect(out).toMatch(/target: +BAR 2 of 0000:04:00.0, 1 ?G/);
    expect(out).toContain('route:     bus address, distance 4');
    expect(out).toContain('bus and CPU addresses are the same numbers');
    expect(out.trimEnd().split('\n').at(-1)).toContain('OK');
  });
});

describe('a pair below two root ports', () => {
  it('goes through a host bridge that the kernel lists', async () => {
    const { route, variants, assumed } = await documentOf(pair('03:00.0', '06:00.0'), switchMachine());
    expect(route).toEqual({ mapType: 'thru-host-bridge', distance: 6, rule: 'host-bridge-listed' });
    expect(
      variants.flatMap(({ stages }) => stages).every(({ peer }) => peer.mapType === 'thru-host-bridge'),
    ).toBe(true);
    expect(assumed.some((words) => words.startsWith('root complexes forward'))).toBe(true);
  });

  it('is refused, request by request, where it does not, and runs on a Zen', async () => {
    const text = switchMachine({ host: '29c0' });
    const refused = await documentOf([...pair('03:00.0', '06:00.0'), '--cpu', 'intel'], text);
    expect(refused.route).toMatchObject({ mapType: 'not-supported', rule: 'host-bridge-not-listed' });
    expect(
      refused.variants.flatMap(({ stages }) => stages).every(({ fabric }) => fabric.hostBridge.bytes === 0),
    ).toBe(true);
    const zen = await documentOf([...pair('03:00.0', '06:00.0'), '--cpu', 'zen'], text);
    expect(zen.route).toMatchObject({ mapType: 'thru-host-bridge', rule: 'cpu' });
  });
});

it('notices when bus addresses are handed out where ports redirect', async () => {
  const { code, out } = await compare(
    [...pair('03:00.0', '06:00.0'), '--cpu', 'intel', '--plant', 'forced-bus-address'],
    switchMachine({ host: '29c0' }),
  );
  expect(code).toBe(1);
  expect(out).toContain('FAILED');
});

describe('what cannot be run ends with 2 and one line', () => {
  it.each<[string, string[], string, string[]]>([
    [
      'an address that is none',
      pair('nvme0', '04:00.0'),
      switchMachine(),
      ['--initiator', '"nvme0"', 'domain:bus'],
    ],
    [
      'a device that is not there',
      pair('03:00.0', '04:00.1'),
      switchMachine(),
      ['--target "04:00.1"', '0000:04:00.0'],
    ],
    [
      'a bridge as the target',
      pair('03:00.0', '02:01.0'),
      switchMachine(),
      ['a bridge at --target 0000:02:01.0'],
    ],
    [
      'one device twice',
      pair('04:00.0', '04:00.0'),
      switchMachine(),
      ['as initiator and target', 'two devices'],
    ],
    [
      'a target without memory BAR',
      pair('03:00.0', '05:00.0'),
      switchMachine(),
      ['0000:05:00.0 has no memory BAR'],
    ],
    [
      'a BAR that is not there',
      [...pair('03:00.0', '04:00.0'), '--target-bar', '4'],
      switchMachine(),
      ['BAR 4 of 0000:04:00.0 is no memory BAR'],
    ],
    [
      'a BAR without room',
      [...pair('03:00.0', '04:00.0'), '--target-bar', '0'],
      switchMachine(),
      ['no I/O of the list fits BAR 0'],
    ],
    [
      'an initiator without room for registers',
      pair('05:00.0', '04:00.0'),
      switchMachine(),
      ['no such BAR of 0000:05:00.0'],
    ],
    [
      'hidden ACS',
      pair('03:00.0', '04:00.0'),
      switchMachine({ hidden: true }),
      ['the ACS control of 0000:02:00.0'],
    ],
    ['an unknown CPU', pair('03:00.0', '06:00.0'), switchMachine({ host: '29c0' }), ['the CPU (--cpu']],
    [
      'an unknown kernel',
      [...pair('03:00.0', '06:00.0'), '--kernel', '5.15.7'],
      switchMachine(),
      ['host-bridge list of Linux 5.15.7'],
    ],
    ['a text that is no dump', pair('03:00.0', '04:00.0'), 'hello', ['<stdin>:1', 'lspci']],
    ['only one end', ['--topology', '-', '--target', '04:00.0'], switchMachine(), ['no --initiator']],
    ['an end without a machine', ['--target', '04:00.0'], '', ['--target', 'no --topology']],
    [
      'a fault of runs in RAM',
      [...pair('03:00.0', '04:00.0'), '--plant', 'skipped-invalidation'],
      switchMachine(),
      ['--plant'],
    ],
    ['standard input twice', [...pair('03:00.0', '04:00.0'), '-r', '-'], switchMachine(), ['standard input']],
  ])('%s', async (_what, argv, stdin, words) => {
    const { code, out, err } = await compare(argv, stdin);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    for (const word of words) expect(err).toContain(word);
    expect(err.trimEnd().split('\n').length).toBe(1);
  });

  it('a BAR number out of range', async () => {
    const { code, err } = await compare(
      [...pair('03:00.0', '04:00.0'), '--target-bar', '6'],
      switchMachine(),
    );
    expect(code).toBe(2);
    expect(err).toContain('--target-bar');
  });
});

it('needs the published machines for the next test', ({ annotate }) => {
  if (!isPublishedHere)
    void annotate('the published machines (../shared/data) are not here: that test needs them');
  expect(typeof isPublishedHere).toBe('boolean');
});

/** What is not here is not tested; the test above says so. */
const itHere: (name: string, test: () => Promise<void>) => void = isPublishedHere ? it : () => {};

itHere('runs on the published server, below a switch and across sockets', async () => {
  const on = (target: string): string[] => [
    '--topology',
    published,
    '--initiator',
    '1a:00.0',
    '--target',
    target,
  ];
  const near = await documentOf(on('19:00.0'), '');
  expect(near.route).toEqual({ mapType: 'bus-addr', distance: 4, rule: 'common-port' });
  const apart = await documentOf([...on('9c:00.0'), '--cpu', 'intel'], '');
  expect(apart.route).toEqual({ mapType: 'thru-host-bridge', distance: 8, rule: 'host-bridge-listed' });
  expect([near.verdict.ok, apart.verdict.ok]).toEqual([true, true]);
});
