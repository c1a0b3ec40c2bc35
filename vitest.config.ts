import { defineConfig } from 'vitest/config';
import { LIMIT, TEST_LIMIT } from './test/support/limits.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    setupFiles: 'test/support/setup.ts',
    // Tests start servers and compile modules; machines that run them share their cores.
    testTimeout: TEST_LIMIT,
    hookTimeout: TEST_LIMIT,
    teardownTimeout: LIMIT,
    expect: { poll: { timeout: LIMIT } },
    // A process a file: the core's worker threads and child processes end with it.
    pool: 'forks',
    // Servers are waited for more than they work: two files leave a third of two cores idle.
    maxWorkers: 3,
  },
});
