import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRotating, quick, waits, type Rotating } from './rotating.ts'

let account: Rotating
beforeEach(async () => {
  account = await openRotating()
})
afterEach(() => account.end())

const rotate = (...args: string[]) => account.run(['rotate', ...args, '--compromised', ...quick])
const active = () => account.keys().filter(({ status }) => status === 'active')

describe('rotate --compromised', () => {
  it('does not wait for the old key to be quiet, and reports what it did', async () => {
    const { old } = account
    const use = setInterval(() => void account.call(old.secret), 100)
    await account.call(old.secret)
    const ran = await rotate(old.id, '--to', 'env:.env')
    clearInterval(use)
    expect(ran.exit, ran.stderr).toBe(0)
    expect(active().map(({ id }) => id)).not.toContain(old.id)
    const document = JSON.parse(ran.stdout) as {
      incident: { audit: { events: number; userAgents: unknown[] } }
    }
    expect(document).toMatchObject({ rotation: { state: 'done' }, incident: { keyId: old.id } })
    expect(document.incident.audit.events).toBeGreaterThan(0)
    expect(document.incident.audit.userAgents.length).toBeGreaterThan(0)
  })

  it('revokes before anything else with --revoke-first', async () => {
    const { old, sandbox } = account
    const ran = await rotate(old.id, '--to', 'env:.env', '--revoke-first')
    expect(ran.exit, ran.stderr).toBe(0)
    const changes = sandbox.requests.filter(({ method }) => method === 'POST').map(({ path: at }) => at)
    expect(changes[0]).toBe(`/api-keys/${old.id}/revoke`)
    const [successor, ...others] = active()
    expect(others).toEqual([])
    const { secret } = sandbox.keys().find(({ id }) => id === successor?.id) ?? {}
    expect(await account.read('.env')).toBe(`PICTIFY_API_KEY=${secret?.reveal()}\n`)
  })

  it('prints its receipt when the audit log cannot be read', async () => {
    account.sandbox.addFault('status-500:GET /audit-logs')
    const ran = await rotate(account.old.id, '--to', 'env:.env')
    expect(ran.exit, ran.stderr).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: { state: 'done' }, incident: null })
  })

  it('prints the receipt before it reads the log; interrupted then, it is done, and nothing is to be resumed', async () => {
    const { old, sandbox, home } = account
    await account.call(old.secret)
    const running = home.start(['rotate', old.id, '--to', 'env:.env', '--compromised', ...waits])
    await running.until(() => running.output().stdout.includes(`rotated Production Server: ${old.id}`))
    sandbox.addFault('stall:GET /audit-logs')
    running.child.kill('SIGINT')
    const { signal, stdout, stderr } = await running.ended
    expect(signal).toBe('SIGINT')
    expect(stdout).toContain('is revoked')
    expect(stderr).not.toMatch(/--resume|finishing/)
    expect(stderr).toContain(`pictify-keys incident ${old.id}`)
    expect(active().map(({ id }) => id)).not.toContain(old.id)
  })

  it('with --self reports with the successor, for the old admin key cannot ask any more', async () => {
    const { sandbox, home } = account
    await writeFile(path.join(home.directory, 'admin.env'), `ADMIN=${sandbox.adminKey.reveal()}\n`)
    const admin = sandbox.keys().find(({ access }) => access === 'admin')
    const ran = await rotate(admin?.id ?? '', '--self', '--to', 'env:admin.env#ADMIN')
    expect(ran.exit, ran.stderr).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({
      rotation: { state: 'done' },
      incident: { keyId: admin?.id },
    })
  })
})
