import { createFaultSet, parseFault } from '../../src/sandbox/faults.ts'
import { createRandom } from '../../src/sandbox/random.ts'
import type { Stage } from '../rotation/stage.ts'

/** Every way in which the API misbehaves, in the sandbox's own words. */
export const faultKinds = [
  'lose-answer',
  'cut',
  'cut-body',
  'stall',
  'drip=50ms',
  'slow=2s',
  'status-500',
  'status-502',
  'status-503',
  'status-504',
  'status-429=2s',
  'status-429-bare',
  'refuse',
  'html',
  'bare',
  'plain-errors',
  'list-under=data',
  'duplicate-fields',
  'other-secret-name=token',
  'mystery-shape',
  'ignore-idempotency',
  'refuse-new',
  'lag-list=10s',
  'clock+10m',
  'clock-10m',
] as const

/** Faults that last for a whole run, under which answers are lost as well: one alone is too easily borne. */
export const backgrounds = ['ignore-idempotency', 'lag-list=10s', 'mystery-shape', 'clock+10m'] as const
export const losses = ['lose-answer', 'cut-body', 'status-504'] as const

/** Whether a kind of fault can strike a request at all. */
export function canStrike(kind: string, method: string, path: string): boolean {
  const faults = createFaultSet(createRandom('none'))
  faults.add(parseFault(kind))
  return faults.strike(method, path.replace(/\?.*/, '')).length > 0
}

/** What somebody else did: the keys that are no longer valid by their doing, and those they made. */
export interface Deeds {
  ended: Set<string>
  made: Set<string>
  /** The names that the old key, or its successor, may go by in the end. */
  names: Set<string>
}

type Deed = (stage: Stage, deeds: Deeds) => void

const successorsOf = (stage: Stage, deeds: Deeds) =>
  stage.ordinary().filter(({ id }) => id !== stage.old.id && !deeds.made.has(id))

const isThere = (stage: Stage, id: string) => stage.key(id) !== undefined

function revoke(stage: Stage, deeds: Deeds, id: string): void {
  if (stage.key(id)?.status !== 'active') return
  stage.sandbox.dashboard.revoke(id)
  deeds.ended.add(id)
}

function remove(stage: Stage, deeds: Deeds, id: string): void {
  revoke(stage, deeds, id)
  if (isThere(stage, id)) stage.sandbox.dashboard.delete(id)
}

function rename(stage: Stage, deeds: Deeds, id: string, name: string): void {
  if (!isThere(stage, id)) return
  stage.sandbox.dashboard.rename(id, name)
  deeds.names.add(name)
}

/** Somebody else in the team, at work in the dashboard while a rotation is under way. */
export const othersDeeds: Readonly<Record<string, Deed>> = {
  'revokes the old key': (stage, deeds) => revoke(stage, deeds, stage.old.id),
  'deletes the old key': (stage, deeds) => remove(stage, deeds, stage.old.id),
  'renames the old key': (stage, deeds) => rename(stage, deeds, stage.old.id, 'Renamed by hand'),
  'revokes the successor': (stage, deeds) => {
    for (const { id } of successorsOf(stage, deeds)) revoke(stage, deeds, id)
  },
  'deletes the successor': (stage, deeds) => {
    for (const { id } of successorsOf(stage, deeds)) remove(stage, deeds, id)
  },
  'renames the successor': (stage, deeds) => {
    for (const { id } of successorsOf(stage, deeds)) rename(stage, deeds, id, 'Renamed by hand')
  },
  'revokes both keys': (stage, deeds) => {
    for (const { id } of [stage.old, ...successorsOf(stage, deeds)]) revoke(stage, deeds, id)
  },
  'makes a key of the same name': (stage, deeds) => {
    deeds.made.add(stage.sandbox.dashboard.create({ name: stage.old.name }).id)
  },
  'fills the plan up': (stage, deeds) => {
    const live = stage.sandbox.keys().filter(({ type, status }) => type === 'live' && status === 'active')
    for (let n = live.length; n < 10; n++) {
      deeds.made.add(stage.sandbox.dashboard.create({ name: `Another one ${n}` }).id)
    }
  },
}

/** Takes the keys away that somebody else made, so that there is room again. */
export function makeRoom(stage: Stage, deeds: Deeds): void {
  for (const id of deeds.made) {
    if (stage.key(id)?.status === 'active') stage.sandbox.dashboard.revoke(id)
  }
}
