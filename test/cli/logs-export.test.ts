import { link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { errorOf } from './account.ts'
import { createLogApi, eventsOf, type LogApi } from './log-api.ts'
import { createHome, hasEnded, type Home } from './program.ts'

const events = eventsOf(12_345)
let api: LogApi
let home: Home
beforeAll(async () => {
  api = await createLogApi(events)
  home = await createHome(api.env)
})
afterAll(async () => {
  await home.remove()
  await api.close()
})

let folder = ''
let number = 0
const at = (name: string) => path.join(folder, name)
const start = (...args: string[]) => home.start(['logs', ...args], { cwd: folder })
const run = (...args: string[]) => start(...args).ended
beforeEach(async () => {
  api.delayMs = 0
  api.shuffles = false
  folder = path.join(home.directory, `export-${++number}`)
  await mkdir(folder)
})

const expected = events.map((event) => `${JSON.stringify(event)}\n`).join('')
/** The same each time, and nothing to go by. */
function createChance(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
}

/** Kills the line at random points and runs it again until it is done; resolves to how often it was killed. */
async function killedAllTheWay(args: string[], seed: number): Promise<number> {
  const chance = createChance(seed)
  for (let kills = 0; kills < 40; kills += 1) {
    const running = start(...args)
    // from the first page on: before that there is nothing to lose
    const before = api.pages()
    const pages = 3 + Math.floor(chance() * 60)
    while (!hasEnded(running.child) && api.pages() - before < pages) await sleep(1)
    running.child.kill('SIGKILL')
    const ran = await running.ended
    if (ran.exit !== null) {
      expect(ran.exit, ran.stderr).toBe(0)
      return kills
    }
  }
  throw new Error('it never got to its end')
}

describe('logs --out', () => {
  it('writes a file for its owner alone, and nothing beside it', async () => {
    const ran = await run('--out', 'log.ndjson', '--json')
    expect(ran.exit, ran.stderr).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({
      export: { file: 'log.ndjson', format: 'ndjson', events: events.length, since: null },
    })
    expect(await readFile(at('log.ndjson'), 'utf8')).toBe(expected)
    expect((await stat(at('log.ndjson'))).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['log.ndjson'])
    const again = await run('--out', 'log.ndjson', '--json')
    expect(again.exit).toBe(1)
    expect(errorOf(again)).toMatchObject({
      code: 'output-file',
      message: 'log.ndjson is there already, and is not replaced',
    })
  })

  it.each([
    ['ndjson', 11],
    ['csv', 12],
    ['json', 13],
    ['ndjson', 14],
  ])('killed again and again, is to the byte what it is without that: %s', async (format, seed) => {
    const whole = await run('--out', `whole.${format}`)
    expect(whole.exit, whole.stderr).toBe(0)
    api.delayMs = 2
    expect(await killedAllTheWay(['--out', `log.${format}`], seed)).toBeGreaterThan(1)
    expect(await readFile(at(`log.${format}`), 'utf8')).toBe(await readFile(at(`whole.${format}`), 'utf8'))
    expect((await readdir(folder)).sort()).toEqual([`log.${format}`, `whole.${format}`])
  })

  it('killed, misses nothing and has nothing twice where events of one instant change their places', async () => {
    api.delayMs = 2
    api.shuffles = true
    expect(await killedAllTheWay(['--out', 'log.ndjson'], 21)).toBeGreaterThan(1)
    const lines = (await readFile(at('log.ndjson'), 'utf8')).split('\n').slice(0, -1)
    expect(lines.sort()).toEqual(events.map((event) => JSON.stringify(event)).sort())
  })

  it('killed, goes on with its filters and up to its limit', async () => {
    api.delayMs = 2
    const args = ['--status', '5xx', '--endpoint', '/templates/*', '--limit', '1200', '--out', 'log.ndjson']
    expect(await killedAllTheWay(args, 31)).toBeGreaterThan(0)
    const fitting = events
      .filter(({ status, endpoint }) => status === 500 && endpoint !== '/image')
      .slice(0, 1_200)
    expect(fitting).toHaveLength(1_200)
    expect(await readFile(at('log.ndjson'), 'utf8')).toBe(
      fitting.map((event) => `${JSON.stringify(event)}\n`).join(''),
    )
  })

  it('interrupted, says so, and reads no page twice but for the last ones', async () => {
    api.delayMs = 5
    const running = start('--out', 'log.ndjson')
    const before = api.pages()
    await running.until(() => api.pages() - before > 50)
    running.child.kill('SIGINT')
    const ran = await running.ended
    expect(ran.signal).toBe('SIGINT')
    expect(ran.stderr).toContain(
      'what is read so far is in log.ndjson.part: the same line goes on from there',
    )
    const between = api.pages()
    const rest = await run('--out', 'log.ndjson')
    expect(rest.stderr).toMatch(/goes on with log\.ndjson\.part, which has \d+ events/)
    // 124 pages in all; of those that were read, only the ones in flight are read again
    expect(api.pages() - between).toBeLessThan(124 - 50 + 15)
    expect(await readFile(at('log.ndjson'), 'utf8')).toBe(expected)
  })
})

describe('a part', () => {
  const begun = async (...args: string[]) => {
    api.delayMs = 5
    const running = start('--out', 'log.ndjson', ...args)
    const before = api.pages()
    await running.until(() => api.pages() - before > 40)
    running.child.kill('SIGKILL')
    await running.ended
    api.delayMs = 0
  }
  const refused = async (...args: string[]) => {
    const ran = await run(...args, '--json')
    expect(ran.exit).toBe(1)
    const { code, message } = errorOf(ran)
    expect(code).toBe('output-file')
    return message
  }

  it('is gone on with by the line that began it alone', async () => {
    await begun('--status', '4xx')
    expect(await refused('--out', 'log.ndjson')).toBe('log.ndjson.part was begun by another line: status 4xx')
    expect(await refused('--out', 'log.ndjson', '--status', '4xx', '--since', '90d')).toContain(
      'without since',
    )
    expect(await refused('--out', 'log.ndjson', '--status', '4xx', '--format', 'csv')).toContain(
      'format ndjson',
    )
    const ran = await run('--out', 'log.ndjson', '--status', '4xx')
    expect(ran.exit, ran.stderr).toBe(0)
  })

  it('is not gone on with where the log is another one', async () => {
    await begun()
    const record = JSON.parse(await readFile(at('log.ndjson.part.json'), 'utf8')) as {
      position: { ties: string[] }
    }
    expect(record.position.ties.length).toBeGreaterThan(0)
    record.position.ties[0] = 'f'.repeat(24)
    await writeFile(at('log.ndjson.part.json'), JSON.stringify(record))
    expect(await refused('--out', 'log.ndjson')).toContain(
      'does not have the events any more that were read last',
    )
  })

  it('is not gone on with where it was changed, is gone, or is none of ours', async () => {
    await begun()
    const part = await readFile(at('log.ndjson.part'))
    await writeFile(at('log.ndjson.part'), part.subarray(0, 10))
    expect(await refused('--out', 'log.ndjson')).toBe('log.ndjson.part is not as it was left')
    await rm(at('log.ndjson.part'))
    expect(await refused('--out', 'log.ndjson')).toBe('log.ndjson.part is gone')
    await writeFile(at('log.ndjson.part.json'), '{}')
    expect(await refused('--out', 'log.ndjson')).toContain('is not ours')
    await rm(at('log.ndjson.part.json'))
    await writeFile(at('log.ndjson.part'), 'of somebody else')
    expect(await refused('--out', 'log.ndjson')).toBe('log.ndjson.part is there, and no export of ours')
    expect(await readFile(at('log.ndjson.part'), 'utf8')).toBe('of somebody else')
    expect(await refused('--out', 'nowhere/log.ndjson')).toContain('cannot write nowhere/log.ndjson')
  })

  it('leaves alone what took its name meanwhile, and has it when that is gone', async () => {
    api.delayMs = 20
    const running = start('--out', 'log.ndjson')
    const before = api.pages()
    await running.until(() => api.pages() - before > 30)
    await writeFile(at('log.ndjson'), 'of somebody else')
    api.delayMs = 0
    const ended = await running.ended
    expect([ended.exit, ended.stderr]).toEqual([1, expect.stringContaining('is there already, and is not')])
    expect(await readFile(at('log.ndjson'), 'utf8')).toBe('of somebody else')
    await rm(at('log.ndjson'))
    const pages = api.pages()
    expect((await run('--out', 'log.ndjson')).exit).toBe(0)
    expect(api.pages()).toBe(pages)
    expect(await readFile(at('log.ndjson'), 'utf8')).toBe(expected)
  })

  it('is one run’s at a time', async () => {
    api.delayMs = 20
    const running = start('--out', 'log.ndjson')
    const before = api.pages()
    await running.until(() => api.pages() - before > 30)
    expect(await refused('--out', 'log.ndjson')).toBe(
      `log.ndjson.part is being written by process ${running.child.pid}`,
    )
    api.delayMs = 0
    expect((await running.ended).exit).toBe(0)
    expect(await readFile(at('log.ndjson'), 'utf8')).toBe(expected)
  })

  it('that only lacked its name gets it, and a record that only was left over goes', async () => {
    await begun()
    const record = JSON.parse(await readFile(at('log.ndjson.part.json'), 'utf8')) as Record<string, unknown>
    await writeFile(at('log.ndjson.part'), expected)
    const whole = { ...record, bytes: expected.length, written: events.length, isWhole: true }
    await writeFile(at('log.ndjson.part.json'), JSON.stringify(whole))
    const pages = api.pages()
    expect((await run('--out', 'log.ndjson')).exit).toBe(0)
    expect(api.pages()).toBe(pages)
    expect(await readdir(folder)).toEqual(['log.ndjson'])
    await writeFile(at('log.ndjson.part.json'), JSON.stringify(whole))
    // killed when it had both names
    await link(at('log.ndjson'), at('log.ndjson.part'))
    const again = await run('--out', 'log.ndjson', '--json')
    expect(JSON.parse(again.stdout)).toMatchObject({ export: { events: events.length } })
    expect(await readdir(folder)).toEqual(['log.ndjson'])
  })
})
