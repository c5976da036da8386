import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSandbox, type Sandbox, type SandboxKey } from '../../src/sandbox/server.ts'
import type { Secret } from '../../src/secret.ts'
import { createHome, type Home, type Ran } from './program.ts'

let sandbox: Sandbox
let home: Home
let old: SandboxKey
let envFile: string
const envBefore = () => `# ours\nPICTIFY_API_KEY='${old.secret.reveal()}'\r\nPORT=80`
const quick = ['--settle', '200ms', '--idle', '0s', '--usage-lag', '0s', '--wait', '20s']

beforeEach(async () => {
  sandbox = await createSandbox({ propagationMs: 100, plan: 'business' })
  home = await createHome({ PICTIFY_API_URL: sandbox.url, PICTIFY_ADMIN_KEY: sandbox.adminKey.reveal() })
  old = sandbox.dashboard.create({ name: 'Production Server', createdAt: Date.now() - 86_400_000 })
  envFile = path.join(home.directory, '.env')
  await writeFile(envFile, envBefore(), { mode: 0o640 })
  await chmod(envFile, 0o640)
})
afterEach(async () => {
  await sandbox.close()
  await home.remove()
})

const rotate = (...args: string[]) => home.run(['rotate', 'Production Server', ...quick, ...args])
const ordinary = () => sandbox.keys().filter(({ access }) => access !== 'admin')
const active = () => ordinary().filter(({ status }) => status === 'active')
const errorOf = ({ stderr }: Ran) =>
  (JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string; message: string } }).error

async function expectUndone(): Promise<void> {
  expect(ordinary().map(({ id, name, status }) => ({ id, name, status }))).toEqual([
    { id: old.id, name: 'Production Server', status: 'active' },
  ])
  expect(await readFile(envFile, 'utf8')).toBe(envBefore())
}

async function expectNothingChanged(ran: Ran, exit: number): Promise<void> {
  expect(ran.exit, ran.stderr).toBe(exit)
  await expectUndone()
  expect(sandbox.requests.filter(({ method }) => method !== 'GET')).toEqual([])
}

describe('rotate', () => {
  it('prints one document on stdout, an event a line on stderr, and keeps the rest of the file', async () => {
    const ran = await rotate('--to', 'env:.env', '--json', '--verify', 'test -n "$PICTIFY_API_KEY"')
    expect(ran.exit, ran.stderr).toBe(0)
    const [successor] = active()
    expect(JSON.parse(ran.stdout)).toMatchObject({
      rotation: {
        state: 'done',
        oldKey: { id: old.id, name: 'Production Server' },
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
    const text = await readFile(envFile, 'utf8')
    expect(text).toBe(envBefore().replace(old.secret.reveal(), successor?.secret.reveal() ?? ''))
    expect((await stat(envFile)).mode & 0o777).toBe(0o640)
    expect(active()).toHaveLength(1)
  })

  it('delivers to a file, a command and a missing .env, which it creates with mode 0600', async () => {
    await writeFile(path.join(home.directory, 'secret.txt'), `${old.secret.reveal()}\n`)
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
    await mkdir(path.join(home.directory, 'new'))
    const ran = await rotate(...targets, '--no-evidence', '--json')
    expect(ran.exit, ran.stderr).toBe(0)
    const secret = active()[0]?.secret.reveal()
    const read = (name: string) => readFile(path.join(home.directory, name), 'utf8')
    expect(await read('secret.txt')).toBe(`${secret}\n`)
    expect(await read('taken')).toBe(secret)
    expect(await read('new/.env')).toBe(`PICTIFY_API_KEY=${secret}\n`)
    expect((await stat(path.join(home.directory, 'new/.env'))).mode & 0o777).toBe(0o600)
    expect(ran.stderr).toContain('--no-evidence')
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: { evidence: { waived: true } } })
  })

  it('does nothing while the key is younger than --if-older-than', async () => {
    const ran = await rotate('--to', 'env:.env', '--if-older-than', '2d', '--json')
    await expectNothingChanged(ran, 0)
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: null, skipped: { key: { id: old.id } } })
    const due = await rotate('--to', 'env:.env', '--if-older-than', '12h')
    expect(due.exit, due.stderr).toBe(0)
    expect(active()[0]?.id).not.toBe(old.id)
  })

  it('says done again when the line of a done rotation is run with the same id', async () => {
    const line = ['rotate', old.id, ...quick, '--to', 'env:.env', '--json']
    const first = await home.run(line)
    expect(first.exit, first.stderr).toBe(0)
    const again = await home.run(line)
    expect(again.exit, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse(first.stdout))
    expect(ordinary()).toHaveLength(2)
  })
})

