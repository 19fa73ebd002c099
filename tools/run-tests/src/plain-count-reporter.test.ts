import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const vitest = fileURLToPath(new URL('../node_modules/.bin/vitest', import.meta.url));
const reporter = fileURLToPath(new URL('../../plain-count-reporter.ts', import.meta.url));

function lastLine(files: Readonly<Record<string, string>>): {
  status: number | null;
  last: string | undefined;
} {
  const folder = mkdtempSync(join(tmpdir(), 'sgfree-reporter-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(
    join(folder, 'vitest.config.ts'),
    `import { PlainCountReporter } from ${JSON.stringify(reporter)};\n` +
      'export default { test: { globals: true, reporters: [new PlainCountReporter()] } };\n',
  );
  const { status, stdout } = spawnSync(vitest, ['run', '--root', folder], { encoding: 'utf8' });
  return { status, last: stdout.trimEnd().split('\n').at(-1) };
}

const good = "test('a', () => {});\ntest('b', () => {});\n";

test.each<[string, Readonly<Record<string, string>>, number, string]>([
  ['tests that pass', { 'a.test.ts': good }, 0, '2 passed, 0 failed'],
  [
    'a test that fails',
    { 'a.test.ts': `${good}test('c', () => expect(1).toBe(2));\n` },
    1,
    '2 passed, 1 failed',
  ],
  [
    'a file that cannot be loaded',
    { 'a.test.ts': good, 'b.test.ts': "throw new Error('broken');\n" },
    1,
    '2 passed, 1 failed',
  ],
  ['a file without a test', { 'a.test.ts': good, 'b.test.ts': 'export {};\n' }, 1, '2 passed, 1 failed'],
  ['a skipped test', { 'a.test.ts': good.replace("test('a'", "test['skip']('a'") }, 0, '1 passed, 1 failed'],
  [
    'an error outside every test',
    {
      'a.test.ts': `${good}setTimeout(() => { throw new Error('late'); }, 1);\nawait new Promise((r) => setTimeout(r, 50));\n`,
    },
    1,
    '2 passed, 1 failed',
  ],
])('%s', (_, files, status, last) => {
  expect(lastLine(files)).toEqual({ status, last });
});
