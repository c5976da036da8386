import type { Fetch } from '../../src/http.ts'
import { createJournals } from '../../src/rotation/journal.ts'
import type { Processes } from '../../src/rotation/lock.ts'
import type { RotationOptions, RotationServices } from '../../src/rotation/run.ts'
import type { Target } from '../../src/targets/target.ts'
import { realFetch, type Stage } from './stage.ts'

/** A process as far as a rotation can tell: it passes points, and at one of them it dies and does nothing more. */
export interface Mortal {
  services: RotationServices
  options: RotationOptions
  /** Every point passed, in order: what was about to happen, or had just happened. */
  points: string[]
  /** Resolves when it dies. */
  death: Promise<void>
}

const alive = new Set<number>()
let nextPid = 100_000

/** Processes that are dead by now keep their locks, as after a kill. */
function processesOf(pid: number): Processes {
  return { pid, startOf: async (other) => (alive.has(other) ? `start of ${other}` : undefined) }
}

/** Where it dies: at a point by its place among all (from 1), or at the nth of that name (without: the first). */
type Death = number | { point: string; nth?: number }

/**
 * Wraps everything durable that a rotation does (requests, journal writes, target writes) in points, before and
 * after; at point `diesAt` it never comes back.
 */
export function createMortal(
  stage: Stage,
  options: RotationOptions,
  { diesAt = Infinity, stateDir }: { diesAt?: Death; stateDir?: string } = {},
): Mortal {
  const pid = nextPid++
  alive.add(pid)
  const points: string[] = []
  let dead = false
  let die = () => {}
  const death = new Promise<void>((resolve) => (die = resolve))
  const never = new Promise<never>(() => {})

  async function pass(point: string): Promise<void> {
    if (dead) return never
    points.push(point)
    if (!isDeath(diesAt, points)) return
    dead = true
    alive.delete(pid)
    die()
    return never
  }
  async function around<T>(what: string, work: () => Promise<T>): Promise<T> {
    await pass(`before ${what}`)
    const result = await work()
    await pass(`after ${what}`)
    return result
  }

  const fetch: Fetch = async (url, init) => {
    const what = `${init.method} ${new URL(url).pathname.replace(/key_\w+/, ':id')}`
    const answer = await around(what, () => realFetch(url, init))
    return answer
  }
  const base = stage.services(stateDir === undefined ? {} : { stateDir, journals: createJournals(stateDir) })
  const { journals } = base
  const services: RotationServices = {
    ...base,
    api: stage.client(undefined, fetch),
    processes: processesOf(pid),
    journals: {
      ...journals,
      save: (journal) =>
        around(`saving ${journal.state}${journal.retiring ? ', retiring' : ''}`, () =>
          journals.save(journal),
        ),
    },
  }
  return {
    services,
    options: {
      ...options,
      targets: options.targets.map((target) => mortalTarget(target, around)),
      restarts: options.restarts.map((restart) => ({
        ...restart,
        run: (...args) => around(`restarting ${restart.name}`, () => restart.run(...args)),
      })),
    },
    points,
    death,
  }
}

function isDeath(diesAt: Death, points: readonly string[]): boolean {
  if (typeof diesAt === 'number') return points.length >= diesAt
  return points.filter((point) => point === diesAt.point).length === (diesAt.nth ?? 1)
}

function mortalTarget(
  target: Target,
  around: <T>(what: string, work: () => Promise<T>) => Promise<T>,
): Target {
  const { stage } = target
  return {
    ...target,
    ...(stage && { stage: (...args) => around('staging', () => stage(...args)) }),
    write: (...args) => around(`writing ${target.readback}`, () => target.write(...args)),
    restore: (...args) => around(`restoring ${target.readback}`, () => target.restore(...args)),
  }
}
