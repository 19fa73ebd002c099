// `sgfree replay` through the command line: counts against the trace's own lines, every kind of input, the document.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { replayDocumentSchema } from '../../test/replay-schema.ts';
import { type Ended, runCommand } from '../../test/run-command.ts';
import type { World } from '../world.ts';

const io = fileURLToPath(new URL('../../../../vectors/kernel/io/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sgfree-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function run(
  argv: readonly string[],
  stdin: readonly Uint8Array[] = [],
  changes: Partial<World> = {},
): Promise<Ended> {
  return await runCommand(['replay', ...argv], stdin, { readStdin: () => null, ...changes });
}

async function documentOf(argv: readonly string[], stdin: readonly Uint8Array[] = []) {
  const { code, out, err } = await run([...argv, '--json'], stdin);
  expect([code, err]).toEqual([0, '']);
  return replayDocumentSchema.parse(JSON.parse(out));
}

type Document = Awaited<ReturnType<typeof documentOf>>;

function runOf({ runs }: Document, stage: number, mode: string) {
  const found = runs.find((one) => one.stage === stage && one.mode === mode);
  if (found === undefined) throw new Error('no such run');
  return found;
}

const linesOf = (path: string): string[] => gunzipSync(readFileSync(path)).toString().split('\n');
const matching = (lines: readonly string[], pattern: RegExp): number =>
  lines.filter((line) => pattern.test(line)).length;
const WHOLE_DOMAIN = /: cache_tag_flush_range: .*\[0x0-0xffffffffffffffff\]/;

describe.each(['small', 'huge', 'wide'])('the recorded trace nvio_%s', (name) => {
  it('costs in strict mode at stage 1 what its own lines say', async () => {
    const path = join(io, 'strict', `trace_nvio_${name}.txt.gz`);
    const lines = linesOf(path);
    const document = await documentOf([path]);
    const { total } = runOf(document, 1, 'strict');
    expect(total.mapCalls).toBe(matching(lines, /: map: /));
    expect(total.unmapCalls).toBe(matching(lines, /: unmap: /));
    expect(total.invalidations.page + total.invalidations.domain).toBe(
      matching(lines, /: qi_submit: iotlb_inv /),
    );
    expect(document.traced.mappings.phys).toBe(matching(lines, /: dma_map_phys: /));
    expect(document.traced.mappings.coherent).toBe(matching(lines, /: dma_alloc: /));
    expect(document.trace.eventLines).toBe(matching(lines, /^ .*: \w+: /));
    for (const mode of ['strict', 'lazy']) {
      expect(runOf(document, 0, mode).total.mapCalls).toBe(total.mapCalls);
      expect(runOf(document, 0, mode).total.entriesWritten).toBe(total.entriesWritten);
    }
  });

  it('flushes single ranges in lazy mode at stage 1 where its own lines do', async () => {
    const path = join(io, 'lazy', `trace_nvio_${name}.txt.gz`);
    const lines = linesOf(path);
    const flushes = matching(lines, /: cache_tag_flush_range: /);
    const { total } = runOf(await documentOf([path]), 1, 'lazy');
    expect(total.mapCalls).toBe(matching(lines, /: map: /));
    expect(total.unmapCalls).toBe(matching(lines, /: unmap: /));
    expect(total.invalidations.page).toBe(flushes - matching(lines, WHOLE_DOMAIN));
    expect(total.flushQueue?.queued).toBe(total.unmapCalls - total.invalidations.page);
    expect(total.flushQueue?.exposureMs?.longest).toBeLessThanOrEqual(10);
  });
});

const VM_START = [
  ['0x0000000000000000', '0x00000000000c0000', '0x00000001a6800000', 786_432],
  ['0x00000000000c0000', '0x0000000000100000', '0x00000001a68c0000', 262_144],
  ['0x0000000000100000', '0x0000000000200000', '0x00000001a6900000', 1_048_576],
  ['0x0000000000200000', '0x0000000000400000', '0x0000000197a00000', 2_097_152],
  ['0x0000000000400000', '0x0000000000600000', '0x0000000197800000', 2_097_152],
  ['0x00000000fffc0000', '0x00000000fffc1000', '0x000000014c17f000', 4096],
].map(
  ([from, to, phys, size], at) =>
    `        qemu-kvm-4575    [008] .......   438.30851${at}: map: IOMMU: iova=${from} - ${to} paddr=${phys} size=${size}\n`,
);

it('takes the start of a virtual machine: table writes and sizes of leaves, the same in every run', async () => {
  const path = file('vm', VM_START.join(''));
  const document = await documentOf([path]);
  expect(document.traced.refused).toEqual({});
  for (const { total, devices } of document.runs) {
    expect(total).toMatchObject({
      mapCalls: 6,
      entriesWritten: 515,
      leavesBySize: { 4096: 513, 2097152: 2 },
    });
    expect(devices).toMatchObject([{ device: 'qemu-kvm-4575', user: 'iommu-api' }]);
  }
  const { out } = await run([path]);
  for (const text of [
    'devices:  0, and 1 direct user of the IOMMU, on 1 CPU',
    '  of them leaves of 2 MiB',
    'direct user of the IOMMU qemu-kvm-4575: 2 mappings',
    'direct users of the IOMMU: an unmanaged domain for each task',
    'stage 1 instead of 0: the same tracking memory and waits in every mode',
  ]) {
    expect(out).toContain(text);
  }
  expect(out).not.toContain('masks:');
});

it.each(['off', 'pt', 'scalable', 'strict_cm', 'forcedac'])('takes traces of mode %s', async (mode) => {
  const suffix = mode === 'off' || mode === 'pt' ? '.txt' : '.txt.gz';
  const document = await documentOf([join(io, mode, `trace_nvio_huge${suffix}`)]);
  expect(runOf(document, 1, 'strict').total.mapped).toBeGreaterThan(0);
  expect(document.traced.refused).toEqual({});
  const { untranslated, mappings } = document.traced;
  expect(untranslated).toBe(mode === 'off' || mode === 'pt' ? mappings.phys + mappings.coherent : 0);
});

it('says of a trace without translation that its ends are missing', async () => {
  const { out } = await run([join(io, 'off', 'trace_nvio_huge.txt')]);
  expect(out).toContain('note:     152 mappings traced without translation');
});

const SMALL = `
       nvme-1 [000] ...1. 1.000000: map: IOMMU: iova=0x00000000fff00000 - 0x00000000fff01000 paddr=0x0000000123456000 size=4096
       nvme-1 [000] ...1. 1.000001: dma_map_phys: 0000:01:00.0 dir=TO_DEVICE dma_addr=fff00000 size=4096 phys_addr=123456000 attrs=
       nvme-1 [001] ...1. 1.002000: unmap: IOMMU: iova=0x00000000fff00000 - 0x00000000fff01000 size=4096 unmapped_size=4096
       nvme-1 [001] ...1. 1.002001: dma_unmap_phys: 0000:01:00.0 dir=TO_DEVICE dma_addr=fff00000 size=4096 attrs=
       nvme-1 [000] ...1. 1.003000: map: IOMMU: iova=0x00000000fff02000 - 0x00000000fff03000 paddr=0x0000000000056000 size=4096
       nvme-1 [000] ...1. 1.003001: dma_map_phys: 0000:02:00.0 dir=FROM_DEVICE dma_addr=fff02010 size=16 phys_addr=56010 attrs=
`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('input', () => {
  it('from a file, from gzip data and from standard input says the same', async () => {
    const documents = [
      await documentOf([file('plain', SMALL)]),
      await documentOf([file('packed', gzipSync(SMALL))]),
      await documentOf(['-'], [bytes(SMALL.slice(0, 300)), bytes(SMALL.slice(300))]),
      await documentOf(['-'], [gzipSync(SMALL)]),
    ];
    for (const { traced, devices, runs } of documents) {
      expect({ traced, devices, runs }).toEqual({
        traced: documents[0]?.traced,
        devices: documents[0]?.devices,
        runs: documents[0]?.runs,
      });
    }
    expect(documents[0]?.trace).toMatchObject({ eventLines: 6, cpus: 2, damage: null });
    expect(documents[0]?.devices.map(({ device, streamingMaskBits }) => [device, streamingMaskBits])).toEqual(
      [
        ['0000:01:00.0', 64],
        ['0000:02:00.0', 32],
      ],
    );
  });

  it('that breaks off is used as far as it goes, and the damage is told', async () => {
    const packed = readFileSync(join(io, 'strict', 'trace_nvio_wide.txt.gz'));
    const half = file('half.gz', packed.subarray(0, packed.length / 2));
    const document = await documentOf([half]);
    expect(document.trace.damage).toBe('gzip data that breaks off');
    expect(runOf(document, 1, 'strict').total.mapped).toBeGreaterThan(100);
    expect((await run([half])).out).toContain('damaged:  gzip data that breaks off');
  });

  it('with bad lines is used, and the lines are counted by kind', async () => {
    const document = await documentOf(['-'], [bytes(`${SMALL}what is this\nCPU:1 [LOST 7 EVENTS]\n`)]);
    expect(document.trace.lostEvents).toBe(7);
    expect(document.trace.problems.map(({ kind, firstLine }) => [kind, firstLine])).toEqual([
      ['not-a-trace-line', 8],
      ['lost-events', 9],
    ]);
  });

  it.each([
    ['nothing', () => file('empty', ''), 'found nothing, expected kernel trace text'],
    ['gzip data of nothing', () => file('empty.gz', gzipSync('')), 'found nothing'],
    ['half a gzip header', () => file('head', Uint8Array.of(0x1f, 0x8b)), 'found gzip data that breaks off'],
    ['one line', () => file('line', 'one\n'), 'found 1 line without'],
    ['other text', () => file('other', 'one\ntwo\n'), 'found 2 lines without an event of the DMA layer'],
    ['binary garbage', () => file('garbage', Uint8Array.of(0, 255, 254, 10, 1, 2)), 'without an event'],
    [
      'markers alone',
      () => file('marks', ' a-1 [000] ..... 1.000000: tracing_mark_write: hello\n'),
      'without an event',
    ],
    ['a missing file', () => join(folder, 'missing'), 'found no such file'],
    ['a directory', () => folder, 'found a directory'],
    ['zstd data', () => file('z', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0)), 'found zstd data'],
  ])('of %s ends with 2 and one line', async (_what, path, message) => {
    const { code, out, err } = await run([path(), '--json']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^sgfree: [^\n]+\n$/);
    expect(err).toContain(message);
  });

  it('without end and without a trace ends', async () => {
    const { code, err } = await run(['/dev/zero']);
    expect(code).toBe(2);
    expect(err).toContain('without an event of the DMA layer');
  });
});

