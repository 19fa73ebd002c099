// Interrupts, in processes of their own: in mid-run nothing is left behind, and work that is under way is finished first.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const tsx = at('../../../../node_modules/.bin/tsx');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

let folder = '';
const inFolder = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sgfree-interrupt-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Running {
  readonly kill: (signal: NodeJS.Signals) => void;
  /** The exit status as a shell has it. */
  readonly ended: Promise<number>;
}

function running(argv: readonly string[]): Running {
  const child = spawn(tsx, ['--conditions=@sgfree/source', ...argv], { stdio: 'ignore' });
  const ended = new Promise<number>((resolve) => {
    child.on('close', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
  return { kill: (signal) => child.kill(signal), ended };
}

describe.each(SIGNALS)('%s', (signal) => {
  it('in the middle of a comparison leaves what was there, and nothing else', async () => {
    writeFileSync(inFolder('keep.html'), 'old');
    execFileSync('mkfifo', [inFolder('pipe')]);
    const outputs = ['--html', inFolder('keep.html'), '--perfetto', inFolder('pipe')];
    const { kill, ended } = running([at('../cli.ts'), 'compare', ...outputs]);
    // The pipe opens when the command has looked at all places; what follows is the comparison.
    const reader = await open(inFolder('pipe'), 'r');
    kill(signal);
    expect(await ended).toBe(128 + constants.signals[signal]);
    await reader.close();
    expect(readdirSync(folder).sort()).toEqual(['keep.html', 'pipe']);
    expect(readFileSync(inFolder('keep.html'), 'utf8')).toBe('old');
  });
});

it('SIGTERM in the middle of writing lets the file become whole, and ends the program then', async () => {
  const signal = 'SIGTERM';
  const program = inFolder('program.mts');
  const module = JSON.stringify(at('./uninterrupted.ts'));
  writeFileSync(
    program,
    `import { writeFileSync } from 'node:fs';
import { uninterrupted } from ${module};
const log = (text: string): void => writeFileSync(${JSON.stringify(inFolder('log'))}, text, { flag: 'a' });
await uninterrupted(() => {
  process.kill(process.pid, '${signal}');
  log('whole');
});
log('too far');
`,
  );
  const { ended } = running([program]);
  expect(await ended).toBe(128 + constants.signals[signal]);
  expect(readFileSync(inFolder('log'), 'utf8')).toBe('whole');
});
