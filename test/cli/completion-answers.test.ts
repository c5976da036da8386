import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rules } from '../../src/audit/rules.ts'
import { commands } from '../../src/commands/index.ts'
import { errorExits } from '../../src/errors.ts'
import { schemes } from '../../src/targets/index.ts'
import { errorOf, openAccount, type Account } from './account.ts'
import { actsOnTerminal, createHostileApi } from './hostile.ts'
import { has } from './programs.ts'

// What the scripts of `completion` are answered, without a shell. What shells make of it is in completion.test.ts.

let account: Account
beforeAll(async () => {
  account = await openAccount()
  account.sandbox.dashboard.create({ name: 'alpha beta', createdAt: Date.now() })
})
afterAll(() => account.end())

describe('the scripts', () => {
  test.each(['bash', 'zsh', 'fish'])('of %s are data, with --json a document', async (shell) => {
    const script = (await account.run(['completion', shell])).stdout
    expect(script).toContain(`__complete ${shell} --`)
    const ran = await account.run(['completion', shell, '--json'])
    expect(JSON.parse(ran.stdout)).toEqual({ completion: { shell, script } })
  })

  test('another shell is refused, with those that there are', async () => {
    const ran = await account.run(['completion', 'tcsh', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran)).toMatchObject({ code: 'usage', hint: 'choose one of bash, zsh, fish' })
  })

  test.skipIf(!has('shellcheck'))('shellcheck has nothing to say about that of bash', async () => {
    const file = path.join(account.home.directory, 'completion.bash')
    await writeFile(file, (await account.run(['completion', 'bash'])).stdout)
    expect(execFileSync('shellcheck', ['--shell', 'bash', file], { encoding: 'utf8' })).toBe('')
  })
})

describe('names that are out to get a terminal', () => {
  test('are offered by an id that is harmless, or not at all', async () => {
    const api = await createHostileApi(account.sandbox.url)
    try {
      for (const shell of ['bash', 'zsh', 'fish']) {
        const line = shell === 'bash' ? ['pictify-keys show ', ''] : ['show', '']
        const ran = await account.run(['__complete', shell, '--', ...line], {
          env: { PICTIFY_API_URL: api.url },
        })
        expect(ran).toMatchObject({ exit: 0, stderr: '' })
        const lines = ran.stdout.split('\n')
        expect(lines[0]).toBe('words')
        // a tab parts a candidate from its summary, and that is all that a terminal would act on
        expect(actsOnTerminal(ran.stdout.replaceAll('\t', ' '))).toEqual([])
      }
    } finally {
      await api.close()
    }
  })
})

