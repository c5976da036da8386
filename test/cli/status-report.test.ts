import { chmod, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorOf } from './account.ts'
import { useProfile } from './profile-fixture.ts'

const account = useProfile()
const { none, profileFile, signIn } = account

interface Status {
  status: {
    credential: { kind: string; protection: string } | null
    api: { reachable: boolean; accepted: boolean; clockSkewMs: number | null }
    plan: string | null
    keys: Record<'live' | 'test', { active: number; limit: number | null }> | null
    rateLimit: { limit: number } | null
    rotations: unknown[]
    problems: { code: string; hint?: string }[]
  }
}
const statusOf = (stdout: string) => (JSON.parse(stdout) as Status).status

describe('status', () => {
  test('tells credential, plan, headroom and rate; exit 0 when all is in order', async () => {
    account.sandbox.dashboard.create({ name: 'One more', type: 'test', createdAt: 0 })
    const ran = await account.run(['status', '--json'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    const status = statusOf(ran.stdout)
    const active = (type: string) =>
      account.sandbox.keys().filter((key) => key.type === type && key.status === 'active').length
    expect(status).toMatchObject({
      credential: { kind: 'environment', variable: 'PICTIFY_ADMIN_KEY' },
      api: { reachable: true, accepted: true },
      plan: 'pro',
      keys: { live: { active: active('live'), limit: 10 }, test: { active: active('test'), limit: 10 } },
      rateLimit: { limit: 300 },
      rotations: [],
      problems: [],
    })
    expect(ran.stdout).not.toContain(account.sandbox.adminKey.reveal())
    const words = await account.run(['status'])
    expect(words.stdout).toContain('everything is in order')
  })

  test('reports everything even when not signed in, and ends with 4', async () => {
    const ran = await account.run(['status', '--json'], { env: none })
    expect(ran.exit).toBe(4)
    expect(statusOf(ran.stdout)).toMatchObject({
      credential: null,
      problems: [{ code: 'not-signed-in', hint: expect.stringContaining('login') as string }],
    })
    expect(errorOf(ran).code).toBe('not-signed-in')
  })

  test('names a profile file that others can read, a clock that is off and a plan that is full', async () => {
    await signIn()
    await chmod(profileFile(), 0o644)
    account.sandbox.addFault('clock+10m')
    const liveKeys = () =>
      account.sandbox.keys().filter(({ type, status }) => type === 'live' && status === 'active')
    while (liveKeys().length < 10) {
      account.sandbox.dashboard.create({ name: 'One more', type: 'live', createdAt: 0 })
    }
    const ran = await account.run(['status', '--json'], { env: none })
    const codes = statusOf(ran.stdout).problems.map(({ code }) => code)
    expect(codes).toEqual(['credential-exposed', 'clock-skew', 'key-limit-reached'])
    expect(ran.exit).toBe(0)
  })

  test('names what cannot be read among the journals', async () => {
    const folder = path.join(account.home.stateDir, 'rotations')
    await mkdir(folder, { recursive: true })
    await writeFile(path.join(folder, 'key_a.7f3a9c.json'), '{"version":')
    const ran = await account.run(['status', '--json'])
    expect(statusOf(ran.stdout)).toMatchObject({ rotations: [], problems: [{ code: 'journal-unreadable' }] })
  })

  test('tells a credential that is refused from a server that is not there', async () => {
    account.sandbox.addFault('refuse')
    const refused = await account.run(['status', '--json'])
    expect(refused.exit).toBe(4)
    expect(statusOf(refused.stdout).api).toMatchObject({ reachable: true, accepted: false })
    const gone = await account.run(['status', '--json', '--api-url', 'http://127.0.0.1:1'])
    expect(gone.exit).toBe(1)
    expect(statusOf(gone.stdout).api).toMatchObject({ reachable: false, accepted: false })
  })
})
