// What a death left behind, in a few words: two deaths with the same words left the same to the next run, but for what
// was being written, which the next run sweeps.
import { parseMark } from '../../src/rotation/marked-name.ts'
import type { Journal } from '../../src/rotation/state.ts'
import { journalsOf, secretInEscrow } from './inspection.ts'
import type { Round } from './round.ts'

/** The state directory, the places and the account, without what is another from run to run. */
export async function durableState(round: Round): Promise<string> {
  const journals = (await journalsOf(round)).map((journal) => tellJournal(journal, round))
  const keys = round.keys().map(({ id, name, status }) => {
    const mark = parseMark(name)
    const told = mark === undefined ? 'plain' : mark.leaseUntil === 0 ? 'given up' : 'marked'
    return `${id === round.old.id ? 'old' : 'new'} ${status} ${told}`
  })
  const places = round.variant.places.map((place) =>
    round.held(place) === round.old.secret.reveal() ? 'old' : 'new',
  )
  return [...journals.sort(), ...keys.sort(), ...places].join('; ')
}

function tellJournal(journal: Journal, round: Round): string {
  const facts = [
    'intent',
    'escrow',
    'newKey',
    'mintedAt',
    'deliveredAt',
    'evidence',
    'retiring',
    'failure',
  ] as const
  const known = facts.filter((fact) => journal[fact] !== undefined)
  const targets = journal.targets.map((target) => target.state)
  const lease = journal.lease.until === 0 ? 'given up' : 'held'
  const hasSecret = secretInEscrow(journal, round.secrets()) !== undefined
  return [
    journal.state,
    hasSecret ? 'secret' : 'no secret',
    ...known,
    `ownUse ${journal.ownUseAt !== undefined}`,
    lease,
    ...targets,
  ].join(' ')
}
