import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openAccount, untimed, type Account } from './account.ts'
import { openScreen } from './screen.ts'

// What the real program prints where there is no terminal, and on a narrow one.

const long = 'a key with a name that says at length what it is for, where it is used and by whom'
let account: Account
beforeAll(async () => {
  account = await openAccount()
  const { dashboard } = account.sandbox
  dashboard.create({ name: long, type: 'live', lastUsedAt: Date.now() - 86_400_000 })
  dashboard.create({ name: 'Twin', type: 'live', createdAt: Date.now() - 3 * 86_400_000 })
  dashboard.create({ name: 'Twin', type: 'live' })
  const { id } = dashboard.create({ name: `${long}, rotated`.slice(0, 100), type: 'live' })
  const atOnce = ['--settle', '0s', '--no-evidence']
  const ran = await account.run(['rotate', id, '--to', 'file:secret', '--create-target', ...atOnce])
  expect(ran.exit, ran.stderr).toBe(0)
}, 60_000)
afterAll(() => account.end())

async function onTerminal(args: readonly string[], columns: number) {
  const screen = openScreen(account.home, args, { columns, rows: 60 })
  await screen.ended
  return screen
}

describe('without a terminal', () => {
  it.each([['list'], ['usage'], ['rotations']])('%s is cut nowhere', async (command) => {
    const { stdout } = await account.run([command])
    expect(stdout).toContain(long)
    expect(stdout).not.toContain('…')
  })

  it('profile list is cut nowhere', async () => {
    const name = 'a-profile-whose-name-says-at-length-whose-it-is'
    const env = { PICTIFY_ADMIN_KEY: undefined }
    const input = account.sandbox.adminKey.reveal()
    const signedIn = await account.run(['login', '--store', 'file', '--profile', name], { env, input })
    expect(signedIn.exit, signedIn.stderr).toBe(0)
    const { stdout } = await account.run(['profile', 'list', '--profile', name])
    const shown = ['*', name, 'live', account.sandbox.url, 'pk_live_\\S+', 'profile file', 'by --profile']
    expect(stdout).toMatch(new RegExp(shown.map((text) => text.replace(/^\*$/, '\\*')).join(' +')))
  })

  it('unless COLUMNS says how much room there is', async () => {
    const { stdout } = await account.run(['list'], { env: { COLUMNS: '80' } })
    expect(stdout).toContain('…')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('no line of an error is broken', async () => {
    const ran = await account.run(['show', long.slice(3)], { env: { COLUMNS: '40' } })
    const [error, hint, ...rest] = untimed(ran.stderr).trimEnd().split('\n')
    expect(error).toBe(`error: no key has the id or the name "${long.slice(3)}"`)
    expect(hint).toMatch(/^ {2}did you mean .* shows the ids and names$/)
    expect(rest).toEqual([])
  })

  it('a log has no empty line', async () => {
    const running = account.home.start(['sandbox'])
    await running.until(() => running.output().stderr.includes('Ctrl-C stops it'))
    running.child.kill('SIGTERM')
    const { stderr } = await running.ended
    expect(stderr.trimEnd().split('\n')).toHaveLength(3)
    expect(untimed(stderr).trimEnd()).not.toMatch(/^\s*$/m)
  })
})

describe('on a terminal of 40 columns', () => {
  it('a rotation is a block of lines', async () => {
    const text = (await onTerminal(['rotations'], 40)).text()
    expect(text).toMatch(/^ROTATION {2}\w{6}\nSTATE {5}done\nKEY {7}a key with a name/m)
    expect(text).toMatch(/\nOLD {7}key_\w+\nNEW {7}key_\w+\nSTARTED {3}just now$/)
    expect(text.replace(/\n {10}/g, ' ')).toContain(long)
  })

  it.each([['list'], ['usage']])('%s is in blocks, and its words are whole', async (command) => {
    const screen = await onTerminal([command], 40)
    expect(screen.text()).toMatch(/^ID +key_\w+\nNAME +Twin$/m)
    expect(screen.written()).toBe(screen.scrollback())
    expect(screen.scrollback().replace(/\n {8,}/g, ' ')).toContain(long)
  })

  it('an error and its hint are in whole words', async () => {
    const text = (await onTerminal(['show', long.slice(3)], 40)).text()
    expect(text).not.toContain(long.slice(3))
    expect(text.replace(/\n {2}/g, ' ')).toContain(`or the name "${long.slice(3)}" did you mean "${long}"`)
    for (const row of text.split('\n').slice(1)) expect(row).toMatch(/^ {2}\S/)
  })

  it('with --plain lines are left to the terminal', async () => {
    const screen = await onTerminal(['show', long.slice(3), '--plain'], 40)
    expect(screen.written()).toContain(`error: no key has the id or the name "${long.slice(3)}"\n  did`)
  })
})

it('on 80 columns the table of rotations does without the new key', async () => {
  const [head] = (await onTerminal(['rotations'], 80)).text().split('\n')
  expect(head).toMatch(/^ROTATION +STATE +KEY +OLD +(?:NEW +)?STARTED$/)
})
