import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openAccount, type Account } from './account.ts'
import { keyboard, openScreen, type ScreenOptions } from './screen.ts'

// A secret that is shown to a person: what they see, what they can do, and what is left of it on their terminal.

let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.end())

const leaving = 'Enter leaves'
const open = (args: string[] = [], options?: ScreenOptions) =>
  openScreen(account.home, ['create', 'Web', '--type', 'test', ...args], options)

/** The secret on the screen, which the API takes. */
async function secretOn(text: string): Promise<string> {
  // a narrow terminal breaks it
  const [secret = ''] = /pk_test_(?:\n?\w){32}/.exec(text) ?? []
  const whole = secret.replaceAll('\n', '')
  const answer = await fetch(`${account.sandbox.url}/templates?limit=1`, {
    headers: { authorization: `Bearer ${whole}` },
  })
  expect(answer.status, text).toBe(200)
  return whole
}

describe('at a terminal', () => {
  test('it is shown on a screen of its own, and gone when that is left', async () => {
    const screen = open()
    await screen.until(leaving)
    const secret = await secretOn(screen.text())
    expect(screen.text()).toContain('created Web (key_')
    expect(screen.text()).toContain('PICTIFY_API_KEY')
    expect(screen.isCursorHidden()).toBe(true)
    screen.type(keyboard.enter)
    await screen.until('it was not copied')
    screen.type(keyboard.enter)
    expect(await screen.ended).toEqual({ exit: 0, signal: null })
    const left = screen.written()
    expect(left).toMatch(/^created Web \(key_\w+\); its secret was shown, and is kept nowhere$/m)
    expect(left).not.toContain(secret.slice(0, 14))
    expect(screen.isCursorHidden()).toBe(false)
    expect(account.keys()).toMatchObject([{ name: 'Web', status: 'active' }])
  })

  test('c sends it to the terminal’s clipboard, and says that nobody knows whether it took it', async () => {
    const screen = open()
    await screen.until(leaving)
    const secret = await secretOn(screen.text())
    screen.type('c')
    await screen.until('does not say whether it took it')
    expect(screen.raw()).toContain(`\x1b]52;c;${Buffer.from(secret).toString('base64')}\x07`)
    screen.type(keyboard.enter)
    expect((await screen.ended).exit).toBe(0)
    expect(screen.written().replaceAll('\n  ', ' ')).toContain('sent to the clipboard of the terminal')
    expect(screen.written()).not.toContain(secret.slice(0, 14))
  })

  test.each([
    ['Ctrl-C', (screen: ReturnType<typeof open>) => screen.type(keyboard.ctrlC), 2],
    ['SIGTERM', (screen: ReturnType<typeof open>) => screen.kill('SIGTERM'), 15],
  ])('%s takes it away, and says what becomes of the key', async (_name, interrupt, signal) => {
    const screen = open()
    await screen.until(leaving)
    const secret = await secretOn(screen.text())
    interrupt(screen)
    expect((await screen.ended).signal).toBe(signal)
    const [key] = account.keys()
    expect(screen.written()).toContain('was created and works; its secret is kept nowhere')
    expect(screen.written()).toContain(`pictify-keys delete ${key?.id} --revoke`)
    expect(screen.written()).not.toContain(secret.slice(0, 14))
    expect(screen.isCursorHidden()).toBe(false)
    // what it says to do does it
    expect(await account.run(['delete', key?.id ?? '', '--revoke', '--force', '--yes'])).toMatchObject({
      exit: 0,
    })
    expect(account.keys()).toEqual([])
  })

  test.each([
    [40, 24],
    [40, 10],
    [30, 8],
    [200, 50],
  ])('it is whole at %i columns and %i rows, with a snippet beside it', async (columns, rows) => {
    const screen = open(['--snippet', 'go'], { columns, rows })
    await screen.until(/Enter\s+leaves/)
    const secret = await secretOn(screen.text())
    expect(secret.length).toBeGreaterThan(20)
    // no word is broken, and nothing has scrolled away
    expect(screen.text().replace(/\s+/g, ' ')).toContain(
      'c copies it, Enter leaves: it is gone from the screen then',
    )
    expect(screen.text()).toContain('created Web')
    screen.type(`${keyboard.enter}`)
    await screen.until(/once\s+more/)
    screen.type(`${keyboard.enter}`)
    expect((await screen.ended).exit).toBe(0)
    expect(screen.written()).toContain('pictify.NewClient(apiKey')
    expect(screen.written()).not.toContain(secret.slice(0, 14))
  })

  test('a terminal that gets another size in between shows it anew', async () => {
    const screen = open([], { columns: 100, rows: 30 })
    await screen.until(leaving)
    const secret = await secretOn(screen.text())
    screen.resize(44, 16)
    await screen.until(/gone from\n/)
    expect(await secretOn(screen.text())).toBe(secret)
    screen.resize(120, 40)
    await screen.until('gone from the screen then')
    expect(await secretOn(screen.text())).toBe(secret)
    // nothing of an earlier drawing is left
    expect(screen.text().split('created Web')).toHaveLength(2)
    screen.type('\x1b')
    await screen.until('once more')
    screen.type('q')
    expect((await screen.ended).exit).toBe(0)
    expect(screen.written()).not.toContain(secret.slice(0, 14))
  })

  test('a paste with newlines, and other keys, neither leave nor copy', async () => {
    const screen = open()
    await screen.until(leaving)
    await secretOn(screen.text())
    screen.paste('one\ntwo\n\nc\n')
    screen.type('x')
    screen.type(keyboard.up)
    // else they are one chunk with the next, as a paste is
    await sleep(100)
    screen.type(keyboard.enter)
    await screen.until('it was not copied')
    expect(screen.raw()).not.toContain('\x1b]52')
    screen.type(keyboard.enter)
    expect((await screen.ended).exit).toBe(0)
  })

  test('stopped by a signal it leaves the terminal without the secret, and shows it again when it goes on', async () => {
    const screen = open()
    await screen.until(leaving)
    const secret = await secretOn(screen.text())
    screen.kill('SIGTSTP')
    await screen.until(/^(?![^]*Enter leaves)/)
    expect(screen.scrollback()).not.toContain(secret.slice(0, 14))
    expect(screen.isCursorHidden()).toBe(false)
    screen.kill('SIGCONT')
    await screen.until(leaving)
    expect(await secretOn(screen.text())).toBe(secret)
    screen.type('c')
    await screen.until('does not say whether it took it')
    screen.type(keyboard.enter)
    expect((await screen.ended).exit).toBe(0)
    expect(screen.written()).not.toContain(secret.slice(0, 14))
  })

  test('no colour is asked for, and none is there', async () => {
    const screen = open([], { env: { NO_COLOR: '1' } })
    await screen.until(leaving)
    expect(screen.isColoured()).toBe(false)
    screen.type(keyboard.ctrlC)
    await screen.ended
  })
})

