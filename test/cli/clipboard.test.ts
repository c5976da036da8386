import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openAccount, type Account } from './account.ts'
import { has } from './programs.ts'
import { keyboard, openScreen } from './screen.ts'

// Copying a secret, by the real program into real clipboards: that of an X server, and that of a terminal behind tmux.

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))

let account: Account
let server: ChildProcess | undefined
beforeEach(async () => {
  account = await openAccount()
})
afterEach(async () => {
  server?.kill()
  server = undefined
  await account.end()
})

/** An X server that shows nothing, on the first display that is free. */
async function startX(): Promise<string> {
  const child = spawn('Xvfb', ['-displayfd', '3', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  server = child
  let display = ''
  child.stdio[3]?.on('data', (chunk: Buffer) => (display += chunk.toString()))
  while (!display.includes('\n')) await sleep(10)
  return `:${display.trim()}`
}

const secretIn = (text: string) => /pk_test_\w{32}/.exec(text)?.[0] ?? 'none'

test.skipIf(!has('Xvfb', 'xclip'))('into the clipboard of X by xclip, known to be there', async () => {
  const DISPLAY = await startX()
  const screen = openScreen(account.home, ['create', 'Web', '--type', 'test'], { env: { DISPLAY } })
  await screen.until('Enter leaves')
  const secret = secretIn(screen.text())
  screen.type('c')
  await screen.until('copied to the clipboard by xclip')
  screen.type(keyboard.enter)
  expect((await screen.ended).exit).toBe(0)
  expect(screen.written()).toMatch(/its secret was copied to the clipboard by xclip$/m)
  // it stays there when the program has gone
  const env = { ...process.env, DISPLAY }
  expect(execFileSync('xclip', ['-o', '-selection', 'clipboard'], { env, encoding: 'utf8' })).toBe(secret)
  expect(screen.raw()).not.toContain('\x1b]52')
})

test.skipIf(!has('Xvfb', 'xclip'))(
  'with --plain the clipboard is offered, and nothing is printed',
  async () => {
    const DISPLAY = await startX()
    const args = ['create', 'Web', '--type', 'test', '--plain']
    const screen = openScreen(account.home, args, { env: { DISPLAY } })
    await screen.until('Where is it to go')
    screen.type(`1${keyboard.enter}`)
    expect((await screen.ended).exit).toBe(0)
    expect(screen.written()).toMatch(/its secret was copied to the clipboard by xclip$/m)
    expect(screen.raw()).not.toContain('pk_test_')
    const env = { ...process.env, DISPLAY }
    // what stays in the background to hold it may take it a moment after xclip has ended
    const read = () => execFileSync('xclip', ['-o', '-selection', 'clipboard'], { env, encoding: 'utf8' })
    await expect.poll(read, { timeout: 30_000 }).toMatch(/^pk_test_\w{32}$/)
  },
)

test.skipIf(!has('tmux'))('through tmux to the terminal around it, and tmux keeps nothing', async () => {
  const socket = `pictify-keys-${process.pid}`
  const tmux = (...args: string[]) => execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' })
  const line = `'${process.execPath}' '${bin}' create Web --type test; echo left; read line`
  const screen = openScreen(account.home, [], {
    command: ['tmux', '-L', socket, '-f', '/dev/null', '-u', 'new-session', line],
    env: { LANG: 'C.UTF-8', SHELL: '/bin/sh' },
  })
  try {
    await screen.until('Enter leaves')
    const secret = secretIn(screen.text())
    screen.type('c')
    await screen.until('sent to the clipboard of the terminal, by tmux')
    expect(screen.raw()).toMatch(
      new RegExp(`\\x1b\\]52;c?;${Buffer.from(secret).toString('base64').replaceAll('+', '\\+')}`),
    )
    expect(tmux('list-buffers')).toBe('')
    screen.type(keyboard.enter)
    await screen.until('left')
    // neither in sight nor in what tmux has kept of the pane
    expect(tmux('capture-pane', '-p', '-S', '-')).not.toContain(secret.slice(0, 14))
  } finally {
    tmux('kill-server')
  }
})
