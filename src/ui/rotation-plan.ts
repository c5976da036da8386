import type { Key } from '../api/contract.ts'
import { formatDuration } from '../duration.ts'
import type { Waits } from '../rotation/state.ts'
import { paragraph } from './wrapping.ts'

/** A place as it was found. */
export interface PlannedPlace {
  name: string
  /** It holds a key, is there and empty, or is not there and will be made; unknown where it cannot be read back. */
  state: 'holds' | 'empty' | 'made' | 'unknown'
  readback: 'value' | 'none'
  /** How long one call may take there, where that is more than a moment. Milliseconds. */
  boundMs?: number | undefined
}

/** A rotation before it begins, as far as it is known what will happen. */
export interface PlannedRotation {
  key: Pick<Key, 'id' | 'name' | 'type'>
  places: readonly PlannedPlace[]
  restarts: readonly string[]
  verify: string | undefined
  waits: Waits
  /** How long a new key may take at most until it is accepted, before the rotation is undone. Milliseconds. */
  acceptBoundMs: number
  evidence: boolean
  compromised: 'no-overlap' | 'revoke-first' | undefined
  deleteOld: boolean
}

/** What will happen, in order, with how long each may take. */
export function planText(plan: PlannedRotation, width: number): string[] {
  const steps = stepsOf(plan)
  const revokeStep = steps.findIndex(([text]) => text === revokeText(plan)) + 1
  const lines = steps.flatMap(([text = '', ...notes], index) => [
    ...paragraph(`${String(index + 1).padStart(2)}. ${text}`, width, 4),
    ...notes.flatMap((note) => paragraph(`    ${note}`, width, 6)),
  ])
  const until =
    plan.compromised === 'revoke-first'
      ? 'From step 2 on, what uses the old key fails until it has the new one.'
      : `Until step ${revokeStep} the old key works.`
  const second =
    plan.compromised === 'revoke-first'
      ? 'once the old key is revoked, there is no way back'
      : 'a second Ctrl-C undoes the rotation, a third leaves at once, and the journal keeps what was done'
  const leaving = `${until} Ctrl-C stops at the next safe point; ${second}.`
  return ['This is what will happen:', '', ...lines, '', ...paragraph(leaving, width)]
}

/** A step's sentence, and what is to be noted of it. */
type Step = string[]

function stepsOf(plan: PlannedRotation): Step[] {
  const { key, waits } = plan
  const check = [
    'Check everything once more: the account, the places, room for one more key. Nothing is changed yet.',
  ]
  const create = [`Create the successor of ${key.name}, a ${key.type} key like it.`]
  const accept = [
    `Wait until the API accepts it everywhere: ${formatDuration(waits.settleMs)}, at most ${formatDuration(plan.acceptBoundMs)}, or else it is undone.`,
  ]
  const revoke = [revokeText(plan), ...(plan.deleteOld ? ['It is deleted, too.'] : [])]
  const finish = ['Prove that the old key is refused and the new one accepted, and give that its name.']
  const steps = [create, accept, deliver(plan), verify(plan)]
  if (plan.compromised === 'revoke-first') return [check, revoke, ...steps, finish]
  return [check, ...steps, ...(plan.compromised ? [] : [overlap(plan)]), revoke, finish]
}

function revokeText({ key, compromised }: PlannedRotation): string {
  const when = compromised === 'revoke-first' ? ' first of all' : ''
  return `Revoke the old key, ${key.id}${when}: for good.`
}

function deliver({ places, restarts }: PlannedRotation): Step {
  const names = places.map(({ name }) => name).join(', ')
  const bounds = places.flatMap(({ boundMs }) => boundMs ?? [])
  const time = bounds.length === 0 ? 'a moment' : `up to ${formatDuration(Math.max(...bounds))} for each call`
  return [
    names === '' ? 'Keep it as your credential.' : `Put it into ${names}, and read it back: ${time}.`,
    ...places.flatMap(notesOn),
    ...restarts.map(
      (name) => `Start ${name} anew, and wait until all of it runs, as long as it says that may take.`,
    ),
  ]
}

function notesOn({ name, state, readback }: PlannedPlace): string[] {
  const notes: string[] = []
  if (state === 'empty') notes.push(`${name} holds no key yet: is that where the application reads it?`)
  if (state === 'made') notes.push(`${name} is not there yet: it will be made.`)
  if (readback === 'none') notes.push(`${name} cannot be read back: it is written last.`)
  return notes
}

function verify({ verify: command, waits }: PlannedRotation): Step {
  const run =
    command === undefined ? '' : `, then run ${command} (at most ${formatDuration(waits.verifyTimeoutMs)})`
  return [`Try it as each place holds it${run}. Should that fail, everything is put back.`]
}

function overlap(plan: PlannedRotation): Step {
  const { waits, evidence, places } = plan
  const least =
    waits.overlapMs > 0 ? `Keep both keys valid for at least ${formatDuration(waits.overlapMs)}` : ''
  if (!evidence)
    return [least === '' ? 'Ask for no evidence that the old key is quiet (--no-evidence).' : `${least}.`]
  const words = evidenceWords(waits, places)
  const wait = `This run waits up to ${formatDuration(waits.waitMs)} for that; then it ends, both keys stay valid, and the same line goes on later.`
  return [
    `${least === '' ? 'Keep both keys valid' : `${least}, and on`} until there is evidence: ${words}.`,
    wait,
  ]
}

/** Where nobody can look, or nothing was there before, only the application's own use shows that it has the new key. */
function isUseRequired(places: readonly PlannedPlace[]): boolean {
  return places.some(({ readback }) => readback === 'none') || !places.some(({ state }) => state === 'holds')
}

/** What must be seen before the old key may go. */
export function evidenceWords({ idleMs, usageLagMs }: Waits, places: readonly PlannedPlace[]): string {
  const needed = idleMs + usageLagMs
  const quiet = needed === 0 ? 'since the delivery' : `for ${formatDuration(needed)} after the delivery`
  return `nothing has used the old key ${quiet}${isUseRequired(places) ? ', and something uses the new one' : ''}`
}