describe('options', () => {
  it('replay one device, and name the others when it is not there', async () => {
    const path = file('devices', SMALL);
    const document = await documentOf([path, '--device', '0000:02:00.0']);
    expect(document.devices.map(({ device }) => device)).toEqual(['0000:02:00.0']);
    expect(document.otherDevices).toEqual(['0000:01:00.0']);
    expect(document.traced.liveAtEnd.count).toBe(1);
    const { code, err } = await run([path, '--device', 'eth0']);
    expect(code).toBe(2);
    expect(err).toContain('found no mapping of eth0, expected one of 0000:01:00.0, 0000:02:00.0');
  });

  it('take a device without its domain, as blame does, and no empty name', async () => {
    const path = file('devices', SMALL);
    const short = await documentOf([path, '--device', '02:00.0']);
    expect(short).toEqual(await documentOf([path, '--device', '0000:02:00.0']));
    const { code, err } = await run([path, '--device', '']);
    expect(code).toBe(2);
    expect(err).toMatch(/^sgfree: --device: found [^\n]+\n$/);
  });

  it('choose stages and modes', async () => {
    const path = file('choice', SMALL);
    const some = await documentOf([path, '--stage', '1', '--mode', 'lazy', '--mode', 'strict']);
    expect(some.runs.map(({ stage, mode }) => [stage, mode])).toEqual([
      [1, 'strict'],
      [1, 'lazy'],
    ]);
  });

  it.each([[['--stage', '2']], [['--mode', 'off']], [['--mode', '--json']], [['--jsn']], [['second']]])(
    '%j are refused',
    async (argv) => {
      const { code, out, err } = await run([file('refused', SMALL), ...argv]);
      expect([code, out]).toEqual([2, '']);
      expect(err).not.toBe('');
    },
  );

  it('without a trace show how to ask', async () => {
    const { code, err } = await run([]);
    expect(code).toBe(2);
    expect(err).toContain('sgfree replay --help');
  });

  it('--help shows examples', async () => {
    const { code, out } = await run(['--help']);
    expect(code).toBe(0);
    for (const text of ['Examples:', '--device', '--stage', '--mode', 'trace-cmd record'])
      expect(out).toContain(text);
  });
});

