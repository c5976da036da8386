import { configDefaults, defineConfig, mergeConfig } from 'vitest/config'
import quick from './vitest.config.ts'

// What a mutant is tried on: only tests that run in this process, and none that takes many seconds by itself. What the
// long ones find about crashes and races, the model finds in its short run.
export default mergeConfig(
  { ...quick, test: { ...quick.test, include: [] } },
  defineConfig({
    test: {
      // MUTATION_TESTS narrows it to the tests that a file is about: the targets need no rotation.
      include: (process.env['MUTATION_TESTS'] ?? 'test/rotation/*.test.ts,test/targets/*.test.ts').split(','),
      exclude: [...configDefaults.exclude, 'test/rotation/crash.test.ts', 'test/rotation/race.test.ts'],
      env: { MODEL_RUNS: process.env['MODEL_RUNS'] ?? '40' },
    },
  }),
)
