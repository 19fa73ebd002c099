// PageCheck: the page of the road in a real browser: it asks for nothing, complains of nothing, and everything on it can be seen.
// Source followed: the project's web conventions.
// Simplified: one browser, headless Chromium.

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { LOOK_AROUND, type Seen } from './look-around.ts';

/** Where Debian puts it; the environment may name another place. */
const BROWSERS: readonly string[] = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** The browser's program; null where none is installed. */
export function browserPath(env: Readonly<Record<string, string | undefined>>): string | null {
  const named = env['CHROMIUM'];
  if (named !== undefined && named !== '') return existsSync(named) ? named : null;
  return BROWSERS.find((path) => existsSync(path)) ?? null;
}

/** How the page is looked at. */
export interface View {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
}

/** A screen in both colours, and a phone. */
export const VIEWS: readonly View[] = [
  { name: 'light screen', width: 1280, height: 900, colorScheme: 'light' },
  { name: 'dark screen', width: 1280, height: 900, colorScheme: 'dark' },
  { name: 'phone', width: 375, height: 740, colorScheme: 'light' },
];

/** What is wrong, by check; an empty list = passed. */
export type PageFindings = ReadonlyMap<string, readonly string[]>;

/** Opens the browser; the caller closes it. */
export const openBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });

/** A page to be looked at. */
export interface Look {
  readonly url: string;
  readonly view: View;
  /** Where a picture is put. */
  readonly shot?: string;
}

/** Opens the page and looks at everything. */
export async function checkPage(browser: Browser, { url, view, shot }: Look): Promise<PageFindings> {
  const { width, height, colorScheme } = view;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  const [complaints, requests] = [[] as string[], [] as string[]];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url, { waitUntil: 'load' });
  const seen = await page.evaluate<Seen>(LOOK_AROUND);
  if (shot !== undefined) await page.screenshot({ path: shot, fullPage: true });
  await context.close();
  return new Map([
    ['nothing on the console', complaints],
    ['no request leaves the page', requests.filter((asked) => asked !== url && !asked.startsWith('data:'))],
    ...judged(seen, view),
  ]);
}

function judged(seen: Seen, { colorScheme, width }: View): [string, readonly string[]][] {
  const dark = seen.ground < 128;
  return [
    ['every chart has a size, a role and a name', seen.badCharts],
    ['at least eight charts', seen.charts >= 8 ? [] : [`${seen.charts} charts`]],
    ['a table beside each chart', seen.chartsWithoutTable],
    ['a column a stage in the road', seen.roadColumns === 9 ? [] : [`${seen.roadColumns} columns`]],
    ['the ledger', seen.ledgers >= 10 ? [] : [`${seen.ledgers} packages`]],
    ['nothing wider than the view', seen.width <= width ? [] : [`${seen.width} pixels of ${width}`]],
    ['the colours asked for', dark === (colorScheme === 'dark') ? [] : [`ground ${seen.ground}`]],
    ['text stands out from its ground', seen.faint],
  ];
}
