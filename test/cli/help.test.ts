import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, openAccount, type Account } from './account.ts'
import { openScreen } from './screen.ts'

let account: Account
beforeAll(async () => {
  account = await openAccount()
  account.sandbox.dashboard.create({ name: 'Production Server', createdAt: Date.now() })
})
afterAll(() => account.end())

/** Every row that was printed, as long as it was. */
const linesOf = (raw: string) => raw.replaceAll('\r', '').split('\n')

describe('help at a terminal', () => {
  test.each([
    [40, ['--help']],
    [60, ['--help']],
    [79, []],
    [40, ['create', '--help']],
    [40, ['rotate', '--help']],
    [200, ['rotate', '--help']],
  ])('of %i columns fits it: %j', async (columns, args) => {
    const screen = openScreen(account.home, args, { columns })
    expect(await screen.ended).toEqual({ exit: 0, signal: null })
    const lines = linesOf(screen.raw())
    expect(lines.length).toBeGreaterThan(20)
    // but for an example of which one word is longer than that
    const tooLong = lines.filter((line) => line.length > columns && !/^ +\S+( \S+)?( \\)?$/.test(line))
    expect(tooLong).toEqual([])
    const order = ['Examples:', 'Usage:', 'Global flags:'].map((heading) => screen.raw().indexOf(heading))
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  test('of a command ends with the names alone of the flags that all commands have', async () => {
    const lines = (await account.run(['list', '--help'])).stdout.trimEnd().split('\n')
    const global = lines.slice(lines.indexOf('Global flags:') + 1)
    expect(global.length).toBeLessThan(6)
    const all = (await account.run(['--help'])).stdout
    for (const flag of all.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm))
      if (flag[1] !== '--version') expect(global.join(' ')).toContain(flag[1])
    expect(global.at(-1)).toBe('  pictify-keys --help says what they do.')
  })

  test('of 80 columns is that of a pipe', async () => {
    const screen = openScreen(account.home, ['--help'], { columns: 80, rows: 24 })
    await screen.ended
    expect(linesOf(screen.raw()).join('\n')).toBe((await account.run(['--help'])).stdout)
  })
})

describe('the name of a key that is misspelt is answered with the nearest', () => {
  test.each([
    ['show', 'Productoin Server'],
    ['show', 'production'],
    ['revoke', 'Production Sever'],
  ])('%s %j', async (command, name) => {
    const ran = await account.run([command, name, '--json', ...(command === 'revoke' ? ['--yes'] : [])])
    expect(ran.exit).toBe(3)
    expect(errorOf(ran)).toMatchObject({
      code: 'api-key-not-found',
      hint: 'did you mean "Production Server"? pictify-keys list shows the ids and names',
    })
  })

  test('an id is answered with none', async () => {
    const [key] = account.keys()
    const near = `${key?.id.slice(0, -1)}_`
    expect(errorOf(await account.run(['show', near, '--json'])).hint).toBe(
      'pictify-keys list shows the ids and names',
    )
  })
})
