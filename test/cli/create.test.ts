import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { errorOf, openAccount, type Account } from './account.ts'

let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.end())

describe('create', () => {
  test('prints the secret alone on stdout, and talks on stderr', async () => {
    const ran = await account.run(['create', 'Production', '--type', 'live'])
    expect(ran.exit).toBe(0)
    const [key] = account.sandbox.keys().filter(({ name }) => name === 'Production')
    expect(ran.stdout).toBe(`${key?.secret.reveal()}\n`)
    expect(ran.stderr).toContain(`created Production (${key?.id})`)
    expect(ran.stderr).not.toContain('pk_live_')
  })

  test('with --json gives key and secret in one document', async () => {
    const ran = await account.run(['create', 'CI', '--type', 'test', '--access', 'read-only', '--json'])
    expect(ran.stderr).toBe('')
    expect(JSON.parse(ran.stdout)).toMatchObject({
      apiKey: { name: 'CI', type: 'test', access: 'read-only', status: 'active' },
      secret: expect.stringMatching(/^pk_test_/) as string,
    })
    expect((JSON.parse(ran.stdout) as { apiKey: object }).apiKey).not.toHaveProperty('secret')
  })

  test('with --to the secret goes there and nowhere else', async () => {
    const target = path.join(account.home.directory, '.env')
    const ran = await account.run(['create', 'App', '--type', 'live', '--to', 'env:.env#KEY', '--json'])
    expect(ran.exit).toBe(0)
    const [key] = account.sandbox.keys().filter(({ name }) => name === 'App')
    expect(await readFile(target, 'utf8')).toBe(`KEY=${key?.secret.reveal()}\n`)
    expect((await stat(target)).mode & 0o777).toBe(0o600)
    expect(Object.keys(JSON.parse(ran.stdout) as object)).toEqual(['apiKey'])
    expect(ran.stdout + ran.stderr).not.toContain('pk_live_')
  })

  test('does not replace what a target holds unasked', async () => {
    const target = path.join(account.home.directory, '.env')
    await writeFile(target, 'PICTIFY_API_KEY=pk_live_before0123456789\n')
    const refused = await account.run(['create', 'App', '--type', 'live', '--to', 'env:.env', '--json'])
    expect(refused.exit).toBe(2)
    expect(errorOf(refused)).toMatchObject({ code: 'needs-answer', hint: 'give --yes' })
    expect(account.keys()).toEqual([])
    const done = await account.run(['create', 'App', '--type', 'live', '--to', 'env:.env', '--yes'])
    expect(done.exit).toBe(0)
    expect(await readFile(target, 'utf8')).not.toContain('before')
  })

  test('a delivery that fails leaves nothing behind', async () => {
    const target = path.join(account.home.directory, '.env')
    await writeFile(target, '# mine\nA=1\n')
    const ran = await account.run([
      ...['create', 'App', '--type', 'live', '--json'],
      ...['--to', 'env:.env', '--to', 'exec:exit 3'],
    ])
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    expect(errorOf(ran).code).toBe('target-failed')
    expect(await readFile(target, 'utf8')).toBe('# mine\nA=1\n')
    expect(account.keys()).toEqual([])
    expect(ran.stderr).not.toContain('pk_live_')
  })

  test('a delivery that fails names the place that took the key and cannot give it back', async () => {
    const ran = await account.run([
      ...['create', 'App', '--type', 'live', '--json'],
      ...['--to', 'env:.env', '--to', 'exec:cat >taken', '--to', 'exec:exit 3', '--to', 'exec:cat >never'],
    ])
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    const { message } = errorOf(ran)
    expect(message).toContain('could not all be undone: exec:cat >taken: what it held before is not known')
    expect(message.split('undone')[1]).not.toMatch(/exit 3|never/)
    expect(account.keys()).toEqual([])
  })

  test.each([
    [['', '--type', 'live'], 2, 'invalid-name'],
    [['x'.repeat(101), '--type', 'live'], 2, 'invalid-name'],
    [['a\u0007b', '--type', 'live'], 2, 'invalid-name'],
    [['App'], 2, 'needs-answer'],
    [['App', '--type', 'production'], 2, 'usage'],
    [['App', '--type', 'live', '--to', 'nowhere'], 2, 'invalid-target'],
    [['App', '--type', 'live', '--to', 'env:/'], 1, 'target-refused'],
    [['App', '--type', 'live', '--to', 'env:.env', '--to', 'env:./.env'], 2, undefined],
    [['App rotating', 'more', '--type', 'live'], 2, 'usage'],
    [['App (rotating key_a #7f3a9c-5d41c2-0)', '--type', 'live'], 2, 'invalid-name'],
  ])('%j creates nothing', async (args, exit, code) => {
    const ran = await account.run(['create', ...args, '--json'])
    expect(ran).toMatchObject({ exit, stdout: '' })
    if (code !== undefined) expect(errorOf(ran).code).toBe(code)
    expect(errorOf(ran).message).not.toBe('')
    expect(account.keys()).toEqual([])
  })

  test('a full plan is exit 9', async () => {
    const full = await openAccount({ plan: 'free' })
    try {
      await full.run(['create', 'One', '--type', 'live'])
      const ran = await full.run(['create', 'Two', '--type', 'live', '--json'])
      expect(ran).toMatchObject({ exit: 9, stdout: '' })
      expect(errorOf(ran)).toMatchObject({ code: 'key-limit-reached', status: 403 })
    } finally {
      await full.end()
    }
  })

  test('an answer that is lost after the work was done makes one key, not two', async () => {
    account.sandbox.addFault('lose-answer:POST /api-keys@1')
    const ran = await account.run(['create', 'App', '--type', 'live'])
    expect(ran.exit).toBe(0)
    expect(account.keys().map(({ name }) => name)).toEqual(['App'])
    expect(
      account.sandbox
        .keys()
        .find(({ name }) => name === 'App')
        ?.secret.reveal(),
    ).toBe(ran.stdout.trim())
  })

  test('the secret survives an answer of which nothing else can be read', async () => {
    account.sandbox.addFault('mystery-shape')
    const ran = await account.run(['create', 'App', '--type', 'live'])
    expect(ran.exit).toBe(0)
    expect(ran.stdout).toBe(
      `${account.sandbox
        .keys()
        .find(({ name }) => name === 'App')
        ?.secret.reveal()}\n`,
    )
    expect(ran.stderr).toContain('warning: the answer held the secret')
  })
})
