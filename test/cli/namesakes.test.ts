import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { errorOf, openAccount, untimed, type Account } from './account.ts'
import { keyboard, openScreen } from './screen.ts'

// Two keys of one name: the API takes it, so it is said.

let account: Account
let first: { id: string }
beforeEach(async () => {
  account = await openAccount()
  const createdAt = Date.now() - 3.5 * 86_400_000
  first = account.sandbox.dashboard.create({ name: 'Worker', type: 'live', createdAt })
})
afterEach(() => account.end())

const warning = () =>
  `${first.id} (live, created 3d ago, never used) has the name "Worker" already: only by their ids are they told apart`
const listings = () => account.sandbox.requests.filter(({ path }) => path.startsWith('/api-keys?')).length
const keyOf = (name: string) => account.keys().filter((key) => key.name === name)

describe('create', () => {
  it('warns of the key that has the name, and makes another one', async () => {
    const ran = await account.run(['create', 'Worker', '--type', 'live'])
    expect(ran.exit).toBe(0)
    expect(untimed(ran.stderr)).toMatch(new RegExp(`^warning: ${first.id} `))
    expect(untimed(ran.stderr)).toContain(`warning: ${warning()}\n`)
    expect(keyOf('Worker')).toHaveLength(2)
  })

  it('by an event with --json', async () => {
    const ran = await account.run(['create', 'Worker', '--type', 'test', '--json'])
    expect(ran.exit).toBe(0)
    expect(
      ran.stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toEqual([{ event: 'warning', at: expect.any(String) as string, message: warning() }])
  })

  it('says nothing of a revoked one', async () => {
    account.sandbox.dashboard.revoke(first.id)
    expect(await account.run(['create', 'Worker', '--type', 'test', '--json'])).toMatchObject({
      exit: 0,
      stderr: '',
    })
  })

  it('warns before it asks', async () => {
    const screen = openScreen(account.home, ['create', 'Worker'], { columns: 200 })
    await screen.until(/live or a test key/i)
    expect(screen.text()).toContain(`warning: ${warning()}`)
    screen.type(keyboard.ctrlC)
    await screen.ended
    expect(keyOf('Worker')).toHaveLength(1)
  })
})

describe('rename', () => {
  it('warns of the key that has the name, and of no key that gets its own again', async () => {
    const other = account.sandbox.dashboard.create({ name: 'Web', type: 'live' })
    const ran = await account.run(['rename', other.id, 'Worker'])
    expect(ran).toMatchObject({ exit: 0, stdout: `renamed ${other.id} to "Worker"\n` })
    expect(untimed(ran.stderr)).toBe(`warning: ${warning()}\n`)
    account.sandbox.dashboard.revoke(first.id)
    expect(await account.run(['rename', other.id, 'Worker'])).toMatchObject({ exit: 0, stderr: '' })
  })

  it('has the list at hand where the key is chosen from it', async () => {
    account.sandbox.dashboard.create({ name: 'Web', type: 'live' })
    const screen = openScreen(account.home, ['rename'], { columns: 200 })
    await screen.until('Which key gets another name?')
    screen.type('web')
    await screen.until(/Web .*created just now, never used/)
    const before = listings()
    expect(before).toBeGreaterThan(0)
    screen.type(keyboard.enter)
    await screen.until(/new name/)
    screen.type('\x15Worker')
    screen.type(keyboard.enter)
    expect((await screen.ended).exit, screen.text()).toBe(0)
    expect(screen.text()).toContain(`warning: ${warning()}`)
    expect(listings()).toBe(before)
  })
})

it('an ambiguous name says what tells its keys apart', async () => {
  const used = { createdAt: Date.now() - 40 * 86_400_000, lastUsedAt: Date.now() - 2.5 * 3_600_000 }
  const other = account.sandbox.dashboard.create({ name: 'Worker', type: 'test', ...used })
  const [ran, json] = [await account.run(['show', 'Worker']), await account.run(['show', 'Worker', '--json'])]
  const lines = untimed(ran.stderr).trimEnd().split('\n')
  expect(lines.slice(0, 2)).toEqual(['error: 2 keys have the name "Worker"', '  give the id of one:'])
  expect(lines.slice(2).sort()).toEqual(
    [
      `    ${first.id}  live, created 3d ago, never used`,
      `    ${other.id}  test, created 1mo ago, used 2h ago`,
    ].sort(),
  )
  expect(errorOf(json).hint?.split('\n')).toHaveLength(3)
})

it('usage tells keys of one name apart, however narrow the terminal', async () => {
  const other = account.sandbox.dashboard.create({ name: 'Worker', type: 'live' })
  for (const columns of [40, 80, 200]) {
    const screen = openScreen(account.home, ['usage'], { columns, rows: 60 })
    await screen.ended
    expect(screen.scrollback()).toContain(first.id)
    expect(screen.scrollback()).toContain(other.id)
  }
})
