// Every way to end a run before its time, and what must hold afterwards.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseMark } from '../../src/rotation/marked-name.ts'
import { hasEnded, type Ran, type Running } from '../cli/program.ts'
import { journalsOf, other, problemsAfterDeath, problemsOfPlaces, type Problem } from './inspection.ts'
import { roundAt, runToItsEnd, type Outcome } from './matrix.ts'
import type { Strike } from './points.ts'
import type { Round } from './round.ts'
import type { Variant } from './variants.ts'

/** Killed, and run again by the same line until it ends. */
export function killAndRunAgain(variant: Variant, strike: Strike): Promise<Outcome> {
  return roundAt(variant, { ...strike, what: 'SIGKILL' }, async (round, ran) => {
    return [...(await problemsAfterDeath(round, ran)), ...(await runToItsEnd(round, [ran]))]
  })
}

/** Told to stop once; then the same line. */
export function interruptAndRunAgain(
  variant: Variant,
  strike: Strike,
  signal: 'SIGTERM' | 'SIGINT',
): Promise<Outcome> {
  return roundAt(variant, { ...strike, what: signal }, async (round, ran) => {
    const problems = [...(await problemsAfterDeath(round, ran)), ...(await problemsOfEnd(round, ran, signal))]
    for (const { name } of round.keys()) {
      const mark = parseMark(name)
      if (mark !== undefined && mark.leaseUntil !== 0) problems.push(other(`it kept its lease: ${name}`))
    }
    return [...problems, ...(await runToItsEnd(round, [ran]))]
  })
}

/** It died of the signal, unless all was done and it was about to end when the signal came. */
async function problemsOfEnd(round: Round, { exit, signal }: Ran, wanted: string): Promise<Problem[]> {
  if (signal === wanted) return []
  const [journal] = await journalsOf(round)
  return exit === 0 && journal?.state === 'done' ? [] : [other(`it ended with ${exit ?? signal}`)]
}

/** Told to stop, and, when it has said that it will, once more; then the same line. */
export function interruptTwice(variant: Variant, strike: Strike): Promise<Outcome> {
  const sabotage = { ...strike, what: 'SIGINT' } as const
  return roundAt(
    variant,
    sabotage,
    async (round, ran, tell) => {
      const problems = [
        ...(await problemsAfterDeath(round, ran)),
        ...(await problemsOfEnd(round, ran, 'SIGINT')),
      ]
      const [journal] = await journalsOf(round)
      tell(journal?.state === 'aborted' ? 'undone' : (journal?.state ?? 'nothing'))
      const isOld = round
        .keys()
        .filter(({ status }) => status === 'active')
        .map(({ id }) => id)
      if (journal?.state === 'aborted') {
        if (round.keys().length !== 1 || isOld[0] !== round.old.id) problems.push(other('keys are left'))
        problems.push(...(await problemsOfPlaces(round)))
      } else if (journal !== undefined && !journal.retiring) {
        problems.push(other(`it was not undone, and is ${journal.state}`))
      }
      return [...problems, ...(await runToItsEnd(round, [ran]))]
    },
    (round) => round.run(sabotage, { whileRunning: interruptAgain }),
  )
}

async function interruptAgain(running: Running): Promise<void> {
  const { child } = running
  while (!running.output().stderr.includes('"then":"stop"')) {
    if (hasEnded(child)) return
    await sleep(2)
  }
  // A person is slower than a library that sends the same signal on.
  await sleep(80)
  child.kill('SIGINT')
}

/** Killed; then another machine, which takes it over or waits until the lease is over. */
export function killAndMove(
  variant: Variant,
  strike: Strike,
  how: 'take over' | 'lease over',
): Promise<Outcome> {
  return roundAt(variant, { ...strike, what: 'SIGKILL' }, async (round, ran, tell) => {
    const problems = await problemsAfterDeath(round, ran)
    const elsewhere = await journalsOf(round)
    const exits = exitsOnAnotherMachine(round)
    await round.moveAway()
    if (how === 'take over') {
      const options = { more: ['--take-over'], elsewhere, exits }
      return [...problems, ...(await runToItsEnd(round, [ran], options))]
    }
    const isHeld = round.keys().some(({ name }) => (parseMark(name)?.leaseUntil ?? 0) > 0)
    if (isHeld) {
      tell('refused')
      const refused = await round.run()
      if (refused.exit !== 8)
        problems.push(other(`while its lease stood, the line ended with ${refused.exit}`))
    }
    round.later(leaseMs)
    return [...problems, ...(await runToItsEnd(round, [ran], { elsewhere, exits }))]
  })
}

/** Killed; then another machine, which is refused while the lease stands, and really waits until it is over. */
export function killAndWait(variant: Variant, strike: Strike): Promise<Outcome> {
  return roundAt(variant, { ...strike, what: 'SIGKILL' }, async (round, ran, tell) => {
    const problems = await problemsAfterDeath(round, ran)
    const elsewhere = await journalsOf(round)
    await round.moveAway()
    const leaseUntil = Math.max(...round.keys().map(({ name }) => parseMark(name)?.leaseUntil ?? 0))
    const refused = await round.run()
    if (refused.exit !== 8) problems.push(other(`while its lease stood, the line ended with ${refused.exit}`))
    tell(`waited ${Math.round((leaseUntil - Date.now()) / 1_000)} s`)
    // The API's clock is known to the second.
    while (Date.now() < leaseUntil + 2_000) await sleep(500)
    return [...problems, ...(await runToItsEnd(round, [ran], { elsewhere }))]
  })
}

/**
 * Once the successor has the plain name nothing is left to be done, and no mark is left to tell by. A line by id finds
 * that out where every target can be read; else the old key is revoked already (1), or not there any more (3).
 */
export function exitsOnAnotherMachine(round: Round): number[] {
  const { variant, old } = round
  const isMarked = round.keys().some(({ name }) => parseMark(name) !== undefined)
  const oldNow = round.keys().find(({ id }) => id === old.id)
  if (isMarked || oldNow?.status === 'active') return [variant.exit]
  if (oldNow === undefined) return [3]
  return [variant.isOneWay ? 1 : variant.exit]
}

/** Longer than the lease of any line here. */
const leaseMs = 10 * 60_000
