import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { useRotating } from './rotate-fixture.ts'
import { waits } from './rotating.ts'

const account = useRotating()
const { active, expectNothingChanged, ordinary, rotate } = account

describe('rotate', () => {
  it('prints one document on stdout, an event a line on stderr, and keeps the rest of the file', async () => {
    const ran = await rotate('--to', 'env:.env', '--json', '--verify', 'test -n "$PICTIFY_API_KEY"')
    expect(ran.exit, ran.stderr).toBe(0)
    const [successor] = active()
    expect(JSON.parse(ran.stdout)).toMatchObject({
      rotation: {
        state: 'done',
        oldKey: { id: account.old.id, name: 'Production Server' },
        newKey: { id: successor?.id },
        targets: [{ name: 'env:.env', state: 'delivered' }],
        evidence: { waived: false, oldKeyIdle: true },
      },
    })
    const events = ran.stderr
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event)
    expect(events).toEqual(expect.arrayContaining(['step', 'state', 'probe', 'target', 'evidence']))
    const text = await readFile(account.envFile, 'utf8')
    expect(text).toBe(
      account.envBefore().replace(account.old.secret.reveal(), successor?.secret.reveal() ?? ''),
    )
    expect((await stat(account.envFile)).mode & 0o777).toBe(0o640)
    expect(active()).toHaveLength(1)
  })

  it('delivers to a file, a command and a missing .env, which it creates with mode 0600', async () => {
    await writeFile(path.join(account.home.directory, 'secret.txt'), `${account.old.secret.reveal()}\n`)
    const targets = [
      '--to',
      'env:.env',
      '--to',
      'file:secret.txt',
      '--to',
      'env:new/.env',
      '--to',
      'exec:cat >taken',
    ]
    await mkdir(path.join(account.home.directory, 'new'))
    const ran = await rotate(...targets, '--no-evidence', '--json')
    expect(ran.exit, ran.stderr).toBe(0)
    const secret = active()[0]?.secret.reveal()
    const read = (name: string) => readFile(path.join(account.home.directory, name), 'utf8')
    expect(await read('secret.txt')).toBe(`${secret}\n`)
    expect(await read('taken')).toBe(secret)
    expect(await read('new/.env')).toBe(`PICTIFY_API_KEY=${secret}\n`)
    expect((await stat(path.join(account.home.directory, 'new/.env'))).mode & 0o777).toBe(0o600)
    expect(ran.stderr).toContain('--no-evidence')
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: { evidence: { waived: true } } })
  })

  it('does nothing while the key is younger than --if-older-than', async () => {
    const ran = await rotate('--to', 'env:.env', '--if-older-than', '2d', '--json')
    await expectNothingChanged(ran, 0)
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: null, skipped: { key: { id: account.old.id } } })
    const due = await rotate('--to', 'env:.env', '--if-older-than', '12h')
    expect(due.exit, due.stderr).toBe(0)
    expect(active()[0]?.id).not.toBe(account.old.id)
  })

  it('says done again when the line of a done rotation is run with the same id', async () => {
    const line = ['rotate', account.old.id, ...waits, '--to', 'env:.env', '--json']
    const first = await account.home.run(line)
    expect(first.exit, first.stderr).toBe(0)
    const again = await account.home.run(line)
    expect(again.exit, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse(first.stdout))
    expect(ordinary()).toHaveLength(2)
  })
})

describe('rotate --self', () => {
  it('replaces the admin key in the profile, and works with its successor from then on', async () => {
    const signedOut = { PICTIFY_ADMIN_KEY: undefined }
    const login = await account.home.run(['login', '--store', 'file'], {
      input: account.sandbox.adminKey.reveal(),
      env: signedOut,
    })
    expect(login.exit, login.stderr).toBe(0)
    const admin = account.sandbox.keys().find(({ access }) => access === 'admin')
    const ran = await account.home.run(['rotate', '--self', ...waits, '--json'], { env: signedOut })
    expect(ran.exit, ran.stderr).toBe(0)
    const admins = account.sandbox.keys().filter((key) => key.access === 'admin' && key.status === 'active')
    expect(admins).toHaveLength(1)
    expect(admins[0]).toMatchObject({ name: admin?.name })
    expect(admins[0]?.id).not.toBe(admin?.id)
    const list = await account.home.run(['list', '--format', 'id'], { env: signedOut })
    expect(list.exit, list.stderr).toBe(0)
    expect(list.stdout.split('\n')).toContain(admins[0]?.id)
  })

  it('needs a target when the admin key comes from the environment, and works with one', async () => {
    const admin = account.sandbox.keys().find(({ access }) => access === 'admin')
    const bare = await account.home.run(['rotate', admin?.id ?? '', '--self', ...waits])
    expect(bare.exit).toBe(2)
    const file = path.join(account.home.directory, 'admin.txt')
    await writeFile(file, account.sandbox.adminKey.reveal())
    const ran = await account.home.run([
      'rotate',
      admin?.id ?? '',
      '--self',
      '--to',
      'file:admin.txt',
      ...waits,
    ])
    expect(ran.exit, ran.stderr).toBe(0)
    const successor = account.sandbox.keys().find((key) => key.access === 'admin' && key.status === 'active')
    expect(await readFile(file, 'utf8')).toBe(successor?.secret.reveal())
    expect(ran.stderr).toContain(
      'warning: PICTIFY_ADMIN_KEY of this shell is the old admin key, which is revoked; set it anew from file:admin.txt',
    )
  })
})
