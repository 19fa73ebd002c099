import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CommandWorld, runCommand } from './command-line.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { gzipped, toySuite, toyText } from './toy-suite.ts';

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function run(folder: string, argv: readonly string[], world: Partial<CommandWorld> = {}): Ran {
  let out = '';
  let err = '';
  const status = runCommand(argv, {
    suites: [toySuite()],
    defaultVectors: folder,
    workingFolders: [folder],
    env: {},
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    ...world,
  });
  return { status, out, err };
}

const lastLine = (text: string): string | undefined => text.trimEnd().split('\n').at(-1);

const threeFiles = {
  'one/good.jsonl.gz': gzipped(toyText([1, 2])),
  'two/bad.jsonl': toyText([1, 2, 3]).replace('"sum":3', '"sum":4'),
  'two/riscv.jsonl': '{"suite":"pgtable","cmd":"pgtable fmt=riscv_64"}\n{"op":"idle"}\n',
};

test('one line per file, then the skipped kinds, then the counts of records; exit 1 on a mismatch', () => {
  const { status, out, err } = run(temporaryFolder(threeFiles), []);
  expect(status).toBe(1);
  expect(err).toBe('');
  const lines = out.trimEnd().split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[0]).toMatch(/^pass toy +one\/good\.jsonl\.gz {2}5\/5$/);
  expect(lines[1]).toMatch(/^FAIL toy +two\/bad\.jsonl {2}5\/6 {2}line 4 \(add\) sum: expected 4, got 3$/);
  expect(lines[2]).toMatch(/^skip pgtable\/riscv +two\/riscv\.jsonl/);
  expect(lines[3]).toContain('not modelled yet: pgtable/riscv, 1 files, 1 records');
  expect(lines[4]).toBe('10 passed, 1 failed, 1 skipped');
});

test('exit 0 when nothing differs', () => {
  const { status, out } = run(temporaryFolder({ 'a.jsonl': toyText([1]) }), []);
  expect(status).toBe(0);
  expect(lastLine(out)).toBe('4 passed, 0 failed, 0 skipped');
});

test('--filter matches file names and suites in any case', () => {
  const folder = temporaryFolder(threeFiles);
  expect(lastLine(run(folder, ['--filter', 'GOOD']).out)).toBe('5 passed, 0 failed, 0 skipped');
  expect(lastLine(run(folder, ['--filter=Toy']).out)).toBe('10 passed, 1 failed, 0 skipped');
  expect(lastLine(run(folder, ['--filter', 'two/']).out)).toBe('5 passed, 1 failed, 1 skipped');
});

test('--json prints one document with the key of every mismatch', () => {
  const { status, out } = run(temporaryFolder(threeFiles), ['--json']);
  expect(status).toBe(1);
  const report = JSON.parse(out);
  expect(report.schema).toBe('sgfree/conformance/v1');
  expect(report.summary).toEqual({ files: 3, withoutRecords: 0, passed: 10, failed: 1, skipped: 1 });
  expect(report.files.map((file: { status: string }) => file.status)).toEqual([
    'passed',
    'failed',
    'skipped',
  ]);
  expect(report.files[1].mismatches).toEqual([
    { key: 'two/bad.jsonl:4:sum', line: 4, kind: 'add', field: 'sum', expected: 4, got: 3 },
  ]);
});

const headerAlone = '{"suite":"toy","start":0}\n';

test('a file of a header alone is named and no failure; no record in any file is one', () => {
  const both = { 'a.jsonl': toyText([1]), 'b.jsonl': headerAlone };
  const { status, out } = run(temporaryFolder(both), []);
  expect(status).toBe(0);
  expect(out).toMatch(/^none toy +b\.jsonl {2}no records$/m);
  expect(lastLine(out)).toBe('4 passed, 0 failed, 0 skipped');
  const { summary, files } = JSON.parse(run(temporaryFolder(both), ['--json']).out);
  expect(summary).toEqual({ files: 2, withoutRecords: 1, passed: 4, failed: 0, skipped: 0 });
  expect(files[1]).toMatchObject({ status: 'no-records', records: 0, failed: 0, failure: null });
  for (const argv of [[], ['--json'], ['--self-test']]) {
    expect(run(temporaryFolder({ 'b.jsonl': headerAlone }), argv).status).toBe(1);
    expect(run(temporaryFolder(both), [...argv, '--filter', 'b.json']).status).toBe(1);
  }
  const selfTest = run(temporaryFolder({ ...both, 'a.jsonl': toyText([1, 0]) }), ['--self-test']);
  expect(selfTest.status).toBe(0);
  expect(lastLine(selfTest.out)).toMatch(/^self-test: 1 files, .*, 1 without records$/);
});

