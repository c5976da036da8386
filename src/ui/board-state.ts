import type { Wait } from '../api/contract.ts'
import type { RotationEvent, RotationStep } from '../rotation/run.ts'
import type { RotationState, TargetState } from '../rotation/state.ts'

export type BoardStep = RotationStep | 'undo'

type Of<E extends RotationEvent['event']> = Extract<RotationEvent, { event: E }>
/** What was last heard, and when. Our clock, Unix ms: what is left of a wait is counted from there. */
export type Heard<T> = T & { heardAt: number }

/** What is shown of a rotation: the last that was heard of each thing. */
export interface BoardState {
  startedAt: number
  step: { name: BoardStep; startedAt: number } | undefined
  rotation?: string
  oldKey?: { id: string; name: string }
  newKey?: string
  /** As far as it is known to have come. */
  reached?: RotationState
  /** An earlier run began it, here or on another machine. */
  isResumed?: boolean
  /** The old key goes before anything else. */
  revokesFirst?: boolean
  /** Another machine made it. */
  isAdopted?: boolean
  targets: readonly { name: string; state: TargetState }[]
  probe?: Heard<Of<'probe'>> | undefined
  restart?: Heard<Of<'restart'>> | undefined
  verify?: Heard<Of<'verify'>> | undefined
  evidence?: Heard<Of<'evidence'>> | undefined
  undoWait?: Heard<Of<'undo-wait'>> | undefined
  /** The client waits before it asks the API again. */
  wait?: Heard<Wait> | undefined
  /** Why it is being undone. */
  failure?: string | undefined
}

export function boardAt(startedAt: number): BoardState {
  return { startedAt, step: undefined, targets: [] }
}

/** The state after an event that was heard `now`. */
export function after(state: BoardState, event: RotationEvent, now: number): BoardState {
  const heardAt = now
  // Whatever happens, the client got its answer.
  const next = { ...state, wait: undefined }
  switch (event.event) {
    case 'step':
      return stepped(next, event.step, now)
    case 'rotation':
      return {
        ...next,
        // with --abort it is undone from the beginning, and no step is taken before
        ...((event.state === 'aborting' || state.step === undefined) && stepped(next, 'undo', now)),
        rotation: event.rotation,
        reached: event.state,
        revokesFirst: event.revokeFirst,
        oldKey: event.oldKey,
        newKey: event.newKey ?? next.newKey,
        targets: event.targets,
      }
    case 'resumed':
      return { ...next, rotation: event.rotation, reached: event.state, isResumed: true }
    case 'adopted':
      return { ...next, rotation: event.rotation, newKey: event.newKey, isAdopted: true, isResumed: true }
    case 'state': {
      const known = { ...next, reached: event.state, newKey: event.newKey ?? next.newKey }
      if (event.state !== 'aborting') return known
      return { ...stepped(known, 'undo', now), failure: event.failure?.message ?? state.failure }
    }
    case 'probe':
      return { ...next, probe: { ...event, heardAt } }
    case 'target':
      return { ...next, targets: withState(state.targets, event.target, event.state) }
    case 'target-failed':
      return { ...next, targets: withState(state.targets, event.target, 'failed') }
    case 'restart':
      return { ...next, restart: { ...event, heardAt } }
    case 'verify':
      return { ...next, verify: { ...event, heardAt } }
    case 'evidence':
      return { ...next, evidence: { ...event, heardAt } }
    case 'undo-wait':
      return { ...next, undoWait: { ...event, heardAt } }
    case 'warning':
      return next
  }
}

/** The state while the client waits. */
export function whileWaiting(state: BoardState, wait: Wait, now: number): BoardState {
  return { ...state, wait: { ...wait, heardAt: now } }
}

function stepped(state: BoardState, name: BoardStep, now: number): BoardState {
  if (state.step?.name === name) return state
  // What was heard in a step before this one is no news of it.
  const fresh = { probe: undefined, restart: undefined, verify: undefined, undoWait: undefined }
  return { ...state, ...fresh, step: { name, startedAt: now } }
}

function withState(targets: BoardState['targets'], name: string, state: TargetState): BoardState['targets'] {
  if (!targets.some((target) => target.name === name)) return [...targets, { name, state }]
  return targets.map((target) => (target.name === name ? { name, state } : target))
}
