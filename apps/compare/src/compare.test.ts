// The main job through the command line: real lists, real verdicts, and every planted fault caught.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RevokeReport, StageReport, Verdict } from '@sgfree/roadmap';
import { describe, expect, it } from 'vitest';
import { type Ended, runCommand } from '../test/run-command.ts';

const requestsFolder = fileURLToPath(new URL('../requests/', import.meta.url));
const lists = ['nvio_small.jsonl.gz', 'nvio_huge.jsonl', 'nvio_wide.jsonl.gz'];

interface JudgedRevoke extends RevokeReport {
  readonly verdict: Verdict;
}

interface Document {
  readonly schema: string;
  readonly machine: { readonly ram: readonly { readonly start: string; readonly last: string }[] };
  readonly lists: readonly {
    readonly requests: { readonly source: string; readonly pages: string };
    readonly stages: readonly StageReport[];
    readonly verdict: Verdict;
  }[];
  readonly peers: {
    readonly requests: { readonly source: string; readonly ios: number; readonly iosInList: number };
    readonly variants: readonly {
      readonly key: string;
      readonly peer: string;
      readonly iommu: boolean;
      readonly stages: readonly StageReport[];
      readonly verdict: Verdict;
    }[];
  };
  readonly revoke: {
    readonly variants: readonly {
      readonly key: string;
      readonly revokes: readonly JudgedRevoke[];
    }[];
    readonly verdict: Verdict;
  } | null;
  readonly rangeListRevoke: Document['revoke'];
  readonly verdict: Verdict;
}

const run = (argv: readonly string[], stdin = ''): Promise<Ended> =>
  runCommand(argv, stdin, { requestsFolder });

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

