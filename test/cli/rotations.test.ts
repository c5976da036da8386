import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatMark, parseMark } from '../../src/rotation/marked-name.ts'
import { createHome, type Home } from './program.ts'
import { leftOpen, openRotating, type Rotating } from './rotating.ts'

let account: Rotating
let elsewhere: Home
beforeEach(async () => {
  account = await openRotating()
  const { PICTIFY_API_URL = '', PICTIFY_ADMIN_KEY = '' } = account.home.env
  elsewhere = await createHome({ PICTIFY_API_URL, PICTIFY_ADMIN_KEY })
})
afterEach(async () => {
  await elsewhere.remove()
  await account.end()
})

/** Leaves a rotation open in the account's home; resolves to its receipt. */
async function leaveOpen() {
  const ran = await account.run(['rotate', account.old.id, '--to', 'env:.env', ...leftOpen])
  expect(ran.exit, ran.stderr).toBe(5)
  return (JSON.parse(ran.stdout) as { rotation: { id: string; newKey: { id: string } } }).rotation
}

async function list(home: Home, ...args: string[]): Promise<unknown> {
  const ran = await home.run(['rotations', '--open', '--json', ...args])
  expect(ran.exit, ran.stderr).toBe(0)
  return (JSON.parse(ran.stdout) as { rotations: unknown }).rotations
}

describe('rotations --account', () => {
  it('lists what another machine has open, and that anybody may go on with it', async () => {
    const { id, newKey } = await leaveOpen()
    expect(await list(elsewhere)).toEqual([])
    expect(await list(elsewhere, '--account')).toEqual([
      {
        id,
        state: 'elsewhere',
        oldKey: { id: account.old.id, name: 'Production Server' },
        newKey: { id: newKey.id, createdAt: expect.any(String) as string },
        leaseUntil: null,
      },
    ])
    const table = await elsewhere.run(['rotations', '--account'])
    expect(table.stdout).toMatch(new RegExp(`${id} +elsewhere .*free to go on with`))
  })

  it('says until when another machine is at it', async () => {
    const { newKey } = await leaveOpen()
    const mark = parseMark(account.keys().find(({ id }) => id === newKey.id)?.name ?? '')
    expect(mark).toBeDefined()
    const leaseUntil = Math.ceil(Date.now() / 60_000) * 60_000 + 600_000
    if (mark) account.sandbox.dashboard.rename(newKey.id, formatMark({ ...mark, leaseUntil, holder: 'abcd' }))
    expect(await list(elsewhere, '--account')).toMatchObject([
      { state: 'elsewhere', leaseUntil: new Date(leaseUntil).toISOString() },
    ])
    expect((await elsewhere.run(['rotations', '--account'])).stdout).toContain('leased, ends')
  })

  it('lists what this machine has open once, as its own', async () => {
    const { id } = await leaveOpen()
    expect(await list(account.home, '--account')).toMatchObject([{ id, state: 'overlapping' }])
  })
})
