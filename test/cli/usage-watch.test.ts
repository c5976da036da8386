// usage --watch: the real program on a real terminal and without one, against a sandbox over real sockets.
import { afterEach, describe, expect, it } from 'vitest'
import type { KeyFigures } from '../../src/audit/account-usage.ts'
import type { SandboxKey, SandboxOptions } from '../../src/sandbox/server.ts'
import { openAccount, type Account } from './account.ts'
import { keyboard, openScreen } from './screen.ts'

let account: Account
let app: SandboxKey
const open = async (options: SandboxOptions = {}) => {
  account = await openAccount({ plan: 'business', ...options })
  app = account.sandbox.dashboard.create({ name: 'App', lastUsedAt: Date.now() - 3_600_000 })
}
afterEach(() => account.end())

const use = async (times: number) => {
  for (let count = 0; count < times; count += 1) {
    await fetch(`${account.sandbox.url}/templates`, {
      headers: { authorization: `Bearer ${app.secret.reveal()}` },
    })
  }
}
const row = (requests: number) => new RegExp(`App +${requests} +${requests} +${requests} `)

describe('at a terminal', () => {
  it.each([80, 200])('is drawn in place at %i columns, and what was last stays', async (columns) => {
    await open()
    const screen = openScreen(account.home, ['usage', '--watch', '1s'], { columns })
    await screen.until(row(0))
    expect(screen.isCursorHidden()).toBe(true)
    await use(3)
    await screen.until(row(3))
    await use(2)
    await screen.until(row(5))
    await screen.until(/read at \d\d:\d\d:\d\d UTC, (next in 1s|asking now); Ctrl-C ends/)
    // one table, not one for each time
    expect(screen.scrollback().match(/TOTAL/g)).toHaveLength(1)
    screen.type(keyboard.ctrlC)
    expect(await screen.ended).toMatchObject({ signal: 2 })
    expect(screen.isCursorHidden()).toBe(false)
    expect(screen.scrollback()).toMatch(row(5))
    expect(screen.scrollback().match(/TOTAL/g)).toHaveLength(1)
    expect(screen.scrollback()).not.toMatch(/Ctrl-C ends|error:/)
  })

  it('fits a terminal that is too low, and one that gets smaller', async () => {
    await open({ keys: 40 })
    const screen = openScreen(account.home, ['usage', '--watch', '1s', '--chart'], { rows: 12 })
    await screen.until(/… \d+ more lines: make the terminal higher, or give --limit/)
    expect(screen.text()).toContain('Ctrl-C ends')
    expect(screen.text()).toMatch(/[┤│].*█/)
    screen.resize(60, 30)
    await screen.until(/… \d+ more lines/)
    for (const line of screen.text().split('\n')) expect(line.length).toBeLessThanOrEqual(60)
    screen.type(keyboard.ctrlC)
    await screen.ended
    // what stays is as wide as the terminal is by then
    for (const line of screen.scrollback().split('\n')) expect(line.length).toBeLessThanOrEqual(60)
    expect(screen.scrollback()).toContain('requests a day, 31 days')
    // ids and figures side by side need more
    expect(screen.scrollback()).toMatch(/^NAME +App$/m)
  })

  it('goes on over a failure that passes, and says how old the figures are', async () => {
    await open()
    await use(2)
    const screen = openScreen(account.home, ['usage', 'App', '--watch', '1s'])
    await screen.until(/24h +2 /)
    account.sandbox.addFault('status-503')
    await screen.until(/! .*down for a moment.*;\s+tried\s+again\s+at\s+\d\d:\d\d:\d\d/s)
    expect(screen.text()).toMatch(/24h +2 /)
    account.sandbox.clearFaults()
    await use(1)
    await screen.until(/24h +3 /)
    expect(screen.text()).not.toContain('tried again')
    screen.type(keyboard.ctrlC)
    expect(await screen.ended).toMatchObject({ signal: 2 })
  })

  it('ends over what no further try would mend', async () => {
    await open()
    const screen = openScreen(account.home, ['usage', 'App', '--watch', '1s'])
    await screen.until('Ctrl-C ends')
    account.sandbox.dashboard.revoke(app.id)
    account.sandbox.dashboard.delete(app.id)
    expect((await screen.ended).exit).toBe(3)
    expect(screen.scrollback()).toContain('error: no key has the id or the name "App"')
    expect(screen.isCursorHidden()).toBe(false)
  })

  it('tells how far it is while it reads many keys for the first time', async () => {
    await open({ plan: 'enterprise', keys: 200, events: 2_000 })
    account.sandbox.addFault('slow=100ms:GET /api-keys/*/usage')
    const screen = openScreen(account.home, ['usage'])
    await screen.until(/[█░]{5,} {2}\d+ of \d+ usage/)
    await screen.ended
    expect(screen.scrollback()).not.toMatch(/░/)
    expect(screen.scrollback()).toMatch(/TOTAL/)
  })
})

describe('without a terminal', () => {
  const watch = async (args: readonly string[], times: number, isLine: (text: string) => boolean) => {
    const running = account.home.start(['usage', '--watch', '1s', ...args])
    const lines = () => {
      const { stdout, stderr } = running.output()
      return `${stdout}${stderr}`.split('\n').filter(isLine)
    }
    await running.until(() => lines().length >= 1)
    await use(4)
    await running.until(() => lines().length >= times)
    running.child.kill('SIGINT')
    return { ...(await running.ended), lines: lines() }
  }

  it('is a line each time, and ends as whoever interrupts it expects', async () => {
    await open()
    const ran = await watch([], 3, (line) => line !== '')
    expect([ran.exit, ran.signal, ran.stderr]).toEqual([null, 'SIGINT', ''])
    for (const line of ran.stdout.trimEnd().split('\n')) {
      expect(line).toMatch(
        /^\d{4}-\S+Z 2 keys, \d+ requests in 24 hours.*, errors ([\d.]+%|-), figures up to just now$/,
      )
    }
    expect(ran.stdout).toMatch(/\(\+\d+ since\)/)
  })

  it('with --json is an event each time and one document at the end', async () => {
    await open()
    const ran = await watch(['--json'], 3, (line) => line.includes('"event":"usage"'))
    const events = ran.lines.map((line) => JSON.parse(line) as { requestsSince: number | null })
    expect(events[0]?.requestsSince).toBeNull()
    const more = events.slice(1).reduce((sum, { requestsSince }) => sum + (requestsSince ?? NaN), 0)
    expect(more).toBeGreaterThanOrEqual(4)
    const { usage } = JSON.parse(ran.stdout) as { usage: KeyFigures[] }
    expect(usage.find(({ keyId }) => keyId === app.id)?.windows['24h'].requests).toBe(4)
    expect(ran.signal).toBe('SIGINT')
  })

  it('with --format ndjson is a line a key each time', async () => {
    await open()
    const ran = await watch(['App', '--format', 'ndjson'], 3, (line) => line.startsWith('{"at"'))
    const lines = ran.lines.map((line) => JSON.parse(line) as KeyFigures & { at: string })
    expect(new Set(lines.map(({ at }) => at)).size).toBe(lines.length)
    expect(lines.map(({ windows }) => windows['24h'].requests).at(-1)).toBe(4)
  })
})
