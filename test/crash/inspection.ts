// What must hold of a round: right after a death, and when it is over. Nothing is asserted here; what is wrong is told
// in words, and counted by kind.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { open } from '../../src/rotation/escrow.ts'
import { createJournals } from '../../src/rotation/journal.ts'
import { parseMark } from '../../src/rotation/marked-name.ts'
import { isOver, type Journal } from '../../src/rotation/state.ts'
import { Secret } from '../../src/secret.ts'
import type { SandboxKey } from '../../src/sandbox/server.ts'
import type { Ran } from '../cli/program.ts'
import { filesUnder, leftoversIn } from './files.ts'
import { pointsFile, type Round } from './round.ts'

export type Kind =
  | 'lost secrets'
  | 'orphans'
  | 'refused requests'
  | 'secrets in clear'
  | 'left over'
  | 'unproved revokes'
  | 'other'

export interface Problem {
  kind: Kind
  what: string
}

export const other = (what: string): Problem => ({ kind: 'other', what })

/** The journals that can be read. */
export async function journalsOf({ home }: Round): Promise<Journal[]> {
  const entries = await createJournals(home.stateDir).list()
  return entries.flatMap((entry) => ('journal' in entry ? [entry.journal] : []))
}

/** What went with the state directory of a machine. */
export interface Lost {
  elsewhere?: readonly Journal[]
  /** The ids of keys that were minted there: their secrets may be nowhere now, so that they must go. */
  orphaned?: readonly string[]
}

/** Invariants 1, 2 and 5, which hold at every instant. */
export async function problemsAfterDeath(
  round: Round,
  ran: Ran,
  { orphaned = [] }: Lost = {},
): Promise<Problem[]> {
  const problems = await secretsInClear(round, [ran])
  const journals = await journalsOf(round)
  const isAdopted = ({ id }: SandboxKey) => journals.some(({ newKey }) => newKey?.id === id)
  for (const key of minted(round)) {
    if (orphaned.includes(key.id) && !isAdopted(key)) continue
    if (key.status === 'active' && !isKept(round, key, journals)) {
      problems.push({ kind: 'lost secrets', what: `of ${key.name}` })
    }
  }
  return problems
}

/** All that must hold when the line has ended as it should. */
export async function problemsAtEnd(round: Round, runs: readonly Ran[], lost: Lost = {}): Promise<Problem[]> {
  const { variant, old, application } = round
  const problems = await secretsInClear(round, runs)
  const add = (kind: Kind, what: string) => problems.push({ kind, what })

  const active = round.keys().filter(({ status }) => status === 'active')
  const held = round.variant.places.map((place) => round.held(place))
  const [only] = active
  if (only === undefined || active.length !== 1) add('orphans', `active: ${names(active)}`)
  else {
    if (only.name !== old.name || only.type !== old.type || only.access !== old.access) {
      add('other', `the one that is active is ${only.name}, ${only.type}, ${only.access}`)
    }
    if ((only.id === old.id) !== (variant.exit === 6)) add('other', `the one that is active is ${only.id}`)
  }
  for (const key of minted(round).filter(({ status }) => status === 'active')) {
    if (!held.every((secret) => secret === key.secret.reveal())) add('lost secrets', `of ${key.name}`)
  }
  problems.push(...(await problemsOfPlaces(round)))
  await addForKeys(round, lost, add)
  for (const refusal of application.refusals()) add('refused requests', refusal)
  if (!variant.waived && variant.exit === 0) addForEvidence(round, add)
  for (const file of await leftovers(round)) add('left over', file)
  return problems
}

type Add = (kind: Kind, what: string) => void

/** Each place holds the one key that is active, and is otherwise, byte for byte, as it was. */
export async function problemsOfPlaces(round: Round): Promise<Problem[]> {
  const problems: Problem[] = []
  const active = round.keys().find(({ status }) => status === 'active')
  for (const { file, holding } of round.variant.places) {
    const text = await readFile(path.join(round.home.directory, file), 'utf8')
    const expected = holding(active?.secret.reveal() ?? '', round.sandbox.url)
    const same = round.variant.self
      ? isDeepStrictEqual(JSON.parse(text), JSON.parse(expected))
      : text === expected
    if (!same) problems.push({ kind: 'other', what: `${file} is not what it was with the other secret` })
  }
  return problems
}

