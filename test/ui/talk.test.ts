import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { detectCi } from '../../src/ui/ci/index.ts'
import { open, stamp } from './sink.ts'

const secret = 'pk_live_abcdefghijklmnop'

describe('a minute without a line', () => {
  beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 21, 17) }))
  afterEach(() => void vi.useRealTimers())
  const now = () => Date.now()

  test('gets one that says what is waited for, for how long, and until when', () => {
    const { out, stderr } = open({ now })
    out.attend()
    out.event({ event: 'step', step: 'accept', boundMs: 180_000 }, 'waiting until it is accepted')
    stderr.text = ''
    vi.advanceTimersByTime(49_000)
    expect(stderr.text).toBe('')
    vi.advanceTimersByTime(1_000)
    expect(stderr.text).toBe(
      '2026-11-21T17:00:50Z  still waiting, for 50s, 2m 10s more at most: waiting until it is accepted\n',
    )
    vi.advanceTimersByTime(10 * 60_000)
    expect(stderr.text.trimEnd().split('\n')).toHaveLength(13)
  })

  test('is an event with --json; any line puts it off', () => {
    const { out, stderr } = open({ now, json: true })
    out.attend()
    out.event({ event: 'evidence', waitEndsInMs: 900_000 }, 'waiting for evidence')
    vi.advanceTimersByTime(40_000)
    out.event({ event: 'probe' })
    stderr.text = ''
    vi.advanceTimersByTime(40_000)
    expect(stderr.text).toBe('')
    vi.advanceTimersByTime(10_000)
    expect(JSON.parse(stderr.text)).toEqual({
      event: 'still-waiting',
      at: '2026-11-21T17:01:30.000Z',
      for: 'waiting for evidence',
      forMs: 90_000,
      waitEndsInMs: 810_000,
    })
  })

  test.each([
    ['at a terminal', { tty: true }],
    ['with --quiet', { quiet: true }],
  ])('gets none %s, nor before anything is waited for', (_, options) => {
    for (const [attended, given] of [
      [true, options],
      [false, {}],
    ] as const) {
      const { out, stderr } = open({ now, ...given })
      if (attended) out.attend()
      vi.advanceTimersByTime(600_000)
      expect(stderr.text).toBe('')
    }
  })
})

test('a terminal in a CI is a log too; any other terminal has no times', () => {
  const [inCi, atHome] = [open({ tty: true, env: { CI: '1' } }), open({ tty: true })]
  for (const { out } of [inCi, atHome]) out.say('x')
  expect([inCi.stderr.text, atHome.stderr.text]).toEqual([`${stamp}x\n`, 'x\n'])
})

test('a log has no empty lines', () => {
  const { out, stderr } = open()
  out.say('', 'x', '', 'y', '')
  out.say('')
  expect(stderr.text).toBe(`${stamp}x\n${stamp}y\n`)
})

test.each([
  ['true', true],
  ['1', true],
  ['woodpecker', true],
  ['', false],
  ['0', false],
  ['false', false],
  ['False', false],
])('by the same rule everywhere: CI=%s', async (CI, isHere) => {
  const { out, stderr } = open({ tty: true, env: { CI } })
  out.say('x')
  expect(stderr.text).toBe(isHere ? `${stamp}x\n` : 'x\n')
  expect(out.interactive).toBe(!isHere)
  expect(out.live === undefined).toBe(isHere)
  expect(await detectCi({ CI }, () => false)).toEqual(isHere ? { name: 'CI' } : undefined)
})

describe('in GitHub Actions', () => {
  const env = { GITHUB_ACTIONS: 'true' }
  test.each([false, true])('a secret is masked before anything is said of it (json: %s)', async (json) => {
    const ci = await detectCi(env, () => false)
    const { out, stdout, stderr } = open({ ci, json, quiet: true })
    out.conceal(new Secret(secret))
    out.conceal(new Secret(secret))
    out.conceal(new Secret('100%\nof it'))
    out.conceal(new Secret(''))
    out.conceal(new Secret('true'))
    out.conceal(new Secret('pk_live_of-the-job-itself'), true)
    await out.flush()
    expect(stdout.text).toBe('')
    expect(stderr.text).toBe(`::add-mask::${secret}\n::add-mask::100%25%0Aof it\n`)
  })

  test.each([
    [env, true],
    [{}, false],
    [{ GITHUB_ACTIONS: 'false' }, false],
    [{ CI: 'true' }, false],
  ])('but not into a file, and nowhere else: %j, a file: %s', async (variables, isFile) => {
    const { out, stderr } = open({ ci: await detectCi(variables, () => isFile) })
    out.conceal(new Secret(secret))
    expect(stderr.text).toBe('')
    out.event({ event: 'step' }, 'a step')
    out.warn('careful')
    await out.flush()
    expect(stderr.text).toBe(`${stamp}a step\n${stamp}warning: careful\n`)
  })
})
