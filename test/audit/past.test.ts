import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPastFile } from '../../src/audit/past.ts'
import type { KeyUsage, Past } from '../../src/audit/survey.ts'

const apiUrl = 'https://api.pictify.test'
const day = 86_400_000
const window = { requests: 0, errors: 0, latencyMs: { p50: 0, p95: 0, p99: 0 } }
const usage = (countries: Record<string, number> | undefined): KeyUsage => ({
  updatedAt: 0,
  windows: { '24h': window, '7d': window, '30d': window },
  days: undefined,
  countries,
})
const survey = (at: number, keys: Record<string, Record<string, number> | undefined>) => ({
  at,
  usage: {
    known: true as const,
    value: new Map(Object.entries(keys).map(([id, countries]) => [id, usage(countries)])),
  },
})

let folder: string
beforeEach(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-seen-'))))
afterEach(() => rm(folder, { recursive: true, force: true }))

const known = async (): Promise<Past> => {
  const past = await createPastFile(folder, apiUrl).read()
  if (!past.known) throw new Error(past.why)
  return past.value
}
const why = async () => {
  const past = await createPastFile(folder, apiUrl).read()
  return past.known ? undefined : past.why
}

describe('what was seen', () => {
  test('is nothing to compare with at the first look', async () => {
    expect(await why()).toBe('there is nothing to compare with yet: this is the first look from here')
  })

  test('at a look right after the first one is later than that, by whatever clock', async () => {
    const file = createPastFile(folder, apiUrl)
    await file.remember(survey(day, { key_a: { DE: 4 } }))
    await file.remember(survey(day - 400, { key_a: { DE: 4, BR: 1 } }))
    expect((await known()).keys.get('key_a')).toMatchObject({
      since: day,
      countries: new Map([
        ['DE', day],
        ['BR', day + 1],
      ]),
    })
  })

  test('is each country of a key, and when it was there first', async () => {
    const file = createPastFile(folder, apiUrl)
    await file.remember(survey(10 * day, { key_a: { DE: 4, FR: 0 }, key_none: {}, key_old: undefined }))
    await file.remember(survey(12 * day, { key_a: { DE: 4, BR: 1 }, key_none: { US: 1 } }))
    const { since, keys } = await known()
    expect(since).toBe(10 * day)
    expect([...keys]).toEqual([
      [
        'key_a',
        {
          since: 10 * day,
          until: 12 * day,
          countries: new Map([
            ['DE', 10 * day],
            ['BR', 12 * day],
          ]),
        },
      ],
      ['key_none', { since: 12 * day, until: 12 * day, countries: new Map([['US', 12 * day]]) }],
    ])
  })

  test('stays where a key did nothing, and goes where no audit has shown it for more than a year', async () => {
    const file = createPastFile(folder, apiUrl)
    await file.remember(survey(day, { key_a: { DE: 4 } }))
    await file.remember(survey(300 * day, {}))
    expect([...(await known()).keys.keys()]).toEqual(['key_a'])
    await file.remember(survey(402 * day, {}))
    expect([...(await known()).keys.keys()]).toEqual([])
  })

  test('is of one API each, in files of their own that nobody else reads', async () => {
    await createPastFile(folder, apiUrl).remember(survey(day, { key_a: { DE: 4 } }))
    await createPastFile(folder, 'http://127.0.0.1:8080').remember(survey(day, { key_b: { DE: 4 } }))
    expect([...(await known()).keys.keys()]).toEqual(['key_a'])
    const names = await readdir(folder)
    expect(names).toHaveLength(2)
    for (const name of names) expect((await stat(path.join(folder, name))).mode & 0o777).toBe(0o600)
  })

  test('is not changed by a survey without usage', async () => {
    const file = createPastFile(folder, apiUrl)
    await file.remember({ at: day, usage: { known: false, why: 'the API gives no usage' } })
    expect(await readdir(folder)).toEqual([])
  })

  test('keeps names of keys that mean something to JavaScript', async () => {
    await createPastFile(folder, apiUrl).remember(
      survey(day, { ['__proto__x']: { DE: 1 }, constructor: { FR: 1 } }),
    )
    expect((await known()).keys.get('constructor')?.countries).toEqual(new Map([['FR', day]]))
  })

  test('cannot be kept where the folder is not to be written', async () => {
    await rm(folder, { recursive: true })
    const kept = createPastFile(folder, apiUrl).remember(survey(day, { key_a: { DE: 4 } }))
    await expect(kept).rejects.toMatchObject({ code: 'state-directory' })
  })
})

describe('a file that is not as it should be', () => {
  const spoilt = async (spoil: (text: string) => string) => {
    const file = createPastFile(folder, apiUrl)
    await file.remember(survey(day, { key_a: { DE: 4 } }))
    const text = spoil(await readFile(file.path, 'utf8'))
    await writeFile(file.path, text)
    return { file, text }
  }

  test.each([
    [
      'an unknown version',
      (text: string) => text.replace('"version":1', '"version":2'),
      'is of version 2, and this program knows 1',
    ],
    ['a torn file', (text: string) => text.slice(0, 40), 'is torn or was not written by pictify-keys'],
    ['a changed one', (text: string) => text.replace('DE', 'FR'), 'was changed since it was written'],
    ['another document', () => '{"seen":{}}', 'was not written by pictify-keys'],
    ['null', () => 'null', 'was not written by pictify-keys'],
    ['one without a content', () => '{"version":1}', 'was changed since it was written'],
  ])('%s is refused and not written over', async (_, spoil, problem) => {
    const { file, text } = await spoilt(spoil)
    expect(await why()).toBe(`${file.path} ${problem}: it is left as it is; move it away to begin anew`)
    await file.remember(survey(2 * day, { key_a: { FR: 4 } }))
    expect(await readFile(file.path, 'utf8')).toBe(text)
  })

  test.skipIf(process.getuid?.() === 0)('one that may not be read is said to be', async () => {
    const { file } = await spoilt((text) => text)
    await chmod(file.path, 0)
    expect(await why()).toBe(`${file.path} cannot be read: permission denied`)
  })
})
