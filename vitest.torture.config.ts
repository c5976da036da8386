import { availableParallelism } from 'node:os'
import { defineConfig, mergeConfig } from 'vitest/config'
import quick from './vitest.config.ts'

// What takes minutes: every kill, every fault, hundreds of races. The quick suite holds a part of each.
export default mergeConfig(
  { ...quick, test: { ...quick.test, include: [] } },
  defineConfig({
    test: {
      include: ['test/**/*.torture.ts'],
      testTimeout: 900_000,
      hookTimeout: 120_000,
      // one more than the cores: all of them wait for processes, and those for the sandbox, some of the time
      maxWorkers: availableParallelism() + 1,
    },
  }),
)
