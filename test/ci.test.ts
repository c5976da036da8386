// What CI makes of what the suites say; npm is a stand-in that says it.
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-ci-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Runs it; `servers` is what the suite of the real servers says. */
async function ci(servers: string): Promise<{ code: number; stdout: string }> {
  const npm = `#!/bin/sh
case "$*" in
  test) printf '      Tests  5 passed | 1 skipped (6)\\n' ;;
  'run test:servers') printf '      \x1b[2mTests\x1b[22m  ${servers}\\n'; echo "servers $REAL_SERVERS \${SERVERS-all}" ;;
  'run test:torture') printf '      Tests  2 passed (2)\\n' ;;
esac
`
  await writeFile(path.join(folder, 'npm'), npm)
  await chmod(path.join(folder, 'npm'), 0o755)
  // nothing is installed for this
  await symlink('/bin/true', path.join(folder, 'apt-get'))
  const env = { PATH: `${folder}:${process.env['PATH']}`, SERVERS: 'vault' }
  return new Promise((resolve) => {
    execFile(fileURLToPath(new URL('../.ci/run', import.meta.url)), { env }, (error, stdout) => {
      resolve({ code: error ? Number(error.code) : 0, stdout })
    })
  })
}

test('all servers are required, whatever SERVERS says', async () => {
  const { code, stdout } = await ci('7 passed (7)')
  expect(stdout).toContain('servers required all\n')
  expect(stdout).toMatch(/14 passed, 0 failed\n$/)
  expect(code).toBe(0)
})

test.each(['7 passed | 1 skipped (8)', '7 passed | 1 todo (8)'])(
  'what the suite of the real servers passes over is a failure: %s',
  async (servers) => {
    expect((await ci(servers)).code).toBe(1)
  },
)