/** A run that ends before the old key, which is used right before it, has been quiet long enough. */
async function whileInUse(...more: string[]): Promise<Ran> {
  await call(old.secret)
  return home.run(['rotate', old.id, '--to', 'env:.env', ...quick, '--idle', '1m', '--wait', '0s', ...more])
}

describe('rotate that fails', () => {
  it('is undone with exit 6 when a target fails', async () => {
    const ran = await rotate('--to', 'env:.env', '--to', 'exec:echo broken >&2; exit 3', '--json')
    expect(ran.exit, ran.stderr).toBe(6)
    expect(errorOf(ran)).toMatchObject({ code: 'rotation-undone' })
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: { state: 'aborted' } })
    await expectUndone()
  })

  it('is undone with exit 6 when a command alone is the target, and says that it put nothing there', async () => {
    const ran = await rotate('--to', 'exec:exit 1')
    expect(ran.exit, ran.stderr).toBe(6)
    await expectUndone()
  })

  it('ends with 7 and two working keys when a written target can be neither read nor undone', async () => {
    const ran = await rotate('--to', 'exec:cat >taken', '--verify', 'exit 1', '--json')
    expect(ran.exit, ran.stderr).toBe(7)
    expect(errorOf(ran).message).toContain('exec:cat >taken')
    expect(active()).toHaveLength(2)
    const oldSecret = old.secret.reveal()
    const undone = await home.run(
      ['rotate', old.id, '--to', 'exec:cat >taken', ...quick, '--verify', 'exit 1', '--old-secret-stdin'],
      { input: oldSecret },
    )
    expect(undone.exit, undone.stderr).toBe(6)
    expect(await readFile(path.join(home.directory, 'taken'), 'utf8')).toBe(oldSecret)
    await expectUndone()
  })

  it('is undone with exit 6 when the verify command fails or takes too long', async () => {
    const failed = await rotate('--to', 'env:.env', '--verify', 'echo no, because; exit 1', '-q')
    expect(failed.exit, failed.stderr).toBe(6)
    expect(failed.stderr).toContain('it said: no, because; mend what it found')
    await expectUndone()
    const slow = await rotate('--to', 'env:.env', '--verify', 'sleep 60', '--verify-timeout', '300ms')
    expect(slow.exit, slow.stderr).toBe(6)
    expect(slow.stderr).toContain('took longer than 300ms')
    await expectUndone()
  })

  it('is undone with exit 6 when the successor is never accepted', async () => {
    sandbox.addFault('refuse-new')
    const ran = await rotate('--to', 'env:.env', '--json')
    expect(ran.exit, ran.stderr).toBe(6)
    await expectUndone()
  })

  it('ends with 5 while the old key is in use, and can be undone by --abort', async () => {
    const ran = await whileInUse('--json')
    expect(ran.exit, ran.stderr).toBe(5)
    const { rotation } = JSON.parse(ran.stdout) as { rotation: { id: string; state: string } }
    expect(rotation.state).toBe('overlapping')

    const listed = await home.run(['rotations', '--open', '--json'])
    expect(JSON.parse(listed.stdout)).toMatchObject({
      rotations: [{ id: rotation.id, state: 'overlapping' }],
    })

    const undone = await home.run(['rotate', rotation.id, '--abort', ...quick, '--json'])
    expect(undone.exit, undone.stderr).toBe(0)
    await expectUndone()
  })

  it('goes on with --resume, from another folder', async () => {
    const first = await whileInUse()
    expect(first.exit, first.stderr).toBe(5)
    const elsewhere = path.join(home.directory, 'elsewhere')
    await mkdir(elsewhere)
    const ran = await home.run(['rotate', '--resume', ...quick], { cwd: elsewhere })
    expect(ran.exit, ran.stderr).toBe(0)
    expect(await readFile(envFile, 'utf8')).toContain(active()[0]?.secret.reveal())
    expect(active()).toHaveLength(1)
  })

  it('refuses the line of an open rotation with other targets', async () => {
    await whileInUse()
    const ran = await rotate('--to', 'file:other.txt', '--json')
    expect(ran.exit).toBe(2)
    expect(errorOf(ran)).toMatchObject({ code: 'rotation-differs' })
  })
})

