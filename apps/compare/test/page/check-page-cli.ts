// `npm run check:page`: makes the page of the road and looks at it in a browser. Prints a line a check, last `N passed, M failed`.
// Source followed: the project's rule that a check says plainly what it could not do.
// Simplified: without a browser only the page's text is checked, and that is said; it fails where CHROMIUM names one that is not there.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { browserPath, checkPage, openBrowser, VIEWS } from './page-check.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** Makes the page in `folder` by the command itself. */
function makePage(folder: string): string {
  const file = join(folder, 'road.html');
  const loader = [...process.execArgv, CLI, 'compare', '--html', file];
  const { status, stderr } = spawnSync(process.execPath, loader, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`sgfree compare --html ended with ${status}: ${stderr}`);
  return file;
}

/** What the text alone shows: nothing is fetched and no program is in it. */
function outsideOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  return text.match(/<script|@import|url\(|(?:src|href)="(?!#|data:)[^"]*"/g) ?? [];
}

interface Count {
  passed: number;
  failed: number;
}

function counted(count: Count, check: string, findings: readonly string[]): void {
  count[findings.length === 0 ? 'passed' : 'failed'] += 1;
  for (const finding of findings) process.stdout.write(`FAILED ${check}: ${finding}\n`);
}

/** Looks at the page in every view. */
async function checkInBrowser(
  path: string,
  file: string,
  shots: string | undefined,
  count: Count,
): Promise<void> {
  const browser = await openBrowser(path);
  try {
    for (const view of VIEWS) {
      const shot = shots === undefined ? {} : { shot: join(shots, `${view.name.replace(' ', '-')}.png`) };
      const findings = await checkPage(browser, { url: pathToFileURL(file).href, view, ...shot });
      for (const [check, found] of findings) counted(count, `${view.name}: ${check}`, found);
    }
  } finally {
    await browser.close();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'sgfree-page-'));
const count: Count = { passed: 0, failed: 0 };
try {
  const file = makePage(folder);
  counted(count, 'self-contained', outsideOf(file));
  const path = browserPath(process.env);
  if (path !== null) await checkInBrowser(path, file, process.argv[2], count);
  else {
    process.stdout.write('no browser is installed: the page was not looked at\n');
    const named = process.env['CHROMIUM'] ?? '';
    if (named !== '') counted(count, 'the browser that CHROMIUM names', [`${named} does not exist`]);
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
process.exitCode = count.failed === 0 ? 0 : 1;
