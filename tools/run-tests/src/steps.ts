// The steps of `npm test` in their order: build first, because the API reports are made from what it emits.
// `npm run check` adds what a publisher wants to know (`publint` and `attw` on every package).
// Simplified: the order is fixed and every step always runs.

import type { CheckStep } from './check-step.ts';

const sources = (cli: string, ...args: string[]): [string, ...string[]] => [
  'tsx',
  '--conditions=@sgfree/source',
  cli,
  ...args,
];

/** The steps of `npm test`. */
export const testSteps: readonly CheckStep[] = [
  { name: 'build', command: ['npm', 'run', '-s', 'build'], result: 'one' },
  { name: 'types', command: ['npm', 'run', '-s', 'check:types'], result: 'one' },
  { name: 'format and lint', command: ['npm', 'run', '-s', 'check:lint'], result: 'one' },
  { name: 'typed lint', command: ['npm', 'run', '-s', 'check:typed-lint'], result: 'one' },
  { name: 'floors', command: ['npm', 'run', '-s', 'check:floors'], result: 'counted' },
  {
    name: 'reachability',
    command: ['npm', 'run', '-s', 'check:reachability'],
    result: 'counted',
    shows: / modules walked, /,
  },
  { name: 'style', command: ['npm', 'run', '-s', 'check:style'], result: 'counted' },
  {
    name: 'unit and property tests',
    command: ['vitest', 'run'],
    result: 'counted',
    shows: / states, .* schedules /,
  },
  {
    name: 'page in a browser',
    command: sources('apps/compare/test/page/check-page-cli.ts'),
    result: 'counted',
    shows: /no browser is installed/,
  },
  { name: 'conformance', command: sources('tools/conformance/src/cli.ts'), result: 'counted' },
  {
    name: 'conformance self-test',
    command: sources('tools/conformance/src/cli.ts', '--self-test'),
    result: 'one',
  },
  { name: 'API reports', command: ['tsx', 'tools/api-reports/src/cli.ts'], result: 'counted' },
  { name: 'API ledger', command: ['tsx', 'tools/api-ledger/src/cli.ts'], result: 'counted' },
];

/** What `npm run check` does on top. */
export const checkOnlySteps: readonly CheckStep[] = [
  { name: 'publish', command: ['tsx', 'tools/run-tests/src/publish-cli.ts'], result: 'counted' },
];
