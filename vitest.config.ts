import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/rig/reporter.ts'],
    // Real processes, Git servers, daemons and machines: correctness has no stopwatch, but nothing may hang. What
    // waits for one thing gives up sooner, and says what it waited for.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
  },
});
