// A rotation by the real program on a disk that fails, and what must be true of it whenever the program has ended.
import { readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'vitest'
import { errorOf } from '../cli/account.ts'
import type { Home, Ran } from '../cli/program.ts'
import { openRotating, type Rotating } from '../cli/rotating.ts'
import { filesUnder, leftoversIn, secretIn } from './files.ts'

const saboteur = path.resolve('test/crash/saboteur.js')

/** What the saboteur is told; see there. */
export interface Sabotage {
  match?: string
  nth?: number
  what?: string
  on?: boolean
  reads?: boolean
  plant?: string
}

/** A rotation as quick as it can be, so that hundreds of them can be run. */
export const line = [
  'rotate',
  'Production Server',
  '--to',
  'env:.env',
  '--settle',
  '0s',
  '--probes',
  '1',
].concat(['--idle', '0s', '--usage-lag', '0s', '--wait', '20s', '--json'])

export interface Attempt extends Rotating {
  /** Runs a line with the disk sabotaged; without a sabotage, on a disk that is well. */
  attempt(
    sabotage?: Sabotage,
    args?: readonly string[],
    options?: { first?: string },
  ): Promise<Ran & { points: string[] }>
  /** How often what `.env` held was looked at, and how often it was no valid key. */
  looks(): { looks: number; refused: number }
}

export async function openAttempt(): Promise<Attempt> {
  const rotating = await openRotating()
  const { sandbox, home } = rotating
  const seen = { looks: 0, refused: 0 }
  const look = () => {
    const secret = secretIn(readFileSync(path.join(home.directory, '.env'), 'utf8'))
    const key = sandbox.keys().find((candidate) => candidate.secret.reveal() === secret)
    seen.looks += 1
    if (key?.status !== 'active') seen.refused += 1
  }
  const watch = setInterval(look, 10)
  return {
    ...rotating,
    looks: () => {
      look()
      return { ...seen }
    },
    async attempt(sabotage, args = line, options = {}) {
      if (sabotage === undefined) return { ...(await home.run(args, options)), points: [] }
      return runSabotaged(home, sabotage, args, options)
    },
    async end() {
      clearInterval(watch)
      await rotating.end()
    },
  }
}

/** Runs the program in a home with the saboteur loaded; what it passed is told beside what it left. */
export async function runSabotaged(
  home: Home,
  sabotage: Sabotage,
  args: readonly string[],
  options: Parameters<Home['run']>[1] = {},
): Promise<Ran & { points: string[] }> {
  const log = path.join(home.directory, 'points')
  await rm(log, { force: true })
  const env = { ...options.env, SABOTAGE: JSON.stringify({ log, ...sabotage }) }
  const ran = await home.run(args, { ...options, preload: saboteur, env })
  return { ...ran, points: (await readFile(log, 'utf8')).trimEnd().split('\n') }
}

/** A step of the disk in a run on which nothing fails: what is done to which file, and which of its kind it is, from 1. */
export interface Step {
  point: string
  nth: number
}

/** The sabotage of such a step; of its kind, for how many of a kind a run has varies a little from run to run. */
export function at({ point, nth }: Step, sabotage: Sabotage): Sabotage {
  return { match: `^${point.replace(/[.*+?]/g, String.raw`\$&`)}$`, nth, reads: true, ...sabotage }
}

/** Those of the points that are steps of the disk. */
export function stepsOf(points: readonly string[]): Step[] {
  const turns = new Map<string, number>()
  return points.flatMap((point) => {
    if (!/^before [a-z]/.test(point) || point === 'before spawn') return []
    const nth = (turns.get(point) ?? 0) + 1
    turns.set(point, nth)
    return [{ point, nth }]
  })
}

/** Every step at which a disk can fail, as a rotation on which none does takes them. */
export async function planOf(sabotage: Sabotage, args = line): Promise<Step[]> {
  const plain = await openAttempt()
  try {
    const { points, exit, stderr } = await plain.attempt(sabotage, args)
    expect(exit, stderr).toBe(0)
    await expectRotated(plain, 'nothing failed')
    return stepsOf(points)
  } finally {
    await plain.end()
  }
}

/** What a long run counts. */
export function tally() {
  const exits = new Map<string, number>()
  const sums = { trials: 0, looks: 0, refused: 0 }
  return {
    add(exit: number | string | null, { looks, refused }: { looks: number; refused: number }) {
      exits.set(String(exit), (exits.get(String(exit)) ?? 0) + 1)
      sums.trials += 1
      sums.looks += looks
      sums.refused += refused
    },
    /** Lost secrets and orphans are none, or the run would not have ended well. */
    totals(steps?: number) {
      const told = [...exits].sort().map(([exit, count]) => `${exit}: ${count}`)
      const { trials, looks, refused } = sums
      return {
        ...(steps === undefined ? {} : { 'disk steps': steps }),
        runs: trials,
        'first exits': told.join(', '),
        'looks at what is held': looks,
        'dead keys held': refused,
        'lost secrets': 0,
        orphans: 0,
      }
    },
  }
}

/** Runs a rotation with the disk failing, then again on a disk that is well. Returns whether it came to the step at all. */
export async function failDisk(
  step: Step,
  sabotage: Sabotage,
  counts: ReturnType<typeof tally>,
  args = line,
): Promise<boolean> {
  const attempt = await openAttempt()
  try {
    const broken = await attempt.attempt(at(step, sabotage), args)
    const where = `${sabotage.what} ${sabotage.on ? 'from' : ''} ${step.point} #${step.nth}`
    if (sabotage.what !== 'torn') expectToldWell(broken, where)
    else if (broken.exit !== 0) expect(broken.signal, where).toBe('SIGKILL')
    await expectSafe(attempt, where)
    if (broken.exit !== 0) {
      const again = await attempt.attempt(undefined, args)
      expect(again.exit, `${where}, then ${broken.stderr}\nrun again: ${again.stderr}`).toBe(0)
    }
    await expectRotated(attempt, `${where}, run again, after ${broken.stderr}`)
    const { looks, refused } = attempt.looks()
    expect(refused, where).toBe(0)
    counts.add(broken.exit ?? broken.signal, { looks, refused })
    return broken.points.filter((point) => point === step.point).length >= step.nth
  } finally {
    await attempt.end()
  }
}

/** How the program may end; every exit but a defect's. */
export function expectToldWell(ran: Ran, where: string): void {
  if (ran.exit === 0) return
  expect(ran.signal, where).toBeNull()
  expect([1, 5, 6, 7, 8], `${where}: ${ran.stderr}`).toContain(ran.exit)
  const error = errorOf(ran)
  expect(error.code, `${where}: ${ran.stderr}`).not.toBe('internal')
  expect(error.message, where).not.toMatch(/\bat \S+:\d+:\d+|\[object|undefined/)
  expect(error.hint ?? '', `${where}: ${error.message} has no hint`).not.toBe('')
}

/** While it is not over: what the application holds is valid, and the old key works unless its place is taken. */
export async function expectSafe(attempt: Attempt, where: string): Promise<void> {
  const { sandbox, old } = attempt
  const held = secretIn(await attempt.read('.env'))
  const key = sandbox.keys().find(({ secret }) => secret.reveal() === held)
  expect(key?.status, `${where}: what .env holds`).toBe('active')
  const oldNow = sandbox.keys().find(({ id }) => id === old.id)
  if (held === old.secret.reveal()) expect(oldNow?.status, where).toBe('active')
}

/** When it is over: one successor, in its place, with the old name; nothing else, and nothing left lying about. */
export async function expectRotated(attempt: Attempt, where: string): Promise<void> {
  const { sandbox, old, home } = attempt
  const ordinary = sandbox.keys().filter(({ access }) => access !== 'admin')
  expect(ordinary.map(({ status }) => status).sort(), where).toEqual(['active', 'revoked'])
  const [active] = ordinary.filter(({ status }) => status === 'active')
  expect(active, where).toMatchObject({ name: 'Production Server', type: 'live' })
  expect(active?.id, where).not.toBe(old.id)
  expect(secretIn(await attempt.read('.env')), where).toBe(active?.secret.reveal())
  // A lock that cannot be removed is said, and nobody waits for it: its process is gone.
  const isLockLeft = where.includes('could not be removed')
  const left = [
    ...filesUnder(home.directory).filter((file) => file.endsWith('.tmp')),
    ...leftoversIn(home.stateDir).filter((file) => !(isLockLeft && file === `locks/${old.id}.lock`)),
  ]
  expect(left, where).toEqual([])
}
