import { defineConfig } from 'vitest/config'

const limits = { testTimeout: 240_000, hookTimeout: 240_000 }

/** `unit` starts nothing; `job` runs the real program, with a real sidecar on small real models. */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      { test: { ...limits, name: 'unit', include: ['test/**/*.test.{ts,tsx}'], exclude: ['test/job/**'] } },
      { test: { ...limits, name: 'job', include: ['test/job/**/*.test.ts'], globalSetup: ['test/support/global-setup.ts'] } },
    ],
  },
})