describe('rotate changes nothing', () => {
  it('when it cannot be told which key is meant', async () => {
    await expectNothingChanged(await home.run(['rotate', '--to', 'env:.env']), 2)
    await expectNothingChanged(await home.run(['rotate', 'No Such Key', '--to', 'env:.env']), 3)
    const twin = sandbox.dashboard.create({ name: 'Production Server' })
    const ran = await rotate('--to', 'env:.env')
    expect(ran.exit).toBe(2)
    expect(ran.stderr).toContain(old.id)
    expect(ran.stderr).toContain(twin.id)
    expect(ordinary()).toHaveLength(2)
  })

  it('when a target, the verify command or a flag is wrong, and says all of it at once', async () => {
    await expectNothingChanged(await rotate(), 2)
    await expectNothingChanged(await rotate('--to', 'env:.env', '--to', './.env'), 2)
    await expectNothingChanged(await rotate('--to', 'env:.env', '--to', 'env:./.env#PICTIFY_API_KEY'), 2)
    await expectNothingChanged(await rotate('--to', 'env:.env', '--overlap', 'soon'), 2)
    await expectNothingChanged(await rotate('--to', 'env:.env', '--revoke-first'), 2)
    await expectNothingChanged(await rotate('--to', 'manual:the wiki'), 2)
    await mkdir(path.join(home.directory, 'folder.env'))
    const ran = await rotate(
      '--to',
      'env:folder.env',
      '--to',
      'exec:no-such-command-here',
      '--verify',
      'nor-this-one',
    )
    await expectNothingChanged(ran, 1)
    expect(ran.stderr).toContain('folder.env')
    expect(ran.stderr).toContain('no such command')
    expect(ran.stderr).toContain('nor-this-one')
  })

  it('when the .env holds the variable twice, or a key of the other type', async () => {
    await writeFile(path.join(home.directory, 'twice.env'), 'PICTIFY_API_KEY=a\nPORT=1\nPICTIFY_API_KEY=b\n')
    const ran = await rotate('--to', 'env:twice.env')
    await expectNothingChanged(ran, 1)
    expect(ran.stderr).toMatch(/twice.*1.*3/)
    await writeFile(path.join(home.directory, 'test.env'), 'PICTIFY_API_KEY=pk_test_0123456789abcdef\n')
    await expectNothingChanged(await rotate('--to', 'env:test.env'), 1)
  })

  it('when the plan is full', async () => {
    const plan = ['--plan', 'free']
    const ran = await rotate('--to', 'env:.env', ...plan, '--json')
    await expectNothingChanged(ran, 9)
    expect(errorOf(ran)).toMatchObject({ code: 'key-limit-reached' })
  })

  it('when the state directory cannot be written to', async () => {
    await writeFile(home.stateDir, 'a file where the folder should be')
    const ran = await rotate('--to', 'env:.env', '--json')
    await expectNothingChanged(ran, 1)
    expect(errorOf(ran)).toMatchObject({ code: 'state-directory' })
  })

  it('when the locks in it cannot be kept', async () => {
    await mkdir(home.stateDir)
    await writeFile(path.join(home.stateDir, 'locks'), 'a file where the folder should be')
    const ran = await rotate('--to', 'env:.env', '--json')
    await expectNothingChanged(ran, 1)
    expect(errorOf(ran)).toMatchObject({ code: 'state-directory' })
  })

  it('when the disk has no room for a journal', async () => {
    // No file may grow beyond 4 KiB: what a full disk looks like to a process that can write small files still.
    const line = ['rotate', old.id, '--to', 'env:.env', ...quick, '--json']
    const ran = await home.run(line, { first: 'ulimit -f 8' })
    await expectNothingChanged(ran, 1)
    expect(errorOf(ran)).toMatchObject({ code: 'state-directory' })
  })

  it('when the key is the admin key in use, unless --self says so', async () => {
    const admin = sandbox.keys().find(({ access }) => access === 'admin')
    const ran = await home.run(['rotate', admin?.id ?? '', ...quick, '--to', 'file:admin.txt'])
    expect(ran.exit, ran.stderr).toBe(2)
    expect(ran.stderr).toContain('--self')
    expect(sandbox.keys()).toHaveLength(2)
  })

  it('when a key is revoked already', async () => {
    sandbox.dashboard.revoke(old.id)
    const ran = await home.run(['rotate', old.id, ...quick, '--to', 'env:.env', '--json'])
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({ code: 'api-key-revoked' })
    expect(ordinary()).toHaveLength(1)
  })
})

