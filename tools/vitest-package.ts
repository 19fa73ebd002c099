// Vitest settings shared by every package: tests run on the sources, so that no build is needed before them.
import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const conditions = ['@sgfree/source'];

export const packageTests: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: [fileURLToPath(new URL('./property-seed.ts', import.meta.url))],
    testTimeout: 60_000,
    passWithNoTests: true,
    // What modules keep for themselves is kept by object, so files may share loaded modules; loading them anew took most of the time.
    isolate: false,
  },
});