/** No key is left that is not accounted for: it is the old one, the one in use, or one that a later rotation replaced. */
async function addForKeys(round: Round, { elsewhere = [] }: Lost, add: Add): Promise<void> {
  const receipts = [...elsewhere, ...(await journalsOf(round))]
  const replaced = receipts.filter(({ state }) => state === 'done').map(({ oldKey }) => oldKey.id)
  for (const key of minted(round)) {
    if (key.status === 'revoked' && !replaced.includes(key.id)) add('orphans', `${key.name}, revoked`)
  }
  const isThere = round.keys().some(({ id }) => id === round.old.id)
  if (isThere === (round.variant.deletesOld ?? false))
    add('other', `the old key is ${isThere ? '' : 'not '}there`)
  const isOpen = receipts.filter(({ state }) => !isOver(state))
  for (const { id, state } of isOpen)
    if (!elsewhere.some((journal) => journal.id === id)) add('other', `rotation ${id} is ${state}`)
}

/** The old key's usage was read after its last use by the application, and before the revoke. */
function addForEvidence({ sandbox, old }: Round, add: Add): void {
  const { requests } = sandbox
  const revoked = requests.findIndex(
    ({ method, path: url, status }) =>
      method === 'POST' && url === `/api-keys/${old.id}/revoke` && status === 200,
  )
  const before = requests.slice(0, revoked)
  const lastUse = before.findLastIndex(
    ({ keyId, headers }) => keyId === old.id && headers['user-agent'] === 'application',
  )
  const isRead = before.slice(lastUse + 1).some(({ path: url }) => url === `/api-keys/${old.id}/usage`)
  if (revoked < 0 || !isRead) add('unproved revokes', 'no look at the usage of the old key before it went')
}

/** Keys that came by the rotation. */
export function minted(round: Round): SandboxKey[] {
  return round.keys().filter(({ id }) => id !== round.old.id)
}

/** Whether the secret of a minted key can still be had: a place holds it, escrow does, or the create can be repeated. */
function isKept(round: Round, key: SandboxKey, journals: readonly Journal[]): boolean {
  const secret = key.secret.reveal()
  if (round.variant.places.some((place) => round.held(place) === secret)) return true
  return journals.some((journal) => {
    if (parseMark(key.name)?.rotationId !== journal.id) return false
    if (journal.state === 'planned' && journal.intent?.name === key.name) return true
    return secretInEscrow(journal, round.secrets()) === secret
  })
}

/** The successor's secret as it is sealed, where one of these opens it. */
export function secretInEscrow({ escrow, id }: Journal, credentials: readonly string[]): string | undefined {
  for (const credential of escrow === undefined ? [] : credentials) {
    try {
      return open(escrow ?? [], id, new Secret(credential)).successor?.reveal()
    } catch {
      // Sealed for another credential: one of the next, or of none.
    }
  }
  return undefined
}

/** Invariant 5, of what the program keeps and of what it said. */
async function secretsInClear(round: Round, runs: readonly Ran[]): Promise<Problem[]> {
  const bodies = round.secrets().map((secret) => secret.replace(/^pk_(live|test)_/, ''))
  const texts = runs.flatMap(({ stdout, stderr }) => [
    { where: 'stdout', text: stdout },
    { where: 'stderr', text: stderr },
  ])
  for (const file of filesUnder(round.home.stateDir)) {
    texts.push({ where: file, text: await readFile(path.join(round.home.stateDir, file), 'utf8') })
  }
  return texts
    .filter(({ text }) => bodies.some((body) => text.includes(body)))
    .map(({ where }) => ({ kind: 'secrets in clear', what: where }))
}

/**
 * What lies in the home that was not there before, and is not a receipt. A run that was killed when all was done leaves
 * its lock, and its line, by name, rotates the successor: the lock of the old key is nobody's.
 */
async function leftovers(round: Round): Promise<string[]> {
  const { home, old, variant } = round
  const expected = [
    ...variant.places.map(({ file }) => file),
    ...Object.keys(variant.scripts ?? {}),
    pointsFile,
  ]
  const again = (await journalsOf(round)).some(({ oldKey }) => oldKey.id !== old.id)
  const beside = filesUnder(home.directory).filter(
    (file) => !expected.includes(file) && !file.startsWith(`state${path.sep}`),
  )
  return [
    ...beside,
    ...leftoversIn(home.stateDir).filter((file) => !(again && file === `locks/${old.id}.lock`)),
  ]
}

const names = (keys: readonly SandboxKey[]) =>
  keys.map(({ id, name }) => `${id} ${name}`).join(', ') || 'none'
