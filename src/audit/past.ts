// Rules of this file:
// - one file for an API, `seen/<digest>.json`, 0600, written whole and durably every time; whose key it is its id tells, of whichever team;
// - what cannot be read, and an unknown version, is refused: it is neither guessed at nor written over;
// - of two audits at once the later keeps what the earlier wrote down, as far as it was there when it wrote itself.
import { createHash } from 'node:crypto'
import path from 'node:path'
import { readRegularFile, writeDurably } from '../durable-file.ts'
import { KeysError } from '../errors.ts'
import { systemCode, systemReason } from '../system-error.ts'
import type { AccountSurvey, KeyPast, Known, Past } from './survey.ts'

const version = 1
/** Ten thousand keys take two megabytes. */
const sizeLimit = 64 * 1024 * 1024
/** A key that no audit has shown for so long is gone. */
const forgottenMs = 400 * 86_400_000
/** Of one key; there are not so many. */
const mostCountries = 300

/** What audits of this machine saw. */
export interface PastFile {
  readonly path: string
  /** Unknown before the first look, and where it cannot be read. */
  read(): Promise<Known<Past>>
  /** Adds what a survey saw; nothing where the file cannot be read. Throws `state-directory`. */
  remember(survey: Pick<AccountSurvey, 'at' | 'usage'>): Promise<void>
}

/** `folder` is the state directory's own for what was seen; it is there before anything is remembered. */
export function createPastFile(folder: string, apiUrl: string): PastFile {
  const file = path.join(folder, `${createHash('sha256').update(apiUrl).digest('hex').slice(0, 16)}.json`)

  async function read(): Promise<Known<Past> | undefined> {
    try {
      return parse(file, (await readRegularFile(file, { sizeLimit })).toString())
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return undefined
      return { known: false, why: `${file} cannot be read: ${systemReason(cause)}` }
    }
  }

  return {
    path: file,
    read: async () => (await read()) ?? { known: false, why: firstLook },

    async remember(survey) {
      const before = await read()
      if (!survey.usage.known || before?.known === false) return
      const text = encode(apiUrl, withSurvey(before?.value, survey.usage.value, survey.at))
      try {
        await writeDurably(file, text, { mode: 0o600 })
      } catch (cause) {
        throw new KeysError(
          'state-directory',
          `cannot keep what was seen in ${folder}: ${systemReason(cause)}`,
          {
            hint: 'free or unlock that folder, or name another one with --state-dir or PICTIFY_KEYS_STATE_DIR',
            cause,
          },
        )
      }
    },
  }
}

export const firstLook = 'there is nothing to compare with yet: this is the first look from here'

type Usages = Extract<AccountSurvey['usage'], { known: true }>['value']

function withSurvey(before: Past | undefined, usages: Usages, at: number): Past {
  const keys = new Map([...(before?.keys ?? [])].filter(([, { until }]) => until > at - forgottenMs))
  for (const [id, { countries = {} }] of usages) {
    const seen = Object.keys(countries).filter((code) => (countries[code] ?? 0) > 0)
    const known = keys.get(id)
    // until it was used from somewhere there is no past that anything could be unlike
    if (known === undefined && seen.length === 0) continue
    const all = new Map(known?.countries)
    // the API's clock is known to the second: a look right after the first one is later all the same
    const firstAt = known === undefined ? at : Math.max(at, known.since + 1)
    for (const code of seen) if (!all.has(code) && all.size < mostCountries) all.set(code, firstAt)
    keys.set(id, { since: known?.since ?? at, until: Math.max(at, known?.until ?? at), countries: all })
  }
  return { since: before?.since ?? at, keys }
}

interface Document {
  version: number
  /** For people. */
  apiUrl: string
  checksum: string
  seen: { since: number; keys: { id: string; since: number; until: number; countries: [string, number][] }[] }
}

function encode(apiUrl: string, { since, keys }: Past): string {
  const seen: Document['seen'] = {
    since,
    keys: [...keys].map(([id, key]) => ({ id, ...key, countries: [...key.countries] })),
  }
  const document: Document = { version, apiUrl, checksum: checksum(seen), seen }
  return `${JSON.stringify(document)}\n`
}

function parse(file: string, text: string): Known<Past> {
  const unreadable = (what: string): Known<Past> => ({
    known: false,
    why: `${file} ${what}: it is left as it is; move it away to begin anew`,
  })
  let document: Partial<Document> | null
  try {
    document = JSON.parse(text) as Partial<Document> | null
  } catch {
    return unreadable('is torn or was not written by pictify-keys')
  }
  if (typeof document?.version !== 'number') return unreadable('was not written by pictify-keys')
  if (document.version !== version) {
    return unreadable(`is of version ${document.version}, and this program knows ${version}`)
  }
  const { seen } = document
  if (seen === undefined || document.checksum !== checksum(seen)) {
    return unreadable('was changed since it was written')
  }
  const keys = seen.keys.map(({ id, countries, ...key }): [string, KeyPast] => {
    return [id, { ...key, countries: new Map(countries) }]
  })
  return { known: true, value: { since: seen.since, keys: new Map(keys) } }
}

function checksum(seen: Document['seen']): string {
  return createHash('sha256').update(JSON.stringify(seen)).digest('hex')
}
