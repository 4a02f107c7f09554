import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const limits = { testTimeout: 240_000, hookTimeout: 240_000 }

/** Minutes long; begun last, they would run alone while the other worker has nothing to do. */
const longest = /kill-sweep|random-kills|kill\.test/

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => Number(longest.test(b.moduleId)) - Number(longest.test(a.moduleId)))
  }
}

/**
 * `unit` starts nothing; `process` runs the real program with commands and scripted sidecars; `job` runs it with a
 * real sidecar on small real models; `faults` does so while processes are killed, disks fail and files are damaged.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...limits,
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/job/**', 'test/process/**', 'test/faults/**'],
        },
      },
      { test: { ...limits, name: 'process', include: ['test/process/**/*.test.ts'], globalSetup: ['test/support/tiny-models.ts'] } },
      { test: { ...limits, name: 'job', include: ['test/job/**/*.test.ts'], globalSetup: ['test/support/global-setup.ts'] } },
      { test: { ...limits, name: 'faults', include: ['test/faults/**/*.test.ts'] } },
    ],
  },
})
