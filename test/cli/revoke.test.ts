import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agedKey, errorOf, openAccount, type Account } from './account.ts'

let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.end())

const idleKey = (name: string) => agedKey(account, name)
const busyKey = (name: string) => agedKey(account, name, Date.now() - 60_000)
const statusOf = (id: string) => account.keys().find((key) => key.id === id)?.status
const ownId = () => account.sandbox.keys().find(({ access }) => access === 'admin')?.id ?? ''

describe('revoke', () => {
  test('several at once, each once', async () => {
    const [a, b] = [idleKey('A'), idleKey('B')]
    const ran = await account.run(['revoke', 'A', b.id, a.id, '--yes', '--json'])
    expect(ran.exit).toBe(0)
    const { apiKeys } = JSON.parse(ran.stdout) as { apiKeys: { id: string; status: string }[] }
    expect(apiKeys.map(({ id, status }) => [id, status])).toEqual([
      [a.id, 'revoked'],
      [b.id, 'revoked'],
    ])
  })

  test('again says that it was, and is exit 0', async () => {
    const key = idleKey('A')
    account.sandbox.dashboard.revoke(key.id)
    const ran = await account.run(['revoke', key.id])
    expect(ran).toMatchObject({ exit: 0, stdout: '' })
    expect(ran.stderr).toContain('was already revoked')
  })

  test('asks; where nobody answers it is exit 2 and names --yes', async () => {
    const key = idleKey('A')
    const ran = await account.run(['revoke', 'A', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran)).toMatchObject({ code: 'needs-answer', hint: 'give --yes' })
    expect(statusOf(key.id)).toBe('active')
  })

  test('a key used in the last 24 h needs --force, whatever --yes says, and the others stay too', async () => {
    const [busy, idle] = [busyKey('Busy'), idleKey('Idle')]
    const ran = await account.run(['revoke', 'Idle', 'Busy', '--yes', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).code).toBe('recently-used')
    expect(errorOf(ran).message).toContain('Busy')
    expect([statusOf(busy.id), statusOf(idle.id)]).toEqual(['active', 'active'])
    expect((await account.run(['revoke', 'Busy', '--force'])).exit).toBe(0)
    expect(statusOf(busy.id)).toBe('revoked')
  })

  test('the credential in use is refused', async () => {
    const ran = await account.run(['revoke', ownId(), '--yes', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).message).toContain('is the admin key in use')
    // of two admin keys, the audit log tells which one is ours
    const other = account.sandbox.dashboard.create({ name: 'Other admin', access: 'admin', createdAt: 0 })
    const again = await account.run(['revoke', ownId(), '--yes', '--json'])
    expect(errorOf(again).message).toContain('is the admin key in use')
    expect((await account.run(['revoke', other.id, '--yes'])).exit).toBe(0)
  })

  test('one that is not there stops all', async () => {
    const key = idleKey('A')
    const ran = await account.run(['revoke', 'A', 'nothing', '--yes', '--json'])
    expect(ran.exit).toBe(3)
    expect(statusOf(key.id)).toBe('active')
  })
})

describe('delete', () => {
  test('removes what is revoked', async () => {
    const [a, b] = [idleKey('A'), idleKey('B')]
    for (const { id } of [a, b]) account.sandbox.dashboard.revoke(id)
    const ran = await account.run(['delete', 'A', 'B', '--yes', '--json'])
    expect(JSON.parse(ran.stdout)).toEqual({ deleted: [a.id, b.id] })
    expect(account.keys()).toEqual([])
  })

  test('refuses an active key, and changes nothing', async () => {
    const [a, b] = [idleKey('A'), idleKey('B')]
    account.sandbox.dashboard.revoke(b.id)
    const ran = await account.run(['delete', 'B', 'A', '--yes', '--json'])
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({
      code: 'api-key-active',
      hint: expect.stringContaining('--revoke') as string,
    })
    expect([statusOf(a.id), statusOf(b.id)]).toEqual(['active', 'revoked'])
  })

  test('--revoke does both, but not to what was used of late', async () => {
    const [idle, busy] = [idleKey('Idle'), busyKey('Busy')]
    expect((await account.run(['delete', 'Idle', '--revoke', '--yes'])).exit).toBe(0)
    expect(statusOf(idle.id)).toBeUndefined()
    const ran = await account.run(['delete', 'Busy', '--revoke', '--yes', '--json'])
    expect(errorOf(ran).code).toBe('recently-used')
    expect(statusOf(busy.id)).toBe('active')
  })

  test('asks', async () => {
    const key = idleKey('A')
    account.sandbox.dashboard.revoke(key.id)
    const ran = await account.run(['delete', 'A', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).code).toBe('needs-answer')
    expect(statusOf(key.id)).toBe('revoked')
  })
})
