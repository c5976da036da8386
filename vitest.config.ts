import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const errors = readFileSync(new URL('docs/errors.md', import.meta.url), 'utf8')

export default defineConfig({
  // what the build puts in; in-process tests have no rendered help
  define: {
    PICTIFY_KEYS_VERSION: '"0.0.0-test"',
    PICTIFY_KEYS_HELP: '""',
    PICTIFY_KEYS_ERRORS: JSON.stringify(errors),
  },
  // what examples import is what is tested, and not what was built last
  resolve: { alias: { 'pictify-keys': fileURLToPath(new URL('src/library.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    // generous, because what is tested here is never how long it takes
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // every core: most of what runs here waits for other processes
    maxWorkers: '100%',
    env: { NO_COLOR: '1' },
  },
})
