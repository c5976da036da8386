import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { useRotating } from './rotate-fixture.ts'
import { waits } from './rotating.ts'

const account = useRotating()
const { rotate } = account

describe('secrets', () => {
  it('are not in the environment of a command that is a target', async () => {
    const line = ['--to', 'env:.env', '--to', 'exec:cat >/dev/null; env >seen', '--no-evidence']
    const env = { OLD_COPY: account.old.secret.reveal(), OTHER: 'kept' }
    const ran = await account.home.run(['rotate', account.old.id, ...waits, ...line], { env })
    expect(ran.exit, ran.stderr).toBe(0)
    const seen = await readFile(path.join(account.home.directory, 'seen'), 'utf8')
    expect(seen).toContain('OTHER=kept')
    for (const { secret } of account.sandbox.keys()) expect(seen).not.toContain(secret.reveal())
  })

  it('are nowhere in what the program prints or leaves, at every verbosity and in failure', async () => {
    const lines = [
      ['--verify', 'echo key $PICTIFY_API_KEY', '--debug'],
      ['--verify', 'echo key $PICTIFY_API_KEY >&2; exit 1', '--debug', '--json'],
      ['--to', 'exec:cat >&2; exit 1', '--debug'],
    ]
    const printed: string[] = []
    for (const line of lines) {
      const ran = await rotate('--to', 'env:.env', ...line)
      printed.push(ran.stdout, ran.stderr)
    }
    expect(printed.join('')).toContain('key [secret]')
    const files = await readdir(account.home.stateDir, { recursive: true, withFileTypes: true })
    for (const file of files.filter((entry) => entry.isFile())) {
      const at = path.join(file.parentPath, file.name)
      expect((await stat(at)).mode & 0o777, at).toBe(0o600)
      printed.push(await readFile(at, 'utf8'))
    }
    expect(printed.length).toBeGreaterThan(lines.length * 2)
    const bodies = account.sandbox.keys().map(({ secret }) => secret.reveal().replace(/^pk_\w+?_/, ''))
    expect(bodies.length).toBeGreaterThan(2)
    for (const text of printed) {
      for (const body of bodies) expect(text.includes(body), text).toBe(false)
      expect(text).not.toMatch(/pk_(live|test)_\w/)
    }
  })
})
