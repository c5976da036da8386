// Rules of this file:
// - one file for an API, a profile and a keys file: `alerts/<digest>.json`, 0600, written whole and durably every time;
// - what cannot be read, and an unknown version, is refused and not begun anew: everybody would be told everything again.
import { createHash } from 'node:crypto'
import path from 'node:path'
import { readRegularFile, writeDurably } from '../durable-file.ts'
import { KeysError } from '../errors.ts'
import { systemCode, systemReason } from '../system-error.ts'
import type { AlertIncident } from './incident.ts'
import { mostPlaces, noPlace, type Measured, type Reach } from './verdict.ts'
import { sealed, unsealed } from './sealed-document.ts'

const version = 1
/** Ten thousand incidents. */
const sizeLimit = 64 * 1024 * 1024

/** Whose alerts they are. */
export interface AlertScope {
  apiUrl: string
  profile: string | undefined
  /** The keys file, absolute. */
  file: string
}

export interface AlertState {
  /** When the last whole check was; undefined before the first. */
  checkedAt: string | undefined
  incidents: readonly AlertIncident[]
  /** What that check warned of and will be so for longer: the next need not repeat it. */
  warned: readonly string[]
  /** How many keys each rule was about then. */
  reaches: readonly Reach[]
}

export interface StateFile {
  path: string
  scope: AlertScope
  /** Throws `alerts-state`. */
  read(): Promise<AlertState>
  /** When this resolves, a crash loses nothing of it. Throws `state-directory`. */
  save(state: AlertState): Promise<void>
}

/** `folder` is the state directory's own for alerts; it is there before anything is saved. */
export function createStateFile(folder: string, scope: AlertScope): StateFile {
  const file = path.join(folder, `${digestOf(scope)}.json`)
  return {
    path: file,
    scope,

    async read() {
      let text: string
      try {
        text = (await readRegularFile(file, { sizeLimit })).toString()
      } catch (cause) {
        if (systemCode(cause) === 'ENOENT')
          return { checkedAt: undefined, incidents: [], warned: [], reaches: [] }
        throw unreadable(file, `cannot be read: ${systemReason(cause)}`, cause)
      }
      return parse(file, text)
    },

    async save({ checkedAt = null, ...state }) {
      try {
        await writeDurably(file, sealed(version, scope, { checkedAt, ...state }), { mode: 0o600 })
      } catch (cause) {
        throw new KeysError('state-directory', `cannot keep alerts in ${folder}: ${systemReason(cause)}`, {
          hint: 'free or unlock that folder, or name another with --state-dir or PICTIFY_KEYS_STATE_DIR',
          cause,
        })
      }
    },
  }
}

function digestOf({ apiUrl, profile = '', file }: AlertScope): string {
  return createHash('sha256')
    .update(JSON.stringify([apiUrl, profile, file]))
    .digest('hex')
    .slice(0, 16)
}

/** As incidents of earlier versions have none: then none that is there now is taken for new. */
function withPlaces(incident: AlertIncident): AlertIncident {
  const places = (incident.measured as Partial<Measured>).places ?? Array<string>(mostPlaces).fill(noPlace)
  const { added = [] } = incident as Partial<AlertIncident>
  return { ...incident, added, measured: { ...incident.measured, places } }
}

interface Content {
  checkedAt: string | null
  incidents: AlertIncident[]
  // files of earlier versions have none of these
  warned?: string[]
  reaches?: Reach[]
}

function parse(file: string, text: string): AlertState {
  const document = unsealed<Content>(text, version)
  if ('content' in document) {
    const { checkedAt, incidents, warned = [], reaches = [] } = document.content
    return { checkedAt: checkedAt ?? undefined, incidents: incidents.map(withPlaces), warned, reaches }
  }
  const { problem } = document
  switch (problem) {
    case 'torn':
      throw unreadable(file, 'is torn, or is no file of alerts')
    case 'edited':
      throw unreadable(file, 'is torn, or was edited')
    case 'foreign':
      throw unreadable(file, 'is no file of alerts')
    default:
      throw new KeysError(
        'alerts-state',
        `${file} is of version ${problem.version}; this program knows ${version}`,
        {
          hint: 'use the program that wrote it, or remove the file: what is open then is told once more',
        },
      )
  }
}

function unreadable(file: string, what: string, cause?: unknown): KeysError {
  return new KeysError('alerts-state', `${file} ${what}`, {
    hint: 'put back what was there, or remove the file: what is open then is told once more',
    cause,
  })
}