describe('--print and stdout', () => {
  test('--print leaves it in the scrollback, as was asked', async () => {
    const screen = open(['--print'])
    expect((await screen.ended).exit).toBe(0)
    expect(screen.written()).toMatch(/^pk_test_\w+$/m)
    expect(screen.raw()).not.toContain('\x1b[?1049h')
  })

  test('--json at a terminal is refused before anything is made, but for --print', async () => {
    const screen = open(['--json'])
    expect((await screen.ended).exit).toBe(2)
    expect(screen.written()).toMatch(/"code":"needs-answer".*--print.*--to.*a pipe/s)
    expect(screen.raw()).not.toContain('pk_test_')
    expect(account.keys()).toEqual([])
    const asked = open(['--json', '--print'])
    expect((await asked.ended).exit).toBe(0)
    expect(asked.written()).toMatch(/"secret": "pk_test_\w+"/)
  })

  test('with --to it is said once where the secret is', async () => {
    const ran = await account.run(['create', 'Web', '--type', 'test', '--to', 'env:.env'])
    expect(ran.exit).toBe(0)
    expect(`${ran.stdout}${ran.stderr}`.match(/env:\.env/g)).toHaveLength(1)
    expect(ran.stdout).toMatch(/^created Web \(key_\w+\); its secret is in env:\.env\n$/)
  })

  test('where nobody can be asked, nothing is made for a terminal to keep', async () => {
    const screen = open([], { env: { CI: 'true' } })
    expect((await screen.ended).exit).toBe(2)
    expect(screen.written()).toContain('give --print')
    expect(account.keys()).toEqual([])
  })
})

describe('with --plain, where the clipboard program fails', () => {
  beforeEach(async () => {
    await mkdir(path.join(account.home.directory, 'programs'))
    await writeFile(path.join(account.home.directory, 'programs', 'xclip'), '#!/bin/sh\nexit 1\n', {
      mode: 0o755,
    })
  })
  const openAsked = async () => {
    const PATH = `${account.home.directory}/programs:${process.env['PATH']}`
    const screen = open(['--plain'], { columns: 150, env: { PATH, DISPLAY: ':77' } })
    await screen.until(/Where is it to go[^]*number:/)
    screen.type(`1${keyboard.enter}`)
    await screen.until(/could not be copied[^]*cannot be had again[^]*number:/)
    expect(screen.raw()).not.toContain('pk_test_')
    return screen
  }

  test('it is printed where that is wanted, and nothing is sent to the terminal’s clipboard', async () => {
    const screen = await openAsked()
    screen.type(`1${keyboard.enter}`)
    expect((await screen.ended).exit).toBe(0)
    expect((await secretOn(screen.written())).length).toBeGreaterThan(20)
    expect(screen.raw()).not.toContain('\x1b]52')
  })

  test.each([
    ['nowhere', `2${keyboard.enter}`, { exit: 1, signal: null }],
    ['Ctrl-C', keyboard.ctrlC, { exit: null, signal: 2 }],
  ])('%s says what becomes of the key', async (_answer, keys, end) => {
    const screen = await openAsked()
    screen.type(keys)
    expect(await screen.ended).toEqual(end)
    expect(screen.written()).toContain('its secret is kept nowhere')
    expect(screen.written()).toContain(`pictify-keys delete ${account.keys()[0]?.id} --revoke`)
    expect(screen.raw()).not.toMatch(/pk_test_|\x1b\]52/)
  })
})

describe.each([
  ['TERM=dumb', [], { TERM: 'dumb' }],
  ['--plain', ['--plain'], {}],
])('with %s', (_name, flags, env) => {
  test('it is asked first whether it may stay; no makes no key', async () => {
    const screen = open(flags, { env })
    await screen.until('will stay in the scrollback')
    screen.type(`n${keyboard.enter}`)
    expect((await screen.ended).exit).toBe(1)
    expect(account.keys()).toEqual([])
  })

  test('yes prints it, without a screen of its own', async () => {
    const screen = open(flags, { env })
    await screen.until('will stay in the scrollback')
    screen.type(`y${keyboard.enter}`)
    expect((await screen.ended).exit).toBe(0)
    expect(screen.written()).toMatch(/^pk_test_\w+$/m)
    expect(screen.raw()).not.toContain('\x1b[?1049h')
  })
})
