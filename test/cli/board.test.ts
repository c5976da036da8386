import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRotating, type Rotating } from './rotating.ts'
import { openScreen, type Screen, type ScreenOptions } from './screen.ts'

// The board of a rotation: the real program on a real terminal, against a sandbox over real sockets.

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))
let account: Rotating
beforeEach(async () => {
  account = await openRotating()
})
afterEach(() => account.end())

const waits = ['--settle', '1s', '--idle', '1s', '--usage-lag', '500ms', '--wait', '30s']
const rotate = (more: readonly string[] = [], options: ScreenOptions = {}) =>
  openScreen(account.home, ['rotate', 'Production Server', '--to', 'env:.env', ...waits, ...more], options)

const steps = ['plan', 'mint', 'accept', 'deliver', 'verify', 'overlap', 'retire', 'finish']
const spinner = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/
/** What moves the cursor, erases or hides, all but colours. */
const drawing = /\x1b(?!\[[\d;]*m)/
/** The steps that have a line, in the order of their lines. */
const finished = (text: string, mark = '✓') =>
  [...text.matchAll(new RegExp(`^${mark} (\\w+)`, 'gm'))].map(([, step]) => step)
const active = () => account.keys().filter(({ status }) => status === 'active')

/** Nothing of the board is left, and the cursor is there. */
function expectSettled(screen: Screen): void {
  expect(screen.scrollback()).not.toMatch(spinner)
  expect(screen.scrollback()).not.toMatch(/^ {2}(then|wait|missing|Ctrl-C) /m)
  expect(screen.isCursorHidden()).toBe(false)
}

describe('a whole rotation', () => {
  it.each([40, 80, 200])('leaves a line for each step at %i columns', async (columns) => {
    const screen = rotate([], { columns })
    await screen.until('overlap  both keys work')
    expect(screen.text().replaceAll(/\s+/g, ' ')).toMatch(/then retire, finish/)
    expect(screen.written()).toContain('Production Server')
    expect(screen.isCursorHidden()).toBe(true)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expectSettled(screen)
    expect(finished(screen.scrollback())).toEqual(steps)
    expect(screen.scrollback()).toContain('rotated Production Server')
    // the terminal itself had to break none of our lines: what is whole is what is shown
    const ours = (text: string) => text.slice(0, text.indexOf('rotated Production Server'))
    expect(ours(screen.written())).toBe(ours(screen.scrollback()))
    expect(active()).toHaveLength(1)
  })

  it('shows both keys and what is missing while they overlap', async () => {
    const screen = rotate(['--idle', '3s'])
    await screen.until(/missing +\S+ was last used/)
    const text = () => screen.text()
    expect(text()).toMatch(new RegExp(`old key +${account.old.id} +\\d+ requests? in 24h, (last|never) used`))
    expect(text()).toMatch(/new key +key_\w+ +\d+ requests? in 24h, last used/)
    expect(text()).toMatch(/figures of \d\d:\d\d:\d\d UTC/)
    expect(text()).toMatch(/wait +\d+s left of --wait/)
    expect(text()).toMatch(/go on later: pictify-keys rotate \w{6} --resume/)
    await account.call(account.old.secret)
    await screen.until(/old key .* last used (just now|1s ago)/)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expectSettled(screen)
  })

  it('has the verify command and warnings speak above it', async () => {
    const verify = 'echo the first line; sleep 1; echo the second line'
    const screen = rotate(['--verify', verify, '--no-evidence'])
    await screen.until('the first line')
    expect(screen.text()).toMatch(/the first line\n\n.*verify +running the verify command/)
    await screen.until('the second line')
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expectSettled(screen)
    const text = screen.scrollback()
    expect(finished(text)).toEqual(steps)
    const places = ['✓ deliver', 'the first line', 'the second line', '✓ verify', 'warning:', '✓ overlap']
    expect(places.map((place) => text.indexOf(place))).toEqual(
      places.map((place) => text.indexOf(place)).toSorted((one, other) => one - other),
    )
    expect(text.match(/warning:/g)).toHaveLength(1)
  })

  it('says that it is undone, why, and how that went', async () => {
    const screen = rotate(['--verify', 'exit 3'])
    expect((await screen.ended).exit, screen.scrollback()).toBe(6)
    expectSettled(screen)
    const text = screen.scrollback()
    expect(finished(text)).toEqual(['plan', 'mint', 'accept', 'deliver', 'undo'])
    expect(finished(text, '✗')).toEqual(['verify'])
    expect(text).toContain('error: rotation undone: the verify command ended with 3')
    expect(active().map(({ id }) => id)).toEqual([account.old.id])
  })

  it('marks the plan that fails, and changes nothing', async () => {
    const screen = rotate(['--verify', './not-there'])
    expect((await screen.ended).exit, screen.scrollback()).toBe(2)
    expectSettled(screen)
    expect(finished(screen.text(), '✗')).toEqual(['plan'])
    expect(finished(screen.text())).toEqual([])
  })

  it('says until when the rate limit is waited for', async () => {
    account.sandbox.addFault('status-429=3s:GET /api-keys@1')
    const screen = rotate()
    await screen.until("the API's rate limit is used up: listing keys goes on in")
    expect(screen.text()).toMatch(/waits .* in [123]s, at\s+\d\d:\d\d:\d\d UTC/)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expectSettled(screen)
  })

  it('is gone on with where it was left, which the board says', async () => {
    const left = await account.run([
      'rotate',
      'Production Server',
      '--to',
      'env:.env',
      ...waits,
      '--overlap',
      '1h',
      '--wait',
      '0s',
    ])
    expect(left.exit, left.stderr).toBe(5)
    const screen = openScreen(account.home, ['rotate', '--resume', '--overlap', '0s', ...waits])
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expectSettled(screen)
    expect(screen.scrollback()).toMatch(/going on with rotation \w{6}, which was overlapping/)
    expect(finished(screen.scrollback())).toEqual(['plan', 'overlap', 'retire', 'finish'])
  })
})

describe('a terminal of another kind', () => {
  it.each([
    ['--plain', ['--plain'], {}],
    ['PICTIFY_PLAIN', [], { PICTIFY_PLAIN: '1' }],
    ['TERM=dumb', [], { TERM: 'dumb' }],
    ['CI', [], { CI: 'true' }],
  ])('gets lines alone with %s', async (_name, more, env) => {
    const screen = rotate(more, { env })
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expect(screen.raw()).not.toMatch(drawing)
    expect(screen.raw()).not.toMatch(spinner)
    expect(screen.scrollback()).toContain('waiting for evidence that the old key is quiet')
    expect(screen.scrollback()).toContain('a new key can take 1s to be accepted everywhere')
    // each thing is said once, however often it is looked at
    for (const said of ['creating the successor', 'accepted\n', 'the evidence is in'])
      expect(screen.scrollback().split(said), said).toHaveLength(2)
  })

  it('gets the board without colours with NO_COLOR', async () => {
    const screen = rotate([], { env: { NO_COLOR: '1' } })
    await screen.until(spinner)
    expect(screen.isColoured()).toBe(false)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expectSettled(screen)
    expect(screen.raw()).not.toMatch(/\x1b\[[1-9][\d;]*m/)
  })

  it('gets it in colours otherwise', async () => {
    const screen = rotate([], { env: { NO_COLOR: undefined } })
    await screen.until('accept')
    expect(screen.isColoured()).toBe(true)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
  })

  it('gets ASCII on the console of Linux', async () => {
    const screen = rotate([], { env: { TERM: 'linux' } })
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expect(finished(screen.scrollback(), '\\+')).toEqual(steps)
    expect(screen.raw()).not.toMatch(spinner)
  })

  it('keeps what matters most in ten rows of forty columns', async () => {
    const screen = rotate(['--idle', '4s'], { columns: 40, rows: 10 })
    await screen.until(/must be seen/)
    const rows = screen.text().split('\n')
    expect(rows.filter((row) => spinner.test(row))).toHaveLength(1)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expectSettled(screen)
    expect(finished(screen.scrollback())).toEqual(steps)
  })
})

describe('when the terminal changes its size', () => {
  it.each([
    ['narrower', [[40, 24]]],
    ['wider', [[160, 24]]],
    [
      'to and fro',
      [
        [50, 24],
        [120, 24],
        [44, 24],
        [80, 24],
      ],
    ],
    ['lower', [[80, 14]]],
    [
      'narrower and lower, then as it was',
      [
        [48, 16],
        [80, 24],
      ],
    ],
  ] as [string, [number, number][]][])(
    '%s, nothing is left of what was drawn before',
    async (_name, sizes) => {
      const screen = rotate(['--idle', '6s'])
      await screen.until(/missing/)
      for (const [columns, rows] of sizes) {
        screen.resize(columns, rows)
        // the spinner's next turns, at this size
        await sleep(400)
        const text = screen.text()
        expect(text.match(new RegExp(spinner, 'g')), text).toHaveLength(1)
        expect(text.match(/^ {2}missing/gm), text).toHaveLength(1)
        expect(text.match(/overlap {2}both/g), text).toHaveLength(1)
      }
      expect((await screen.ended).exit, screen.scrollback()).toBe(0)
      // what the terminal itself has put away with its history nobody can take back
      expect(screen.text()).not.toMatch(spinner)
      expect(screen.isCursorHidden()).toBe(false)
      expect(finished(screen.scrollback())).toEqual(steps)
    },
  )
})

describe('whatever ends it', () => {
  it('a defect takes the board away, and is told', async () => {
    const defect = path.join(account.home.directory, 'defect.mjs')
    await writeFile(defect, `setTimeout(() => { throw new Error('out of the blue') }, 6_000)`)
    const screen = rotate(['--idle', '20s'], { env: { NODE_OPTIONS: `--import=${defect}` } })
    await screen.until('overlap  both keys work')
    expect((await screen.ended).exit, screen.scrollback()).toBe(1)
    expectSettled(screen)
    expect(screen.text()).toContain('error: something unforeseen went wrong: out of the blue')
  })

  it('stopped by Ctrl-Z it leaves the terminal to the shell, and goes on when that says so', async () => {
    const words = ['rotate', 'Production Server', '--to', 'env:.env', ...waits, '--idle', '4s']
    const line = [process.execPath, bin, ...words].map((word) => `'${word}'`).join(' ')
    const screen = openScreen(account.home, [], {
      command: ['bash', '--norc', '--noprofile', '-i'],
      env: { PS1: 'shell$ ' },
    })
    await screen.until('shell$')
    screen.type(`${line}; echo ended with $?\r`)
    await screen.until(/missing/)
    screen.type('\x1a')
    await screen.until('Stopped')
    expect(screen.text()).not.toMatch(spinner)
    expect(screen.isCursorHidden()).toBe(false)
    screen.type('fg\r')
    await screen.until(/missing/)
    expect(screen.isCursorHidden()).toBe(true)
    await screen.until('rotated Production Server')
    expect(finished(screen.scrollback())).toEqual(steps)
    expect(screen.scrollback()).not.toMatch(spinner)
    screen.type('exit\r')
    await screen.ended
  })

  it('a closed terminal stops it, and the same line goes on', async () => {
    const screen = rotate(['--idle', '20s'])
    await screen.until(/missing/)
    const { pid } = screen
    screen.close()
    while (isThere(pid)) await sleep(20)
    const open = await account.run(['rotations', '--open', '--json'])
    expect(JSON.parse(open.stdout)).toMatchObject({ rotations: [{ state: 'overlapping' }] })
    const again = await account.run(['rotate', 'Production Server', '--to', 'env:.env', ...waits])
    expect(again.exit, again.stderr).toBe(0)
    expect(active()).toHaveLength(1)
  })
})

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
