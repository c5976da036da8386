// What a death left behind, in a few words: two deaths with the same words left the same to the next run. Whole journals
// are told, whatever is in them by now; left out is what is another from run to run and by which nothing is decided, or
// only how long is waited (ids, instants, random words), and what was being written, which the next run sweeps.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { open } from '../../src/rotation/escrow.ts'
import { fingerprintOf, parseMark } from '../../src/rotation/marked-name.ts'
import type { Journal } from '../../src/rotation/state.ts'
import { Secret } from '../../src/secret.ts'
import type { SandboxKey } from '../../src/sandbox/server.ts'
import { journalsOf } from './inspection.ts'
import type { Round } from './round.ts'

/** As the next run of this machine finds it; as one of `another machine` does, which has no journal. */
export async function durableState(round: Round, whose: 'same' | 'another machine'): Promise<string> {
  const journals = whose === 'same' ? await journalsOf(round) : []
  const lock = path.join(round.home.stateDir, 'locks', `${round.old.id}.lock`)
  const isLocked = whose === 'same' && existsSync(lock)
  const keys = round.keys().map((key) => tellKey(round, key, journals))
  const places = round.variant.places.map((place) => roleOf(round, round.held(place)))
  return [
    ...journals.map((journal) => tellJournal(round, journal)),
    ...keys,
    ...places,
    isLocked ? 'locked' : '',
  ]
    .sort()
    .join('; ')
}

/** Whose secret it is. */
function roleOf(round: Round, secret: string): string {
  if (secret === round.old.secret.reveal()) return 'old'
  return round.keys().some((key) => key.secret.reveal() === secret) ? 'new' : 'gone'
}

function tellKey({ old, sandbox }: Round, { id, name, status }: SandboxKey, journals: Journal[]): string {
  const role = id === old.id ? 'old' : 'new'
  const mark = parseMark(name)
  const journal = journals.find(({ newKey }) => newKey?.id === id)
  // What the name says of whose turn it is, and what the journal says of that.
  const holder =
    mark === undefined
      ? 'plain'
      : mark.holder === journal?.lease.holder
        ? 'as in the journal'
        : journal?.holders.includes(mark.holder)
          ? 'as before in the journal'
          : 'of another'
  const lease = mark === undefined ? '' : mark.leaseUntil === 0 ? 'given up' : 'held'
  // A use of ours that is not written down may be taken for an application's.
  const ours = sandbox.requests.findLast(
    ({ keyId, headers }) => keyId === id && headers['user-agent']?.startsWith('pictify-keys/'),
  )
  const isWritten = role === 'old' || ours === undefined || ours.at <= Date.parse(journal?.updatedAt ?? '')
  return `${role} ${status} ${holder} ${lease} ${isWritten ? '' : 'used by us since'}`
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const instant = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/

function tellJournal(round: Round, journal: Journal): string {
  const { escrow, ...rest } = journal
  const words = new Map([
    [journal.id, 'rotation'],
    [journal.oldKey.id, 'old'],
    [fingerprintOf(round.old.secret, journal.id), 'fingerprint'],
    ...journal.holders.map((holder, turn): [string, string] => [holder, holder && `holder ${turn}`]),
    ...(journal.newKey ? [[journal.newKey.id, 'new'] as const] : []),
  ])
  const told = JSON.stringify(rest, (_, value: unknown) => {
    if (typeof value === 'number') return value > 1e12 ? 'instant' : value
    if (typeof value !== 'string') return value
    if (uuid.test(value) || instant.test(value)) return 'random'
    if (parseMark(value) !== undefined) return 'marked'
    return words.get(value) ?? value.replaceAll(/key_\w+/g, (id) => words.get(id) ?? 'another')
  })
  const homeless = told.replaceAll(round.home.directory, '~').replaceAll(round.sandbox.url, 'api')
  return `${journal.state} ${sealed(round, { id: journal.id, escrow })} ${homeless}`
}

/** Whose secrets are in escrow. */
function sealed(round: Round, { id, escrow }: Pick<Journal, 'id' | 'escrow'>): string {
  if (escrow === undefined) return 'no escrow'
  for (const credential of round.secrets()) {
    try {
      const { successor, old, held } = open(escrow, id, new Secret(credential))
      const role = (secret: Secret | undefined) => secret && roleOf(round, secret.reveal())
      return JSON.stringify([role(successor), role(old), [...held.values()].map(({ value }) => role(value))])
    } catch {
      // Sealed for another credential: one of the next, or of none.
    }
  }
  return 'sealed'
}
