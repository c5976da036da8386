import { defineConfig, mergeConfig } from 'vitest/config'
import quick from './vitest.config.ts'

// The stores' own servers: what the machine or a package registry has is started, the rest is named and skipped.
export default mergeConfig(
  { ...quick, test: { ...quick.test, include: [] } },
  defineConfig({
    test: {
      include: ['test/**/*.servers.ts'],
      globalSetup: ['test/servers/setup.ts'],
      testTimeout: 120_000,
      // the first run builds a Kubernetes
      hookTimeout: 120_000,
    },
  }),
)
