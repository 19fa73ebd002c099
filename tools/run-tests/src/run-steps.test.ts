import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import type { CheckStep } from './check-step.ts';
import { readCountLine } from './count-line.ts';
import { runSteps } from './run-steps.ts';
import { checkOnlySteps, testSteps } from './steps.ts';

const node = (script: string, result: CheckStep['result'] = 'one', name = 'step'): CheckStep => ({
  name,
  command: [process.execPath, '-e', script],
  result,
});

async function run(
  ...steps: CheckStep[]
): Promise<{ status: number; out: string; last: string | undefined }> {
  let out = '';
  const status = await runSteps(steps, { folder: tmpdir(), env: process.env }, (text) => {
    out += text;
  });
  return { status, out, last: out.trimEnd().split('\n').at(-1) };
}

test('all steps pass: counts are summed and the last line is the sum', async () => {
  const { status, last } = await run(
    node(''),
    node('console.log("40 passed, 0 failed, 3 skipped")', 'counted'),
    node('console.log("noise"); console.log("2 passed, 0 failed")', 'counted'),
  );
  expect({ status, last }).toEqual({ status: 0, last: '43 passed, 0 failed' });
});

test.each<[string, CheckStep, string]>([
  ['a command that exits with 1', node('process.exit(1)'), '1 passed, 1 failed'],
  ['a command that is killed', node('process.kill(process.pid, "SIGKILL")'), '1 passed, 1 failed'],
  [
    'a program that does not exist',
    { name: 'x', command: ['no-such-program-here'], result: 'one' },
    '1 passed, 1 failed',
  ],
  ['a counted command without a count', node('console.log("fine")', 'counted'), '1 passed, 1 failed'],
  [
    'a counted command that crashed after its count',
    node('console.log("5 passed, 0 failed"); process.exit(3)', 'counted'),
    '6 passed, 1 failed',
  ],
  [
    'a counted command that counted nothing',
    node('console.log("0 passed, 0 failed")', 'counted'),
    '1 passed, 1 failed',
  ],
  [
    'a counted command with failures',
    node('console.log("5 passed, 7 failed"); process.exit(1)', 'counted'),
    '6 passed, 7 failed',
  ],
])('%s makes the run fail and the later steps still run', async (_, step, expected) => {
  const { status, out, last } = await run(step, node('', 'one', 'the later one'));
  expect({ status, last }).toEqual({ status: 1, last: expected });
  expect(out).toContain('the later one ... 1 passed');
});

test('the output of a failed step is shown, that of a passed step is not', async () => {
  const { out } = await run(node('console.log("quiet")'), node('console.error("loud"); process.exit(1)'));
  expect(out).toContain('loud');
  expect(out).not.toContain('quiet');
});

test('a passed step shows the lines that it was asked for, and still counts by its last line', async () => {
  const script = 'console.log("a: 5 states, done"); console.log("noise"); console.log("2 passed, 0 failed")';
  const { out, last } = await run({ ...node(script, 'counted'), shows: / states, / });
  expect(out).toContain('\n  a: 5 states, done\n');
  expect(out).not.toContain('noise');
  expect(last).toBe('2 passed, 0 failed');
});

test('a run without steps has checked nothing and fails', async () => {
  expect(await run()).toMatchObject({ status: 1, last: '0 passed, 1 failed' });
});

test('a count is read from the last count line only', () => {
  expect(readCountLine('1 passed, 1 failed\n2 passed, 0 failed\n')).toEqual({ passed: 2, failed: 0 });
  expect(readCountLine('2 passed, 0 failed today')).toBeUndefined();
});

test('the steps have names of their own', () => {
  const names = [...testSteps, ...checkOnlySteps].map((step) => step.name);
  expect(new Set(names).size).toBe(names.length);
});