describe('rotate --self', () => {
  it('replaces the admin key in the profile, and works with its successor from then on', async () => {
    const signedOut = { PICTIFY_ADMIN_KEY: undefined }
    const login = await home.run(['login', '--store', 'file'], {
      input: sandbox.adminKey.reveal(),
      env: signedOut,
    })
    expect(login.exit, login.stderr).toBe(0)
    const admin = sandbox.keys().find(({ access }) => access === 'admin')
    const ran = await home.run(['rotate', '--self', ...quick, '--json'], { env: signedOut })
    expect(ran.exit, ran.stderr).toBe(0)
    const admins = sandbox.keys().filter((key) => key.access === 'admin' && key.status === 'active')
    expect(admins).toHaveLength(1)
    expect(admins[0]).toMatchObject({ name: admin?.name })
    expect(admins[0]?.id).not.toBe(admin?.id)
    const list = await home.run(['list', '--format', 'id'], { env: signedOut })
    expect(list.exit, list.stderr).toBe(0)
    expect(list.stdout.split('\n')).toContain(admins[0]?.id)
  })

  it('needs a target when the admin key comes from the environment, and works with one', async () => {
    const admin = sandbox.keys().find(({ access }) => access === 'admin')
    const bare = await home.run(['rotate', admin?.id ?? '', '--self', ...quick])
    expect(bare.exit).toBe(2)
    const file = path.join(home.directory, 'admin.txt')
    await writeFile(file, sandbox.adminKey.reveal())
    const ran = await home.run(['rotate', admin?.id ?? '', '--self', '--to', 'file:admin.txt', ...quick])
    expect(ran.exit, ran.stderr).toBe(0)
    const successor = sandbox.keys().find((key) => key.access === 'admin' && key.status === 'active')
    expect(await readFile(file, 'utf8')).toBe(successor?.secret.reveal())
    expect(ran.stderr).toContain(
      'warning: PICTIFY_ADMIN_KEY of this shell is the old admin key, which is revoked; set it anew from file:admin.txt',
    )
  })
})

describe('secrets', () => {
  it('are not in the environment of a command that is a target', async () => {
    const line = ['--to', 'env:.env', '--to', 'exec:cat >/dev/null; env >seen', '--no-evidence']
    const env = { OLD_COPY: old.secret.reveal(), OTHER: 'kept' }
    const ran = await home.run(['rotate', old.id, ...quick, ...line], { env })
    expect(ran.exit, ran.stderr).toBe(0)
    const seen = await readFile(path.join(home.directory, 'seen'), 'utf8')
    expect(seen).toContain('OTHER=kept')
    for (const { secret } of sandbox.keys()) expect(seen).not.toContain(secret.reveal())
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
    const files = await readdir(home.stateDir, { recursive: true, withFileTypes: true })
    for (const file of files.filter((entry) => entry.isFile())) {
      const at = path.join(file.parentPath, file.name)
      expect((await stat(at)).mode & 0o777, at).toBe(0o600)
      printed.push(await readFile(at, 'utf8'))
    }
    expect(printed.length).toBeGreaterThan(lines.length * 2)
    const bodies = sandbox.keys().map(({ secret }) => secret.reveal().replace(/^pk_\w+?_/, ''))
    expect(bodies.length).toBeGreaterThan(2)
    for (const text of printed) {
      for (const body of bodies) expect(text.includes(body), text).toBe(false)
      expect(text).not.toMatch(/pk_(live|test)_\w/)
    }
  })
})

function call(secret: Secret): Promise<Response> {
  return fetch(`${sandbox.url}/templates?limit=1`, {
    headers: { authorization: `Bearer ${secret.reveal()}` },
  })
}
