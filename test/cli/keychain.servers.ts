// The built program with a real Secret Service and the sandbox.
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, inject, test } from 'vitest'
import { useKeychain } from '../credentials/keychain-account.ts'
import type { KeychainFacts } from '../credentials/secret-service.ts'
import { errorOf } from './account.ts'
import { waits } from './rotating.ts'
import { keyboard, openScreen } from './screen.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const facts = inject('servers')['keychain'] as KeychainFacts | undefined

describe.skipIf(!facts)('the keychain, by the program', () => {
  const user = useKeychain(facts)
  const { admin, run, signIn } = user
  const profile = async (name = 'default') =>
    (JSON.parse(await readFile(user.profileFile, 'utf8')) as { profiles: Record<string, object> }).profiles[
      name
    ]

  test('login puts the key there and nowhere else, and the next command uses it', async () => {
    const ran = await signIn()
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(JSON.parse(ran.stdout)).toEqual({
      login: {
        profile: 'default',
        apiUrl: user.account.sandbox.url,
        store: 'keychain',
        service: 'pictify-keys',
        account: 'default',
      },
    })
    expect(await user.service.lookup('default')).toBe(admin())
    const file = await readFile(user.profileFile, 'utf8')
    expect(file).not.toContain(admin())
    expect(file).not.toContain(admin().slice(8, 24))
    const listed = await user.account.run(['list', '--json'], {
      env: { ...user.env, PICTIFY_API_URL: undefined },
    })
    expect(listed).toMatchObject({ exit: 0, stderr: '' })
    const status = JSON.parse((await run('status')).stdout) as { status: { credential: object } }
    expect(status.status.credential).toMatchObject({ kind: 'keychain', keychain: 'the Secret Service' })
  })

  test('logout takes it out, and lets go of the API', async () => {
    await signIn()
    expect(JSON.parse((await run('logout')).stdout)).toEqual({
      logout: { profile: 'default', removed: true },
    })
    expect(await user.service.lookup('default')).toBeUndefined()
    expect(await profile()).toEqual({})
    expect(await run('list')).toMatchObject({ exit: 4 })
  })

  test('two profiles have two entries', async () => {
    await signIn()
    await signIn('--profile', 'acme')
    await run('logout')
    expect(await user.service.lookup('acme')).toBe(admin())
    expect(await run('list', '--profile', 'acme')).toMatchObject({ exit: 0 })
    const gone = await run('profile', 'delete', 'acme', '--yes')
    expect(JSON.parse(gone.stdout)).toEqual({ deleted: ['acme'] })
    expect(await user.service.lookup('acme')).toBeUndefined()
    expect(await profile('acme')).toBeUndefined()
  })

  test('is not asked with a key in the environment, for --version, or by who never signed in', async () => {
    user.service.hangBus()
    expect(await user.account.run(['list', '--json'], { env: user.service.env })).toMatchObject({
      exit: 0,
      stderr: '',
    })
    expect(await run('--version')).toMatchObject({ exit: 0 })
    expect(errorOf(await run('list')).code).toBe('not-signed-in')
    expect(await run('profile', 'list')).toMatchObject({ exit: 0, stderr: '' })
  })

  test('a key moves from the file and back, and its old copy goes only when the new one was read', async () => {
    await signIn('--store', 'file')
    await user.service.lock()
    expect(errorOf(await run('login', '--move')).code).toBe('keychain-locked')
    expect(await profile()).toMatchObject({ adminKey: admin() })
    expect(await run('list')).toMatchObject({ exit: 0 })
    await user.service.unlock()
    expect(await run('login', '--move')).toMatchObject({ exit: 0, stderr: '' })
    expect(await readFile(user.profileFile, 'utf8')).not.toContain(admin())
    expect(await user.service.lookup('default')).toBe(admin())
    expect(await run('list')).toMatchObject({ exit: 0 })

    expect(await run('login', '--move', '--store', 'file')).toMatchObject({ exit: 0, stderr: '' })
    expect(await profile()).toMatchObject({ adminKey: admin() })
    expect(await user.service.lookup('default')).toBeUndefined()
    expect(await run('list')).toMatchObject({ exit: 0 })
  })

  test('where the old copy cannot be removed, the new one is in force and that is said', async () => {
    await signIn()
    user.service.die()
    const ran = await signIn('--store', 'file')
    expect(ran.exit).toBe(0)
    expect(ran.stderr).toContain('the keychain still has the key of profile default')
    expect(await run('list')).toMatchObject({ exit: 0 })
    // what is left there is known to be this profile's
    await user.service.unlock()
    expect(await signIn()).toMatchObject({ exit: 0 })
  })

  test.each([
    ['locked', () => user.service.lock(), 'keychain-locked'],
    ['hanging', async () => user.service.hang(), 'keychain-timeout'],
    ['hanging with its bus', async () => user.service.hangBus(), 'keychain-timeout'],
    ['gone', async () => user.service.die(), 'keychain-unavailable'],
  ])(
    '%s: every command ends with 4 and says what to do, and login keeps nothing anywhere',
    async (_, make, code) => {
      await signIn()
      const before = await readFile(user.profileFile, 'utf8')
      await make()
      // only where it is reached: a slow machine is no keychain that hangs
      const limit = code === 'keychain-timeout' ? ['--timeout', '3s'] : []
      for (const args of [['list'], ['rotate', '--self', ...waits], ['logout']]) {
        const ran = await run(...args, ...limit)
        expect(ran, ran.stderr).toMatchObject({ exit: 4, stdout: '' })
        expect(errorOf(ran)).toMatchObject({
          code,
          hint: expect.stringContaining('PICTIFY_ADMIN_KEY') as string,
        })
      }
      const again = await signIn('--profile', 'acme', ...limit)
      expect(errorOf(again)).toMatchObject({ code })
      expect(await readFile(user.profileFile, 'utf8')).toBe(before)
    },
  )

  test('is not asked for a key that is not for the API that is named', async () => {
    await signIn()
    user.service.hangBus()
    const ran = await run('list', '--api-url', 'http://127.0.0.1:1')
    expect(errorOf(ran)).toMatchObject({ code: 'not-signed-in' })
    expect(errorOf(ran).message).toContain('it is not sent to http://127.0.0.1:1')
  })

  test('a profile whose keychain is gone for good is deleted by force alone', async () => {
    await signIn('--profile', 'acme')
    user.service.die()
    const refused = await run('profile', 'delete', 'acme', '--yes')
    expect(errorOf(refused).code).toBe('keychain-unavailable')
    expect(await profile('acme')).toMatchObject({ store: 'keychain' })
    const ran = await run('profile', 'delete', 'acme', '--yes', '--force')
    expect(ran.exit).toBe(0)
    expect(ran.stderr).toContain('the keychain may still have the key of profile acme')
    expect(await profile('acme')).toBeUndefined()
  })

  test('an entry that was changed behind our back is neither sent anywhere nor overwritten', async () => {
    await signIn()
    const other = `pk_live_${'b'.repeat(40)}`
    await user.service.store('default', other)
    const requests = user.account.sandbox.requests.length
    const ran = await run('list')
    expect(errorOf(ran)).toMatchObject({ code: 'keychain-changed' })
    expect(ran.stderr).not.toContain(other)
    expect(errorOf(await signIn()).code).toBe('keychain-changed')
    expect(user.account.sandbox.requests).toHaveLength(requests)
    expect(await run('logout')).toMatchObject({ exit: 0 })
    expect(await user.service.lookup('default')).toBe(other)
    expect(await signIn('--replace')).toMatchObject({ exit: 0 })
    expect(await user.service.lookup('default')).toBe(admin())

    await user.service.store('default', 'no key at all')
    expect(errorOf(await run('list')).code).toBe('keychain-entry')
    await user.service.clear('default')
    expect(errorOf(await run('list'))).toMatchObject({
      code: 'not-signed-in',
      message: 'the Secret Service has no key of profile default any more (pictify-keys, default)',
    })
  })

  test('two profile files of one user do not take each other’s entry', async () => {
    await signIn()
    const elsewhere = { ...user.env, XDG_CONFIG_HOME: path.join(user.account.home.directory, 'elsewhere') }
    const ran = await user.account.run(['login', '--json'], { env: elsewhere, input: admin() })
    expect(errorOf(ran).code).toBe('keychain-changed')
    expect(errorOf(ran).hint).toContain('--profile')
    expect(await user.service.lookup('default')).toBe(admin())
  })

  test('a global install from the registry has the binding, and keeps the key', async () => {
    const folder = path.join(user.account.home.directory, 'installed')
    await mkdir(folder)
    const npm = (...args: string[]) => promisify(execFile)('npm', args, { cwd: root })
    await npm('pack', '--ignore-scripts', '--pack-destination', folder)
    const [tarball = ''] = await readdir(folder)
    await npm('install', '--global', '--prefix', folder, path.join(folder, tarball))
    const program = path.join(folder, 'bin', 'pictify-keys')
    const ran = await user.account.home.run(['login', '--json'], { program, env: user.env, input: admin() })
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(await user.service.lookup('default')).toBe(admin())
    const listed = await user.account.home.run(['list', '--json'], { program, env: user.env })
    expect(listed).toMatchObject({ exit: 0, stderr: '' })
  })

  test('at a terminal: the key is asked for and not shown, and a window that is waited for is spoken of', async () => {
    const login = openScreen(user.account.home, ['login', '--profile', 'acme'], {
      env: user.env,
      columns: 120,
    })
    await login.until('acme › Admin key (hidden):')
    login.paste(admin())
    login.type(keyboard.enter)
    expect((await login.ended).exit).toBe(0)
    expect(login.text()).toContain('the key lies in the Secret Service')
    expect(login.raw()).not.toContain(admin().slice(8, 20))
    expect(await user.service.lookup('acme')).toBe(admin())

    await user.service.lock()
    await user.service.hideWindow()
    const list = openScreen(user.account.home, ['list', '--profile', 'acme'], { env: user.env, columns: 120 })
    await list.until('waiting up to 30s for the keychain: it may be asking for its password')
    list.type(keyboard.ctrlC)
    expect((await list.ended).exit).toBeNull()
  })

  test('Ctrl-C while it hangs ends the program by the signal', async () => {
    await signIn()
    user.service.hangBus()
    const running = user.account.home.start(['list', '--json', '--timeout', '30s'], { env: user.env })
    await running.until(() => running.output().stderr.includes('keychain-wait'))
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ exit: null, signal: 'SIGINT' })
  })
})
