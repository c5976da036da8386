import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openAccount, type Account } from './account.ts'
import { keyboard, openScreen } from './screen.ts'

// A person who puts the new key into its place, while a rotation waits for them.

let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.end())

describe('a place that a person fills in, in the middle of a rotation', () => {
  const rotating = () => {
    const { id } = account.sandbox.dashboard.create({ name: 'Wiki', createdAt: Date.now() - 86_400_000 })
    const waits = ['--settle', '0s', '--idle', '0s', '--usage-lag', '0s', '--no-evidence']
    return openScreen(account.home, ['rotate', id, '--to', 'manual:the wiki', ...waits])
  }
  const secretIn = (text: string) => /pk_live_\w{32}/.exec(text)?.[0] ?? 'none'

  test('is shown the secret on the same screen, and it is nowhere when that is left', async () => {
    const screen = rotating()
    await screen.until('put the new key into the wiki')
    const secret = secretIn(screen.text())
    // nothing is drawn over it meanwhile
    expect(screen.text()).not.toMatch(/deliver/)
    screen.type(keyboard.enter)
    await screen.until('once more')
    screen.type(keyboard.enter)
    await screen.until('Is it in its place?')
    screen.type(`y${keyboard.enter}`)
    expect(await screen.ended, screen.text()).toEqual({ exit: 0, signal: null })
    expect(screen.written()).toContain('rotated Wiki')
    expect(screen.written()).not.toContain(secret.slice(0, 14))
    expect(screen.isCursorHidden()).toBe(false)
  })

  test('Ctrl-C at it is Ctrl-C of the rotation', async () => {
    const screen = rotating()
    await screen.until('put the new key into the wiki')
    const secret = secretIn(screen.text())
    screen.type(keyboard.ctrlC)
    await screen.ended
    expect(screen.written()).not.toContain(secret.slice(0, 14))
    expect(screen.isCursorHidden()).toBe(false)
    expect(screen.written()).toMatch(/rotation [0-9a-f]{6}/)
    expect(screen.written().replace(/\s+/g, ' ')).toContain('a second Ctrl-C undoes the rotation')
  })

  test.each([
    ['the screen', '', ''],
    ['its question', `${keyboard.enter}`, 'Is it in its place?'],
  ])(
    'twice in one burst at %s is the second Ctrl-C, three times the third',
    async (_where, keys, question) => {
      for (const [times, said] of [
        [2, 'undoing the rotation; a third'],
        [3, 'left at once; the journal keeps what was done'],
      ] as const) {
        const screen = rotating()
        await screen.until('put the new key into the wiki')
        if (question !== '') {
          screen.type(keys)
          await screen.until('once more')
          screen.type(keys)
          await screen.until(question)
        }
        screen.type(keyboard.ctrlC.repeat(times))
        expect((await screen.ended).signal, screen.written()).toBe(2)
        expect(screen.written().replace(/\s+/g, ' ')).toContain(said)
        expect(screen.isCursorHidden()).toBe(false)
      }
    },
  )
})
