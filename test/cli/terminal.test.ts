import { spawn as spawnOnTerminal } from '@lydell/node-pty'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAccount, type Account } from './account.ts'

// The real program on a real terminal, with somebody at its keys.

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))
let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.end())

/** Starts the line on a terminal, types `keys` once `prompt` is on the screen, and waits for the end. */
async function typeAt(args: string[], prompt: string, keys: string) {
  const { PICTIFY_ADMIN_KEY: _, ...env } = account.home.env
  const terminal = spawnOnTerminal(process.execPath, [bin, ...args], {
    cwd: account.home.directory,
    env,
    cols: 80,
  })
  let screen = ''
  let typed = false
  terminal.onData((text) => {
    screen += text
    if (typed || !screen.includes(prompt)) return
    typed = true
    // one turn later: stale keys are dropped while a question is being put
    setTimeout(() => terminal.write(keys), 300)
  })
  const { exitCode, signal } = await new Promise<{ exitCode: number; signal?: number | undefined }>(
    (resolve) => terminal.onExit(resolve),
  )
  return { screen, exitCode, signal }
}

const sigint = 2

describe('at a question', () => {
  it.each([
    ['Ctrl-C', '\x03', 'interrupted'],
    ['Ctrl-D', '\x04', 'the input ended'],
  ])('%s ends the program by the signal, with the cursor shown', async (_name, keys, message) => {
    const { screen, signal } = await typeAt(['login', '--store', 'file'], 'Admin key', keys)
    expect(signal, screen).toBe(sigint)
    expect(screen).toContain(message)
    expect(screen.lastIndexOf('\x1b[?25h')).toBeGreaterThan(screen.lastIndexOf('\x1b[?25l'))
  })
})