describe('what is asked of the API', () => {
  test('is asked once a minute, by whom it belongs to, and kept in a file of theirs alone', async () => {
    const home = path.join(account.home.directory, '.cache', 'pictify-keys')
    const complete = () => account.run(['__complete', 'bash', '--', 'pictify-keys show al', 'al'])
    const before = account.sandbox.requests.length
    expect((await complete()).stdout).toBe('words\nalpha\\ beta\n')
    expect((await complete()).stdout).toBe('words\nalpha\\ beta\n')
    expect(account.sandbox.requests.length - before).toBeLessThanOrEqual(1)
    const [file = ''] = execFileSync('ls', [home], { encoding: 'utf8' }).trim().split('\n')
    expect((await stat(path.join(home, file))).mode & 0o777).toBe(0o600)
    expect((await stat(home)).mode & 0o777).toBe(0o700)
    expect(readFileSync(path.join(home, file), 'utf8')).not.toMatch(/pk_(live|test)_/)
  })

  test.each([
    ['nobody is signed in', { PICTIFY_ADMIN_KEY: undefined }],
    ['the key is refused', { PICTIFY_ADMIN_KEY: 'pk_live_notakeynotakeynotakey' }],
    ['there is no API', { PICTIFY_API_URL: 'http://127.0.0.1:9' }],
    ['its folder cannot be made', { XDG_CACHE_HOME: '/dev/null/x', PICTIFY_API_URL: 'http://127.0.0.1:9' }],
  ])('is nothing, in silence, where %s', async (_, env) => {
    const ran = await account.run(['__complete', 'bash', '--', 'pictify-keys show ', ''], { env })
    expect(ran).toMatchObject({ exit: 0, stdout: 'words\n', stderr: '' })
  })

  test('is not waited for without end', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const ran = await account.run(['__complete', 'zsh', '--', 'show', ''], {
        env: { PICTIFY_API_URL: url },
      })
      expect(ran).toMatchObject({ exit: 0, stdout: 'words\n', stderr: '' })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  test('is what it was, where it cannot be asked now; not for ever', async () => {
    const XDG_CACHE_HOME = path.join(account.home.directory, 'old')
    const other = await openAccount({ seed: 11 })
    const key = other.sandbox.dashboard.create({ name: 'Old Web', createdAt: Date.now() })
    const env = {
      XDG_CACHE_HOME,
      PICTIFY_API_URL: other.sandbox.url,
      PICTIFY_ADMIN_KEY: other.sandbox.adminKey.reveal(),
    }
    const complete = async () => (await account.run(['__complete', 'fish', '--', 'show', ''], { env })).stdout
    const first = await complete()
    expect(first).toContain(`Old Web\t${key.id}, live`)
    await other.end()
    const folder = path.join(XDG_CACHE_HOME, 'pictify-keys')
    const file = path.join(folder, (await readdir(folder))[0] ?? '')
    const age = async (ms: number) => {
      const kept = JSON.parse(await readFile(file, 'utf8')) as { at: number }
      await writeFile(file, JSON.stringify({ ...kept, at: kept.at - ms }))
    }
    await age(3_600_000)
    expect(await complete()).toBe(first)
    await age(86_400_000)
    expect(await complete()).toBe('words\n')
  })

  test('is of the keys that a command takes', async () => {
    const revoked = account.sandbox.dashboard.create({ name: 'zz gone', createdAt: Date.now() })
    await account.run(['revoke', revoked.id, '--yes'])
    const env = { XDG_CACHE_HOME: path.join(account.home.directory, 'fresh') }
    const complete = async (command: string) =>
      (await account.run(['__complete', 'fish', '--', command, ''], { env })).stdout
    expect(await complete('delete')).toContain('zz gone\t')
    expect(await complete('revoke')).not.toContain('zz gone')
    expect(await complete('rotate')).not.toContain('zz gone')
  })

  test.each([['logout'], ['profile delete default --yes']])('is forgotten by %s', async (line) => {
    const folder = path.join(account.home.directory, 'forgotten')
    const env = { XDG_CACHE_HOME: folder, PICTIFY_ADMIN_KEY: undefined }
    const input = account.sandbox.adminKey.reveal()
    const complete = async () => (await account.run(['__complete', 'fish', '--', 'show', ''], { env })).stdout
    const kept = () => readdir(path.join(folder, 'pictify-keys'))
    expect((await account.run(['login', '--store', 'file'], { env, input })).exit).toBe(0)
    expect(await complete()).toContain('alpha beta\t')
    expect(await kept()).toHaveLength(1)
    expect((await account.run(line.split(' '), { env })).exit).toBe(0)
    expect(await kept()).toEqual([])
    expect(await complete()).toBe('words\n')
  })

  test('is of the key that the profile has now', async () => {
    const env = { XDG_CACHE_HOME: path.join(account.home.directory, 'keyed'), PICTIFY_ADMIN_KEY: undefined }
    const complete = () => account.run(['__complete', 'fish', '--', 'show', ''], { env })
    const signIn = async (input: string) =>
      expect((await account.run(['login', '--store', 'file'], { env, input })).exit).toBe(0)
    await signIn(account.sandbox.adminKey.reveal())
    await complete()
    const other = account.sandbox.dashboard.create({ name: 'zz admin', access: 'admin', createdAt: 0 })
    await signIn(other.secret.reveal())
    // else it would be the list that the first key was given
    expect((await complete()).stdout).toContain('zz admin\t')
    await account.run(['logout'], { env })
  })

  test('is not asked for what lies here: profiles, commands', async () => {
    const folder = path.join(account.home.directory, 'config', 'pictify-keys')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const profiles = { acme: { apiUrl: account.sandbox.url }, 'the other': {} }
    await writeFile(path.join(folder, 'config.json'), JSON.stringify({ profiles }), { mode: 0o600 })
    const complete = async (...words: string[]) =>
      (await account.run(['__complete', 'fish', '--', ...words])).stdout.split('\n').slice(1, -1)
    const before = account.sandbox.requests.length
    expect(await complete('profile', 'use', '')).toEqual(['acme\ta profile', 'the other\ta profile'])
    expect(await complete('list', '--profile', '')).toEqual(['acme\ta profile', 'the other\ta profile'])
    expect(await complete('profile', '')).toHaveLength(3)
    expect(await complete('help', '')).toHaveLength(commands.length)
    expect(await complete('explain', '')).toContain('rotation-undone\tends with exit 6')
    expect(await complete('explain', '')).toHaveLength(Object.keys(errorExits).length + rules.length)
    expect(await complete('explain', '')).toContain('key-age\ta key is older than it may be')
    expect(await complete('rotate', 'x', '--no-evidence', '--no-ev')).not.toContain('--no-evidence')
    expect(account.sandbox.requests.length).toBe(before)
    await rm(folder, { recursive: true })
  })

  test('rules are those of the audit, with what is wrong', async () => {
    const ran = await account.run(['__complete', 'fish', '--', 'audit', '--rule', ''])
    const offered = ran.stdout.split('\n').slice(1, -1)
    expect(offered).toEqual(rules.map(({ id, summary }) => `${id}\t${summary}`))
  })

  test.each(['create', 'rotate'])('places are those that help of %s names', async (command) => {
    const { stdout: help } = await account.run([command, '--help'])
    const ran = await account.run(['__complete', 'fish', '--', command, 'x', '--to', ''])
    const offered = ran.stdout.split('\n').slice(1, -1)
    expect(offered).toHaveLength(Object.keys(schemes).length)
    for (const line of offered) expect(help).toContain(` ${line.split('\t')[0]}`)
  })

  test('the account is the one of the line that is typed', async () => {
    const other = await openAccount({ keys: 1, seed: 9 })
    try {
      const [key] = other.keys()
      const line = `pictify-keys --api-url ${other.sandbox.url} show key_`
      const ran = await account.run(['__complete', 'bash', '--', line, 'key_'], {
        env: { PICTIFY_ADMIN_KEY: other.sandbox.adminKey.reveal() },
      })
      expect(ran.stdout).toContain(key?.id)
    } finally {
      await other.end()
    }
  })
})
