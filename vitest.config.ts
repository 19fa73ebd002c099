// One vitest run over the whole workspace; each project keeps its own settings.
import { defineConfig } from 'vitest/config';
import { PlainCountReporter } from './tools/plain-count-reporter.ts';

export default defineConfig({
  test: {
    // Vitest leaves one core free by default, which is half of a machine with two.
    maxWorkers: '100%',
    projects: ['packages/*/vitest.config.ts', 'apps/*/vitest.config.ts', 'tools/*/vitest.config.ts'],
    reporters: ['default', new PlainCountReporter()],
    coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'], exclude: ['**/*.test.ts'] },
  },
});