test('what lies beside the files is told: compared, not used, and where a file was not chosen nothing', () => {
  const folder = temporaryFolder({
    'a/x.jsonl': toyText([1, 2]),
    'a/dumps/x.txt': '3\n',
    'a/other_trace.txt': '',
    'a/debugfs/y_domain_translation_struct.txt.gz': '',
    'a/debugfs/iommu_regset.txt': '',
    'b/y.jsonl': toyText([1]),
    'b/trace_dd.txt': '',
  });
  const lines = run(folder, []).out.trimEnd().split('\n');
  expect(lines.slice(2)).toEqual([
    'no record file used a/debugfs/: y_domain_translation_struct.txt',
    'no record file used a/: other_trace.txt',
    'no record file used b/: trace_dd.txt',
    'no record file used, in all: 1 dumps, 2 traces',
    'compared beside the records: 0 dumps, 0 traces, 1 other files',
    '9 passed, 0 failed, 0 skipped',
  ]);
  const { companions, files } = JSON.parse(run(folder, ['--json']).out);
  expect(companions).toMatchObject({
    compared: ['a/dumps/x.txt'],
    unused: ['a/debugfs/y_domain_translation_struct.txt', 'a/other_trace.txt', 'b/trace_dd.txt'],
    missing: [],
  });
  expect(files[0].companions).toEqual({ compared: ['a/dumps/x.txt'], inputs: [], missing: [] });
  const chosen = JSON.parse(run(folder, ['--json', '--filter', 'b/']).out);
  expect(chosen.companions.unused).toEqual(['b/trace_dd.txt']);
});

test('--vectors is tried from each working folder', () => {
  const folder = temporaryFolder({ 'deep/a.jsonl': toyText([1]) });
  const world = { workingFolders: [join(folder, 'elsewhere'), folder], defaultVectors: '/nowhere' };
  expect(run(folder, ['--vectors', 'deep'], world).status).toBe(0);
  expect(run(folder, ['--vectors', 'deep/a.jsonl'], world).status).toBe(0);
});

test.each([
  [['--vectors', 'missing']],
  [['--vectors', '']],
  [['--vectors', '\0']],
  [['--vectors', '/dev/null']],
  [['--vectors']],
  [['--filter', 'matches nothing']],
  [['--fliter', 'good']],
  [['surplus']],
])('bad usage %j exits 2 and says where help is', (argv) => {
  const { status, out, err } = run(temporaryFolder(threeFiles), argv);
  expect(status).toBe(2);
  expect(out).toBe('');
  expect(err).toContain('--help');
});

test('an unknown flag names the nearest one', () => {
  expect(run('.', ['--fliter', 'x']).err).toContain('--filter');
});

test('a folder without record files is bad usage, not a pass', () => {
  expect(run(temporaryFolder({ 'README.md': 'nothing' }), []).status).toBe(2);
});

test('--help exits 0', () => {
  const { status, out } = run('.', ['--help']);
  expect(status).toBe(0);
  expect(out).toContain('--self-test');
  expect(out).toContain('Examples:');
});

test('colour and progress appear on terminals only, and NO_COLOR wins', () => {
  const folder = temporaryFolder(threeFiles);
  const escapeCode = '\u001b[';
  const terminal = { stdoutIsTerminal: true, stderrIsTerminal: true };
  expect(run(folder, []).out).not.toContain(escapeCode);
  const shown = run(folder, [], terminal);
  expect(shown.out).toContain(escapeCode);
  expect(shown.err).toContain('3/3 two/riscv.jsonl');
  expect(run(folder, [], { ...terminal, env: { NO_COLOR: '1' } }).out).not.toContain(escapeCode);
  expect(run(folder, [], { env: { FORCE_COLOR: '1' } }).out).toContain(escapeCode);
});

test('--self-test passes on a strict suite and fails on a wrong file', () => {
  const good = run(temporaryFolder({ 'a.jsonl': toyText([1, 0]) }), ['--self-test']);
  expect(good.status).toBe(0);
  expect(lastLine(good.out)).toMatch(/^self-test: 1 files, \d+ alterations noticed, 0 not noticed, 0 leaks/);
  expect(run(temporaryFolder(threeFiles), ['--self-test']).status).toBe(1);
  const json = run(temporaryFolder({ 'a.jsonl': toyText([1, 0]) }), ['--self-test', '--json']);
  expect(JSON.parse(json.out).schema).toBe('sgfree/conformance-self-test/v1');
});
