import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests start servers and compile modules; machines that run them share their cores.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    // A process a file: the core's worker threads and child processes end with it.
    pool: 'forks',
    maxWorkers: 2,
  },
});
