// A vitest reporter whose last line counts: `N passed, N failed`.
// A test file that could not be loaded and an error outside every test count as failed.
// Simplified: a skipped test counts as failed, because the house has none.

import type { Reporter, TestModule } from 'vitest/node';

/** Prints `N passed, N failed` when the run has ended. */
export class PlainCountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      let tests = 0;
      for (const test of module.children.allTests()) {
        tests += 1;
        if (test.result().state === 'passed') passed += 1;
        else failed += 1;
      }
      if (tests === 0 || module.errors().length > 0) failed += 1;
    }
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
  }
}