describe('sgfree compare', () => {
  it('runs the recorded lists at every stage, in RAM and in a peer, and ends with the verdict', async () => {
    const { code, out, err } = await run(['compare']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(lastLine(out)).toBe('OK: 11 comparisons, every byte right at every stage of each');
    for (const name of ['nvio_small', 'nvio_huge', 'nvio_wide']) expect(out).toContain(`requests: ${name}`);
    expect(out).toContain('stage 0: scatterlist, dma_map_sg');
    expect(out).toContain('stage 1: two-step IOVA API');
    expect(out).toContain('stage 2: physical ranges, no struct page');
    expect(out).toContain('stage 3:  exported BAR, scatterlist table');
    expect(out).toContain('stage 4:  exported BAR, no scatterlist in RDMA');
    expect(out).toContain(
      'stage 5:  exported BAR, range list by mapping type (agreed on: DMA Mapped Range List)',
    );
    expect(out).toMatch(
      /\nOK: stage 5: \d+ revokes under traffic over \d+ range lists, 0 scatterlist entries, and beside it over \d+ tables, \d+ warnings; /,
    );
    expect(out).toMatch(/\nOK: stage 6: \d+ revokes under traffic; /);
    expect(out).toMatch(/\nOK: stage 7: 24 revokes under a passed-through device; /);
    expect(out).toMatch(/\nOK: stage 8: 24 exchanges, \d+ bytes right; .* scatterlist entries \d+ -> 0, /);
    expect(out).toMatch(/data in a peer's BAR\nrequests: nvio_small .*: \d+ of 60 I\/Os/);
    for (const place of ['below the same switch', 'below another root port']) {
      for (const state of ['on', 'off']) {
        expect(out).toMatch(
          new RegExp(
            `\npeer ${place}, IOMMU ${state}: OK: .*every byte right at stages 0, 1, 2, 3, 4 and 5; ` +
              'struct page memory 4194304 -> 4194304 -> 0 -> 0 -> 0 -> 0 bytes; ' +
              'scatterlist entries changed by RDMA 1 -> 0 -> 0, handed out 1 -> 1 -> 0\n',
          ),
        );
      }
    }
  });

  it('gives the verdict of one list', async () => {
    const { code, out } = await run(['compare', '-r', join(requestsFolder, 'nvio_small.jsonl.gz')]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /\nOK: every byte right at stages 0, 1 and 2; \d+ two-step requests: same IOMMU work; /,
    );
    expect(lastLine(out)).toBe('OK: 5 comparisons, every byte right at every stage of each');
  });

  it('prints one JSON document with the reports of every list', async () => {
    const files = lists.flatMap((name) => ['-r', join(requestsFolder, name)]);
    const { code, out } = await run(['compare', ...files, '--json']);
    expect(code).toBe(0);
    const document = JSON.parse(out) as Document;
    expect(document.schema).toBe('sgfree/compare/v1');
    expect(document.machine.ram[1]).toEqual({ start: '0x100000000', last: '0x47fffffff' });
    expect(document.lists.map(({ requests }) => requests.pages)).toEqual(['4K', '2M', '4K']);
    for (const { stages, verdict } of document.lists) {
      expect(verdict.ok).toBe(true);
      expect(stages.map(({ stage }) => stage)).toEqual([0, 1, 2]);
      expect(stages.map(({ total }) => total.structPagesTouched === 0)).toEqual([false, false, true]);
    }
    expect(document.lists[2]?.stages[1]?.requestWork).toMatchObject({
      mapCalls: 3194,
      unmapCalls: 1702,
      invalidationCommands: 1702,
    });
  });

  it('tells in the document how data in a peer moved: variant by variant, by the fabric counters', async () => {
    const { out } = await run(['compare', '-r', join(requestsFolder, 'nvio_wide.jsonl.gz'), '--json']);
    const { peers } = JSON.parse(out) as Document;
    expect(peers.requests.source).toContain('nvio_wide');
    expect(peers.requests.ios).toBeLessThan(peers.requests.iosInList);
    expect(peers.variants.map(({ peer, iommu }) => [peer, iommu])).toEqual([
      ['switch', true],
      ['switch', false],
      ['host-bridge', true],
      ['host-bridge', false],
    ]);
    for (const { peer, iommu, stages, verdict } of peers.variants) {
      expect(verdict.ok).toBe(true);
      expect(stages.map(({ stage }) => stage)).toEqual([0, 1, 2, 3, 4, 5]);
      for (const { fabric, bytesVerified, requestWork, setup, exported } of stages) {
        const [taken, other] =
          peer === 'switch'
            ? [fabric.switchLocal, fabric.hostBridge]
            : [fabric.hostBridge, fabric.switchLocal];
        expect([taken.bytes, other.bytes]).toEqual([bytesVerified, 0]);
        const translated = iommu && peer === 'host-bridge';
        if (exported === null) expect(requestWork.iovaAllocations > 0).toBe(translated);
        else expect([requestWork.iovaAllocations, setup.iovaAllocations]).toEqual([0, translated ? 1 : 0]);
      }
      expect(stages.map((report) => report.peer?.structPageBytes)).toEqual([2 ** 22, 2 ** 22, 0, 0, 0, 0]);
      const tables = stages.flatMap(({ exported }) => (exported === null ? [] : [exported]));
      expect(tables.map(({ importer, tableEntries }) => [importer, tableEntries])).toEqual([
        ['table', 1],
        ['ranges', 1],
        ['ranges', 0],
      ]);
      expect(
        tables.map(({ entriesChanged, entriesWithoutPage }) => [entriesChanged, entriesWithoutPage]),
      ).toEqual([
        [1, 1],
        [0, 1],
        [0, 0],
      ]);
      for (const { workRequests, completions } of tables)
        expect(completions).toEqual({ SUCCESS: workRequests });
    }
  });

  it('a bus address handed out where the route goes through the host bridge is noticed', async () => {
    const file = join(requestsFolder, 'nvio_small.jsonl.gz');
    const { code, out, err } = await run(['compare', '-r', file, '--plant', 'forced-bus-address']);
    expect(err).toBe('');
    expect(code).toBe(1);
    expect(out).toContain('planted:  forced-bus-address');
    expect(out).toMatch(/\npeer below another root port, IOMMU on: FAILED: .*the IOMMU blocked the device/);
    expect(out).toMatch(/\npeer below the same switch, IOMMU on: OK: /);
    expect(out).toMatch(/\nOK: every byte right at stages 0, 1 and 2; /);
    expect(lastLine(out)).toBe('FAILED: 1 of 5 comparisons failed');
  });

  it("keeps Linux's leak of entry arrays where it is asked for, and says so", async () => {
    const file = join(requestsFolder, 'nvio_small.jsonl.gz');
    const { code, out } = await run(['compare', '-r', file, '--plant', 'phys-vec-leaks', '--stage', '3']);
    expect(code).toBe(1);
    expect(out).toMatch(/\n {2}scatterlist memory left behind, bytes +32\n/);
    expect(out).toMatch(/\npeer below the same switch, IOMMU on: FAILED: stage 3: .*outlived their tables/);
    expect(lastLine(out)).toBe('FAILED: 4 of 4 comparisons failed');
  });

  it.each([
    ['1', [1], [1]],
    ['4', [], [4]],
  ])('runs stage %s alone', async (stage, inRam, inPeer) => {
    const file = join(requestsFolder, 'nvio_small.jsonl.gz');
    const { code, out } = await run(['compare', '-r', file, '--stage', stage, '--json']);
    expect(code).toBe(0);
    const { lists: own, peers, verdict } = JSON.parse(out) as Document;
    expect(own.flatMap(({ stages }) => stages.map((report) => report.stage))).toEqual(inRam);
    for (const { stages } of peers.variants) expect(stages.map((report) => report.stage)).toEqual(inPeer);
    expect(verdict.line).toBe(`OK: ${4 + inRam.length} comparisons, every byte right at every stage of each`);
    const text = await run(['compare', '-r', file, '--stage', stage]);
    expect(text.out).toContain(`every byte right at stage ${stage};`);
    expect(lastLine(text.out)).toBe(verdict.line);
  });

  it('runs stage 5 alone: traffic and revokes without a scatterlist, the deprecated operation beside it', async () => {
    const { code, out } = await run(['compare', '--stage', '5', '--json']);
    expect(code).toBe(0);
    const { lists: own, peers, revoke, rangeListRevoke, verdict } = JSON.parse(out) as Document;
    expect([own, revoke, peers.variants.length]).toEqual([[], null, 4]);
    expect(verdict.ok).toBe(true);
    for (const { stages } of peers.variants) {
      const [report] = stages;
      expect([stages.length, report?.stage]).toEqual([1, 5]);
      expect(report?.exported).toMatchObject({
        tables: 0,
        negotiated: { agreed: { 'DMA Mapped Range List': 1 }, rangeLists: 1, deprecatedImports: 0 },
      });
      const { beside } = report ?? {};
      expect(beside?.exported).toMatchObject({
        tables: 1,
        negotiated: { agreed: { 'DMA Mapped Scatter Gather Table': 1 }, rangeLists: 0, deprecatedImports: 1 },
      });
      expect(beside?.bytesVerified).toBe(report?.bytesVerified);
      expect(beside?.fabric).toEqual(report?.fabric);
    }
    const revokes = (rangeListRevoke?.variants ?? []).flatMap((variant) => variant.revokes);
    expect(revokes.length).toBeGreaterThanOrEqual(48);
    expect(new Set(revokes.map(({ input }) => input.op))).toEqual(new Set(['range-list', 'deprecated']));
    for (const { verdict: one, accesses, crossed, stage, input } of revokes) {
      expect([one.ok, accesses.late, stage.stage]).toEqual([true, 0, 5]);
      if (input.op === 'range-list') expect([crossed.tables, crossed.deprecatedImports]).toEqual([0, 0]);
      else expect(crossed.rangeLists).toBe(0);
    }
  });

  it('a leak of entry arrays beside stage 5 is noticed, and no revoke stands beside a planted fault', async () => {
    const file = join(requestsFolder, 'nvio_small.jsonl.gz');
    const { code, out } = await run(['compare', '-r', file, '--plant', 'phys-vec-leaks', '--stage', '5']);
    expect(code).toBe(1);
    expect(out).toMatch(/IOMMU on: FAILED: stage 5: the deprecated operation beside it failed/);
    expect(lastLine(out)).toBe('FAILED: 4 of 4 comparisons failed');
  });

  it('takes a BAR back at stage 6, and tells when', async () => {
    const { code, out } = await run(['compare', '--stage', '6', '--json']);
    expect(code).toBe(0);
    const { lists: own, peers, revoke, verdict } = JSON.parse(out) as Document;
    expect([own, peers]).toEqual([[], null]);
    expect(verdict).toEqual(revoke?.verdict);
    expect(revoke?.variants.map(({ key }) => key)).toEqual([
      'switch-iommu',
      'switch-direct',
      'host-bridge-iommu',
      'host-bridge-direct',
    ]);
    for (const { revokes } of revoke?.variants ?? []) {
      for (const { timings, accesses, verdict: one } of revokes) {
        expect(one.ok).toBe(true);
        expect(accesses.late).toBe(0);
        if (timings.waitReturned !== null) {
          expect(timings.lastAccess).toBeLessThanOrEqual(timings.waitReturned);
        }
      }
      expect(revokes.filter(({ timings }) => timings.waitReturned !== null).length).toBeGreaterThan(4);
    }
  });

  it.each([
    [['--stage', '3', '--topology', 'x.txt', '--initiator', '01:00.0', '--target', '02:00.0'], '--stage'],
    [['--stage', '9'], '--stage'],
    [['--stage', 'three'], '--stage'],
    [['--stage', '8', '-r', 'list.jsonl'], '--requests'],
    [['--stage', '4', '--plant', 'flipped-byte'], '--plant'],
    [['--stage', '6', '--plant', 'forced-bus-address'], '--plant'],
    [['--stage', '6', '-r', 'list.jsonl'], '--requests'],
    [['--stage', '0', '--plant', 'phys-vec-leaks'], '--plant'],
    [['--stage', '7', '--plant', 'deaf'], '--plant'],
    [['--stage', '6', '--memory', '1G'], '--memory'],
    [['--stage', '8', '--pages', '4k'], '--pages'],
  ])('refuses %j, at %s', async (argv, where) => {
    const { code, out, err } = await run(['compare', ...argv]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^sgfree: [^\n]+, expected [^\n]+\n$/);
    expect(err.startsWith(`sgfree: ${where}: found `)).toBe(true);
  });

  it('is a pure function of its input: the same twice, other data with another seed', async () => {
    const of = async (seed: string): Promise<string> =>
      (await run(['compare', '-r', join(requestsFolder, 'nvio_huge.jsonl'), '--json', '--seed', seed])).out;
    const once = await of('7');
    expect(await of('7')).toBe(once);
    expect(await of('8')).not.toBe(once);
  });

  it.each(lists)('says for %s what the planted fault broke, and exits 1', async (name) => {
    for (const fault of ['cleared-entry', 'skipped-invalidation', 'swapped-links', 'flipped-byte']) {
      const { code, out, err } = await run(['compare', '-r', join(requestsFolder, name), '--plant', fault]);
      expect(err).toBe('');
      expect(code).toBe(1);
      expect(out).toContain(`planted:  ${fault}`);
      expect(lastLine(out)).toMatch(/^FAILED: stage 0: .* \| stage 1: .* \| stage 2: /);
      expect(out).not.toContain("data in a peer's BAR");
      expect(out).not.toContain('no request fits');
    }
  });

  it('runs nothing in a peer where no I/O is small enough, and says so', async () => {
    const pieces = Array.from(
      { length: 5 },
      (_, i) => `["0x${(0x100000000 + i * 2 ** 21).toString(16)}",1048576]`,
    );
    const record = `{"op":"read","pos":0,"total":5242880,"iov":[[5242880,[${pieces.join(',')}]]]}`;
    const { code, out } = await run(['compare', '-r', '-'], record);
    expect(code).toBe(0);
    expect(out).toContain("data in a peer's BAR: not run: no I/O of <stdin> is small enough");
    expect(lastLine(out)).toMatch(/^OK: every byte right at stages 0, 1 and 2; /);
    const { out: json } = await run(['compare', '-r', '-', '--json'], record);
    expect((JSON.parse(json) as Document).peers).toMatchObject({
      requests: { ios: 0, iosInList: 1 },
      variants: [],
    });
  });

  it('takes a list from standard input', async () => {
    const record = '{"op":"write","pos":0,"total":512,"iov":[[512,[["0x100000200",512]]]]}';
    const { code, out } = await run(['compare', '-r', '-'], record);
    expect(code).toBe(0);
    expect(out).toContain('requests: <stdin>: 1 I/O, 512 bytes');
  });
});
