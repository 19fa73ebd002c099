// The main job through the command line: real lists, real verdicts, and every planted fault caught.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StageReport, Verdict } from '@sgfree/roadmap';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from './command-line.ts';

const requestsFolder = fileURLToPath(new URL('../requests/', import.meta.url));
const lists = ['nvio_small.jsonl.gz', 'nvio_huge.jsonl', 'nvio_wide.jsonl.gz'];

interface Document {
  readonly schema: string;
  readonly machine: { readonly ram: readonly { readonly start: string; readonly last: string }[] };
  readonly lists: readonly {
    readonly requests: { readonly source: string; readonly pages: string };
    readonly stages: readonly StageReport[];
    readonly verdict: Verdict;
  }[];
  readonly verdict: Verdict;
}

async function run(argv: readonly string[], stdin = ''): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await runCommandLine(argv, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    readStdin: () => new TextEncoder().encode(stdin),
    async *streamStdin() {
      yield new TextEncoder().encode(stdin);
    },
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    env: {},
    now: () => 0,
    requestsFolder,
  });
  return { code, out, err };
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

describe('sgfree compare', () => {
  it('runs the recorded lists, stage 0 beside stage 1, and ends with the verdict', async () => {
    const { code, out, err } = await run(['compare']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(lastLine(out)).toBe('OK: 3 comparisons, every byte right at both stages of each');
    for (const name of ['nvio_small', 'nvio_huge', 'nvio_wide']) expect(out).toContain(`requests: ${name}`);
    expect(out).toContain('stage 0: scatterlist, dma_map_sg');
    expect(out).toContain('stage 1: two-step IOVA API');
  });

  it('ends with the verdict of one list', async () => {
    const { code, out } = await run(['compare', '-r', join(requestsFolder, 'nvio_small.jsonl.gz')]);
    expect(code).toBe(0);
    expect(lastLine(out)).toMatch(
      /^OK: every byte right at both stages; \d+ two-step requests: same IOMMU work; /,
    );
  });

  it('prints one JSON document with the reports of every list', async () => {
    const { code, out } = await run(['compare', '--json']);
    expect(code).toBe(0);
    const document = JSON.parse(out) as Document;
    expect(document.schema).toBe('sgfree/compare/v1');
    expect(document.machine.ram[1]).toEqual({ start: '0x100000000', last: '0x47fffffff' });
    expect(document.lists.map(({ requests }) => requests.pages)).toEqual(['4K', '2M', '4K']);
    for (const { stages, verdict } of document.lists) {
      expect(verdict.ok).toBe(true);
      expect(stages.map(({ stage }) => stage)).toEqual([0, 1]);
    }
    expect(document.lists[2]?.stages[1]?.requestWork).toMatchObject({
      mapCalls: 3194,
      unmapCalls: 1702,
      invalidationCommands: 1702,
    });
  });

  it('is a pure function of its input: the same twice, other data with another seed', async () => {
    const of = async (seed: string): Promise<string> =>
      (await run(['compare', '-r', join(requestsFolder, 'nvio_huge.jsonl'), '--json', '--seed', seed])).out;
    expect(await of('7')).toBe(await of('7'));
    expect(await of('8')).not.toBe(await of('7'));
  });

  it.each(lists)('says for %s what the planted fault broke, and exits 1', async (name) => {
    for (const fault of ['cleared-entry', 'skipped-invalidation', 'swapped-links', 'flipped-byte']) {
      const { code, out, err } = await run(['compare', '-r', join(requestsFolder, name), '--plant', fault]);
      expect(err).toBe('');
      expect(code).toBe(1);
      expect(out).toContain(`planted:  ${fault}`);
      expect(lastLine(out)).toMatch(/^FAILED: stage 0: .* \| stage 1: /);
      expect(out).not.toContain('no request fits');
    }
  });

  it('takes a list from standard input', async () => {
    const record = '{"op":"write","pos":0,"total":512,"iov":[[512,[["0x100000200",512]]]]}';
    const { code, out } = await run(['compare', '-r', '-'], record);
    expect(code).toBe(0);
    expect(out).toContain('requests: <stdin>: 1 I/Os, 512 bytes');
  });
});
