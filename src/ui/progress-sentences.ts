import { formatDuration } from '../duration.ts'
import type { RotationEvent, RotationStep } from '../rotation/run.ts'
import type { RotationState } from '../rotation/state.ts'
import type { BoardState } from './board-state.ts'

const stepSentences: Record<RotationStep, string> = {
  plan: 'checking everything before anything is changed',
  mint: 'creating the successor',
  accept: 'waiting until the API accepts it everywhere',
  deliver: 'delivering it to the targets',
  verify: 'verifying it from every target',
  overlap: 'waiting for evidence that the old key is quiet',
  retire: 'revoking the old key',
  finish: 'proving the end and tidying up',
}

const stateSentences: Partial<Record<RotationState, string>> = {
  accepted: '  accepted',
  delivered: '  delivered',
  verified: '  verified',
  retired: '  the old key is revoked',
}

/** What a person is told of an event where lines alone are printed; undefined where it is nothing. `state` is as it was before. */
export function sentenceOf(
  event: Exclude<RotationEvent, { event: 'warning' }>,
  state: BoardState,
): string | undefined {
  switch (event.event) {
    case 'resumed':
      return `going on with rotation ${event.rotation}, which was ${event.state}`
    case 'adopted':
      return `going on with rotation ${event.rotation}, which another machine began, and its successor ${event.newKey}`
    case 'step':
      return stepSentences[event.step]
    case 'state':
      return stateSentence(event, state)
    case 'probe':
      return state.probe === undefined ? probeSentence(event) : undefined
    case 'target':
      return event.state === 'writing' ? undefined : `  ${event.target}: ${event.state}`
    case 'target-failed':
      return `  ${event.target}: attempt ${event.attempt} of ${event.attempts} failed: ${event.message}`
    case 'restart':
      return event.state === 'started'
        ? `  starting ${event.restart} anew, and waiting up to ${formatDuration(event.boundMs)} until all of it runs`
        : `  ${event.restart}: runs with what its targets hold`
    case 'verify':
      return event.state === 'started'
        ? `  running the verify command, up to ${formatDuration(event.boundMs)}`
        : '  the verify command is content'
    case 'evidence':
      return event.missing.length === 0
        ? '  the evidence is in'
        : `  waiting up to ${formatDuration(event.waitEndsInMs)}: ${event.missing.join('; ')}`
    case 'undo-wait':
      return `  an application may have loaded ${event.newKey}: it goes once it has been quiet for ${formatDuration(event.quietMs)} (--idle and --usage-lag), and then this ends; waiting up to ${formatDuration(event.waitEndsInMs)} for that, else it ends with exit 5 and the same line goes on`
    case 'rotation':
      return undefined
  }
}

function stateSentence(
  { state, newKey, failure }: Extract<RotationEvent, { event: 'state' }>,
  { isAdopted }: BoardState,
): string | undefined {
  if (state === 'minted') return isAdopted ? undefined : `  created ${newKey}`
  if (state === 'aborting')
    return `  undoing the rotation${failure === undefined ? '' : `: ${failure.message}`}`
  return stateSentences[state]
}

function probeSentence({
  settleMs,
  settlesInMs,
  givesUpInMs,
  needed,
}: Extract<RotationEvent, { event: 'probe' }>): string | undefined {
  if (settlesInMs === 0) return undefined
  const bound = `a new key can take ${formatDuration(settleMs)} to be accepted everywhere`
  const left = `${formatDuration(settlesInMs)} to go, and ${needed} probes in a row`
  return `  ${bound}; ${left}, within ${formatDuration(givesUpInMs)}`
}

/** How a rotation is gone on with, or undone. */
export interface Ways {
  resume: string
  abort: string
}

const kept = 'the journal keeps what was done'

/** What an interruption does at this point of a rotation, and what one more would do. `count` is 1 for the first. */
export function interruptionSentence(state: BoardState, count: number, ways: Ways | undefined): string {
  const { step, reached } = state
  if (ways === undefined || isUntouched(state)) {
    return count < 3 ? 'stopping; nothing was changed yet' : 'left at once; nothing was changed'
  }
  if (step?.name === 'undo') {
    const later = `${kept}, and it goes on with: ${ways.abort}`
    if (count >= 3) return `left at once, not undone to the end; ${later}`
    return `it is being undone, and that goes on; a third Ctrl-C leaves at once: ${later}`
  }
  const goOn = `go on later with: ${ways.resume}`
  const isForward = step?.name === 'retire' || step?.name === 'finish' || reached === 'retired'
  if (count >= 3) return `left at once; ${kept}; ${goOn}`
  if (isForward) {
    const more = count === 1 ? '' : `; a third Ctrl-C leaves at once: ${kept}`
    return `finishing: the old key goes, so there is no way back${more}; should it not come to its end, ${goOn}`
  }
  if (state.revokesFirst) {
    const more = count === 1 ? '' : `; a third Ctrl-C leaves at once: ${kept}`
    return `stopping at the next safe point; the old key is revoked first of all, so there is no way back${more}; ${goOn}`
  }
  if (count === 2)
    return `undoing the rotation; a third Ctrl-C leaves at once: ${kept}, and ${ways.abort} undoes the rest`
  const working = hasSuccessor(state) ? 'both keys work' : 'the old key works'
  return `stopping at the next safe point; ${working}; a second Ctrl-C undoes the rotation, a third leaves at once: ${kept}; ${goOn}`
}

/** The plan of a new rotation; one that is gone on with was begun by an earlier run, and may revoke first of all. */
function isUntouched({ step, isResumed, revokesFirst }: BoardState): boolean {
  return (step === undefined || step.name === 'plan') && !isResumed && !revokesFirst
}

function hasSuccessor({ newKey, reached }: BoardState): boolean {
  return newKey !== undefined || (reached !== undefined && reached !== 'planned')
}
