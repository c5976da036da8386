// The step of action.yml that rotates, in bash as GitHub's runner starts it, when a job is cancelled.
import { readFile, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../targets/kubernetes-cluster.ts'
import { openAccount, type ExampleAccount } from './account.ts'
import { openFolder, root, start, type Folder } from './folder.ts'
import { action } from './github.ts'

describe.each(['SIGINT', 'SIGTERM'] as const)('a job that is cancelled by %s', (signal) => {
  let account: ExampleAccount
  let folder: Folder
  beforeEach(async () => {
    account = await openAccount()
    folder = await openFolder({ url: '' })
  })
  afterEach(async () => {
    await account.sandbox.close()
    await folder.remove()
  })

  test('stops at the next safe point, and the next one goes on at once', async () => {
    const [, rotate] = (await action()).runs.steps
    const script = path.join(folder.directory, 'step.sh')
    await writeFile(script, rotate?.run ?? '')
    await symlink(path.join(root, 'bin/pictify-keys.js'), path.join(folder.directory, 'pictify-keys'))
    const dotenv = path.join(folder.directory, 'app.env')
    await writeFile(dotenv, `PICTIFY_API_KEY=${account.old.secret.reveal()}\n`)
    const unset = Object.keys(rotate?.env ?? {}).map((name) => [name, ''])
    const play = (more: Record<string, string>) =>
      start('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
        cwd: folder.directory,
        env: {
          ...folder.env,
          PATH: `${folder.directory}:${folder.env['PATH']}`,
          CI: 'true',
          GITHUB_ACTIONS: 'true',
          GITHUB_OUTPUT: path.join(folder.directory, 'output'),
          GITHUB_STEP_SUMMARY: path.join(folder.directory, 'summary'),
          ...(Object.fromEntries(unset) as Record<string, string>),
          ...account.env,
          INPUT_KEY: account.old.id,
          INPUT_TO: `env:${dotenv}`,
          ...more,
        },
      })

    const running = play({ INPUT_OVERLAP: '24h', INPUT_WAIT: '10m' })
    await until(async () => /waiting up to/.test(running.stderr()))
    process.kill(running.pid, signal)
    const stopped = await running.ended
    expect(stopped.stderr).toContain('stopping at the next safe point')
    expect(await readFile(path.join(folder.directory, 'output'), 'utf8')).toMatch(/exit_code=(?!0)\d+\n$/)
    expect(stopped.code).not.toBe(0)

    const next = await play({ PICTIFY_KEYS_STATE_DIR: path.join(folder.directory, 'elsewhere') }).ended
    expect(next.code).toBe(0)
    const summary = await readFile(path.join(folder.directory, 'summary'), 'utf8')
    expect(summary).toMatch(/^### Rotation waiting.* Production Server$/m)
    expect(summary).toMatch(/^### Rotated.* Production Server$/m)
    account.refuseSecrets(summary)
    expect(account.sandbox.keys()).toHaveLength(3)
    expect(await readFile(dotenv, 'utf8')).toContain(account.successor().secret.reveal())
  })
})
