import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { leftOpen, openRotating, type Rotating } from './rotating.ts'
import { keyboard, openScreen, type Screen } from './screen.ts'

// Ctrl-C at every wait of a rotation, on a real terminal: what is said, what it does, and how it goes on.

let account: Rotating
beforeEach(async () => {
  account = await openRotating()
})
afterEach(() => account.end())

const sigint = 2
const waits = ['--settle', '300ms', '--idle', '300ms', '--usage-lag', '300ms', '--wait', '30s']
const rotate = (...more: string[]) =>
  openScreen(account.home, ['rotate', 'Production Server', '--to', 'env:.env', ...waits, ...more])
const active = () => account.keys().filter(({ status }) => status === 'active')
/** What is written, whatever the terminal's width made of it. */
const said = (screen: Screen) => screen.scrollback().replaceAll(/\s+/g, ' ')

/** The program died of the signal, nothing of the board is left, and the cursor is there. */
async function expectInterrupted(screen: Screen): Promise<void> {
  expect((await screen.ended).signal, screen.scrollback()).toBe(sigint)
  expect(screen.scrollback()).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/)
  expect(screen.isCursorHidden()).toBe(false)
}

async function press(screen: Screen, shown: string | RegExp): Promise<void> {
  screen.type(keyboard.ctrlC)
  await screen.until(shown)
}

/** The command that the screen names. */
function command(screen: Screen, flag: string): string[] {
  const [, id] = new RegExp(`pictify-keys rotate (\\w{6}) ${flag}`).exec(said(screen)) ?? []
  expect(id, screen.scrollback()).toBeDefined()
  return ['rotate', id ?? '', flag]
}

/** Where a rotation waits, and how it is brought to wait there. */
const places: [where: string, flags: string[], shown: RegExp][] = [
  ['accept', ['--settle', '30s'], /3 of 3 probes passed/],
  ['the verify command', ['--verify', 'sleep 30'], /running the verify command/],
  ['overlap', ['--overlap', '1h'], /missing/],
]

describe.each(places)('Ctrl-C at %s', (_where, more, shown) => {
  it('once stops there, and names the command that goes on', async () => {
    const screen = rotate(...more)
    await screen.until(shown)
    await press(screen, 'stopping at the next safe point')
    await expectInterrupted(screen)
    expect(said(screen)).toContain(
      'both keys work; a second Ctrl-C undoes the rotation, a third leaves at once: the journal keeps what was done; go on later with: pictify-keys',
    )
    expect(said(screen)).toMatch(/■ \w+ +stopped here/)
    expect(active()).toHaveLength(2)
    const line = command(screen, '--resume')
    const again = await account.run([...line, ...waits, '--overlap', '0s', '--verify', 'true'])
    expect(again.exit, again.stderr).toBe(0)
    expect(active()).toHaveLength(1)
    expect(active()[0]?.id).not.toBe(account.old.id)
  })

  it('twice undoes it', async () => {
    const screen = rotate(...more)
    await screen.until(shown)
    await press(screen, 'stopping at the next safe point')
    await press(screen, 'undoing the rotation')
    await expectInterrupted(screen)
    expect(said(screen)).toMatch(
      /undoing the rotation; a third Ctrl-C leaves at once: the journal keeps what was done, and pictify-keys rotate \w+ --abort/,
    )
    expect(said(screen)).toMatch(/✓ undo +every place holds what it held/)
    expect(active().map(({ id }) => id)).toEqual([account.old.id])
    expect(await account.read('.env')).toContain(account.old.secret.reveal())
  })
})

describe('Ctrl-C elsewhere', () => {
  it('in the plan says that nothing was changed', async () => {
    account.sandbox.addFault('slow=2s:GET /api-keys@1-2')
    const screen = rotate()
    await screen.until('checking everything')
    await press(screen, 'stopping; nothing was changed yet')
    await expectInterrupted(screen)
    expect(said(screen)).not.toMatch(/second|third/)
    expect(account.keys().map(({ id }) => id)).toEqual([account.old.id])
    const listed = await account.run(['rotations', '--json'])
    expect(JSON.parse(listed.stdout)).toEqual({ rotations: [] })
  })

  it('in the plan of a rotation that is gone on with says that both keys work', async () => {
    const open = await account.run(['rotate', 'Production Server', '--to', 'env:.env', ...leftOpen])
    expect(open.exit, open.stderr).toBe(5)
    account.sandbox.addFault('slow=2s:GET /api-keys/*@1-2')
    const screen = rotate('--overlap', '24h')
    await screen.until('going on with rotation')
    await press(screen, 'stopping at the next safe point')
    await expectInterrupted(screen)
    expect(said(screen)).toContain('both keys work; a second Ctrl-C undoes the rotation')
    expect(said(screen)).not.toContain('nothing was changed')
    expect(active()).toHaveLength(2)
  })

  it('of a leaked key that is revoked first says that there is no way back', async () => {
    const screen = rotate('--compromised', '--revoke-first', '--settle', '30s')
    await screen.until(/3 of 3 probes passed/)
    await press(screen, 'stopping at the next safe point')
    await expectInterrupted(screen)
    expect(said(screen)).toContain('the old key is revoked first of all, so there')
    expect(said(screen)).not.toMatch(/both keys work|second|third/)
    expect(command(screen, '--resume')).toHaveLength(3)
    expect(active().map(({ id }) => id)).not.toContain(account.old.id)
  })

  it('while the old key goes says that there is no way back', async () => {
    account.sandbox.addFault(`slow=2s:POST /api-keys/${account.old.id}/revoke`)
    const screen = rotate()
    await screen.until(/last look, then \S+ is revoked/)
    await press(screen, 'the old key goes, so there is no way back')
    await expectInterrupted(screen)
    expect(said(screen)).toContain('✓ finish')
    expect(active()).toHaveLength(1)
    expect(active()[0]?.id).not.toBe(account.old.id)
  })

  it('while it is undone says that this goes on, and the third ends it', async () => {
    const screen = rotate('--verify', 'exit 1', '--idle', '1h')
    await screen.until(/undo +every place has its old value/)
    expect(said(screen)).toContain(
      'goes on undoing; the third leaves at once, and the journal keeps the rest go on later: pictify-keys rotate',
    )
    await press(screen, 'it is being undone, and that goes on; a third Ctrl-C leaves at once')
    await press(screen, /and that goes on;[^]*and that goes on;/)
    await press(screen, 'left at once, not undone to the end')
    await expectInterrupted(screen)
    const again = await account.run([...command(screen, '--abort'), ...waits, '--no-evidence'])
    expect(again.exit, again.stderr).toBe(0)
    expect(active().map(({ id }) => id)).toEqual([account.old.id])
  })

  it('says the same in lines', async () => {
    const screen = rotate('--overlap', '1h', '--plain')
    await screen.until('waiting up to')
    await press(screen, 'stopping at the next safe point')
    await expectInterrupted(screen)
    expect(screen.written()).toContain('go on later with: pictify-keys rotate')
    expect(screen.raw()).not.toMatch(/\x1b(?!\[[\d;]*m)/)
  })
})
