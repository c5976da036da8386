import path from 'node:path'
import { expect } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { KeysError } from '../../src/errors.ts'
import type { Outcome } from '../../src/rotation/drive.ts'
import { createJournals } from '../../src/rotation/journal.ts'
import { formatMark } from '../../src/rotation/marked-name.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { RotationOptions, RotationServices, Verify } from '../../src/rotation/run.ts'
import type { SandboxKey } from '../../src/sandbox/server.ts'
import { createMortal } from './mortal.ts'
import type { Stage } from './stage.ts'

/** A verify command as a function. */
export function verifyOf(run: Verify['run']): Verify {
  return { command: 'smoke', timeoutMs: 1_000, exists: async () => true, run }
}

/** A verify command that says no. */
export const failing = verifyOf(async () => {
  throw new KeysError('verify-failed', 'the verify command ended with 1')
})

/** A successor of another machine's rotation of the same key, whose lease ends then (API clock, Unix ms; 0: given up). */
export function createOthersSuccessor(
  stage: Stage,
  leaseUntil: number,
  createdAt = stage.clock.now(),
): SandboxKey {
  const mark = { plain: stage.old.name, oldId: stage.old.id, rotationId: 'abcdef', fingerprint: 'none' }
  const name = formatMark({ ...mark, leaseUntil, holder: leaseUntil === 0 ? '' : 'zzzz' })
  return stage.sandbox.dashboard.create({ name, type: 'live', access: 'full', createdAt })
}

/** Where a machine of that name keeps its state. */
function stateDirOf(stage: Stage, name: string): string {
  return path.join(stage.directory, name)
}

/** A machine with a state directory of its own, in the same account and before the same targets. */
export function machine(
  stage: Stage,
  name: string,
  overrides: Partial<RotationServices> = {},
): RotationServices {
  const stateDir = stateDirOf(stage, name)
  return stage.services({ stateDir, journals: createJournals(stateDir), ...overrides })
}

/** Runs the line while an application uses the old key: it ends with 5, and leaves the rotation open with both keys. */
export async function leaveOpen(
  stage: Stage,
  services: RotationServices,
  overrides: Partial<RotationOptions> = {},
): Promise<Outcome> {
  await stage.call(stage.old.secret)
  const options = stage.options({ idleMs: 600_000, waitMs: 500, ...overrides })
  const outcome = await rotate(services, stage.old.id, options)
  expect(outcome.error, outcome.error?.message).toMatchObject({ exit: 5 })
  return outcome
}

/** Runs the line on a machine that is suspended, for good, while it waits for the old key to be idle. */
export async function suspendInOverlap(stage: Stage, name: string): Promise<void> {
  let suspended = () => {}
  const isSuspended = new Promise<void>((resolve) => (suspended = resolve))
  const clock: Clock = {
    ...stage.clock,
    async sleep(ms, signal) {
      // The pauses of an overlap as long as this one are the only ones that long.
      if (ms <= 10_000) return stage.clock.sleep(ms, signal)
      suspended()
      await new Promise<never>(() => {})
    },
  }
  const options = stage.options({ idleMs: 600_000, waitMs: 900_000 })
  await Promise.race([
    isSuspended,
    rotate(machine(stage, name, { clock }), stage.old.id, options).then(({ error }) => {
      throw new Error('it ended before it waited', { cause: error })
    }),
  ])
}

/** Runs the line on a machine (without a name: the one of `stage.services()`) that dies at the nth point of that name. */
export async function dieAt(
  stage: Stage,
  point: string,
  {
    nth = 1,
    machine: name,
    ...overrides
  }: { nth?: number; machine?: string } & Partial<RotationOptions> = {},
): Promise<void> {
  const stateDir = name === undefined ? {} : { stateDir: stateDirOf(stage, name) }
  const mortal = createMortal(stage, stage.options(overrides), { diesAt: { point, nth }, ...stateDir })
  await Promise.race([
    mortal.death,
    rotate(mortal.services, stage.old.id, mortal.options).then(({ error }) => {
      throw new Error(`it ended before it died; it passed ${mortal.points.join(', ')}`, { cause: error })
    }),
  ])
}