describe('the text for people', () => {
  it('has every run, every device, what was found and what was inferred, and ends with the verdict', async () => {
    const { code, out, err } = await run([file('text', SMALL)]);
    expect([code, err]).toEqual([0, '']);
    for (const text of [
      '6 events; layout ftrace, clock seconds',
      'mappings: 2 phys; 4,112 bytes',
      'devices:  2, on 2 CPUs, mapping for 0.003 s',
      'lazy instead of strict, stage 1: waits for invalidations 1, the same',
      'unmapped memory stays in reach for up to 10.000 ms',
      '0000:02:00.0: 1 mapping ',
      'never unmapped: 1 mapping (0 certain), 16 bytes, still mapped when the trace ends',
      '    line 6: phys, 16 bytes at 0xfff02010, 0000:02:00.0, nvme-1',
      'masks: 1 of 2 devices',
    ]) {
      expect(out).toContain(text);
    }
    expect(out.trimEnd().split('\n').at(-1)).toBe(
      'OK: 6 runs, 16 translations looked at, nothing left behind',
    );
    for (const line of out.split('\n')) expect(line).toBe(line.trimEnd());
  });

  it('shows on a terminal how far it is after a second', async () => {
    let ms = 0;
    const { err } = await run(['-'], [bytes(SMALL), bytes('\n')], {
      stderrIsTerminal: true,
      now: () => {
        ms += 900;
        return ms;
      },
    });
    expect(err).toContain('0 MiB read, 6 events');
    expect(err.endsWith('\r\u001b[K')).toBe(true);
  });
});
