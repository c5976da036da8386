// A run of the line that passes one point after another: every request, journal write, target access and sleep.
import { createClient } from '../../src/api/client.ts'
import type { Clock } from '../../src/clock.ts'
import { KeysError } from '../../src/errors.ts'
import type { Fetch } from '../../src/http.ts'
import type { Outcome } from '../../src/rotation/drive.ts'
import { answersTo } from '../../src/rotation/marked-name.ts'
import { abortRotation, rotate } from '../../src/rotation/rotate.ts'
import type { RotationOptions, RotationServices, Verify } from '../../src/rotation/run.ts'
import { inProcessUrl } from './in-process-api.ts'
import type { Actor } from './watch.ts'
import { idleMs, targetOf, type Machine, type World } from './world.ts'

export interface Line {
  /** An id or a name. */
  wanted: string
  abort?: boolean
  takeOver?: boolean
  noEvidence?: boolean
  compromised?: 'no-overlap' | 'revoke-first'
  failingVerify?: boolean
}

/** How a run ended: its exit, and the error's code where there is one. */
export interface Ending {
  exit: number
  code: string | undefined
  error: KeysError | undefined
  receipt: Outcome['receipt'] | undefined
}

export interface Process {
  readonly machine: Machine
  readonly line: Line
  readonly ending: Ending | undefined
  /** The last point it came to. */
  readonly at: string
  /** Lets it pass so many points, or up to the nth of that name; resolves when it has, or has ended. */
  advance(points: Points): Promise<void>
  /** A first interruption stops it, a second one undoes. */
  interrupt(): void
  kill(): void
}

/** How far: so many points, to the end (null), or until it stands at the nth point of that name. */
export type Points = number | null | { point: string; nth?: number }

const pastEnd = 5_000

export function startProcess(world: World, machine: Machine, line: Line): Process {
  const pid = world.newPid()
  let allowed = 0
  let stopsAt: { point: string; nth: number } | undefined
  let passed = 0
  let at = 'the beginning'
  let working = 0
  let ending: Ending | undefined
  let crash: unknown
  let waiting: (() => void)[] = []
  let settled = () => {}
  const check = () => {
    if (ending !== undefined || crash !== undefined || (waiting.length > 0 && working === 0)) settled()
  }

  async function pass(point: string): Promise<void> {
    at = point
    if (stopsAt?.point === point && --stopsAt.nth === 0) allowed = 0
    if (++passed > pastEnd) {
      crash = new Error(`it never ends: ${point}`)
      settled()
      await new Promise<never>(() => {})
    }
    if (allowed > 0) {
      allowed--
      return
    }
    await new Promise<void>((resolve) => {
      waiting.push(resolve)
      check()
    })
  }
  async function around<T>(what: string, work: () => Promise<T>): Promise<T> {
    await pass(`before ${what}`)
    working++
    try {
      return await work()
    } finally {
      working--
      await pass(`after ${what}`)
    }
  }

  const usageReadAt = new Map<string, number>()
  const placeReadAt = new Map<string, number>()
  const revokesFirst = () => [...machine.files.values()].some((text) => text.includes('"revoke-first"'))
  const actor: Actor = {
    get what() {
      return `${machine.name} (${JSON.stringify(line)}, ${at})`
    },
    waived: (line.noEvidence ?? false) || line.compromised !== undefined,
    get revokesFirst() {
      return line.compromised === 'revoke-first' || revokesFirst()
    },
    usageReadAt,
    placeReadAt,
  }

  const { keys } = world.api.account
  const fetch: Fetch = (url, init) => {
    const { pathname } = new URL(url)
    const [, id = '', verb] = /^\/api-keys\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? []
    return around(`${init.method} ${pathname.replace(/key_\w+/, ':id')}`, async () => {
      const known = new Set(keys.all().map((key) => key.id))
      const wasActive = keys.get(id)?.revokedAt === null
      const at = world.now()
      try {
        const answer = await world.api.fetch(url, init)
        if (verb === 'usage' && answer.status === 200) usageReadAt.set(id, at)
        return answer
      } finally {
        for (const key of keys.all()) if (!known.has(key.id)) world.watch.minted.add(key.id)
        world.keyOf(undefined)
        if (wasActive && keys.get(id)?.revokedAt !== null) world.watch.revokes(world, actor, id)
      }
    })
  }
  const clock: Clock = {
    now: () => world.now(),
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      const until = world.now() + ms
      await pass('sleeping')
      signal?.throwIfAborted()
      world.pass(Math.max(0, until - world.now()))
    },
  }
  const stop = new AbortController()
  const undo = new AbortController()
  const text = (value: unknown) => {
    const found = /pk_(live|test)_[A-Za-z0-9]{6,}/.exec(JSON.stringify(value) ?? '')
    if (found) world.watch.violations.push(`${actor.what} told a secret`)
  }
  const services: RotationServices = {
    api: createClient({
      fetch,
      baseUrl: inProcessUrl,
      credential: world.admin,
      version: '0.0.0',
      answersTo,
      clock,
      random: () => 0.5,
      retries: 1,
    }),
    credential: world.admin,
    journals: {
      ...machine.journals,
      save: (journal) =>
        around(`saving ${journal.state}`, async () => {
          text({ ...journal, escrow: undefined })
          await machine.journals.save(journal)
        }),
    },
    processes: {
      pid,
      startOf: async (other) => (world.alive.has(other) ? `start of ${other}` : undefined),
    },
    stateDir: machine.stateDir,
    clock,
    report: text,
    learn: () => {},
    stop: stop.signal,
    undo: undo.signal,
  }

  const run = line.abort ? abortRotation : rotate
  // Begins with a point, so that a process that was only started has done nothing.
  void pass('the beginning')
    .then(() => run(services, line.wanted, optionsOf(world, line, actor, around)))
    .then(({ receipt, error }) => end({ exit: error?.exit ?? 0, code: error?.code, error, receipt }))
    .catch((error: unknown) => {
      const isStop = stop.signal.aborted && error === stop.signal.reason
      if (error instanceof KeysError) end({ exit: error.exit, code: error.code, error, receipt: undefined })
      else if (isStop) end({ exit: 1, code: 'interrupted', error: undefined, receipt: undefined })
      else crash = error
      settled()
    })

  function end(how: Ending): void {
    ending = how
    world.alive.delete(pid)
    text([how.receipt, how.error?.message, how.error?.hint])
    settled()
  }

  return {
    machine,
    line,
    get ending() {
      return ending
    },
    get at() {
      return at
    },
    async advance(points) {
      if (ending !== undefined || !world.alive.has(pid)) return
      const arrived = new Promise<void>((resolve) => (settled = resolve))
      allowed = typeof points === 'number' ? points : Infinity
      stopsAt = typeof points === 'object' && points !== null ? { nth: 1, ...points } : undefined
      const woken = waiting.splice(0, Math.min(allowed, waiting.length))
      allowed -= woken.length
      for (const wake of woken) wake()
      // What was let go may only have to wait for another one that was not.
      if (waiting.length > 0) await new Promise((resolve) => setImmediate(resolve))
      check()
      await arrived
      // Of several requests at once, one may wait while another was let go just before.
      do await new Promise((resolve) => setImmediate(resolve))
      while (working > 0)
      if (crash !== undefined) throw new Error('the run crashed', { cause: crash })
    },
    interrupt() {
      if (stop.signal.aborted) undo.abort()
      else stop.abort()
    },
    kill() {
      world.alive.delete(pid)
      allowed = 0
      waiting = []
    },
  }
}

function optionsOf(
  world: World,
  line: Line,
  actor: Actor,
  around: <T>(what: string, work: () => Promise<T>) => Promise<T>,
): RotationOptions {
  const { usageLagMs, waitMs, overlapMs, propagationMs, deleteOld, oldSecret } = world.setting
  const watched = world.places.map((place) => {
    const target = targetOf(place, async (what, work) =>
      around(what, async () => {
        const before = place.value
        ;(actor.placeReadAt as Map<string, number>).set(place.name, world.now())
        try {
          return await work()
        } finally {
          if (place.value !== before) world.watch.writes(world, actor, place, before)
        }
      }),
    )
    return target
  })
  const verify: Verify = {
    command: 'smoke',
    timeoutMs: 1_000,
    exists: async () => true,
    async run() {
      await around('verifying', async () => {
        if (line.failingVerify) throw new KeysError('verify-failed', 'the verify command ended with 1')
      })
    },
  }
  return {
    targets: watched,
    cwd: '/',
    restarts: [],
    createTarget: false,
    verify: world.setting.verify || line.failingVerify ? verify : undefined,
    settleMs: propagationMs,
    probes: 2,
    overlapMs,
    idleMs,
    usageLagMs,
    waitMs,
    evidence: !line.noEvidence,
    deleteOld,
    compromised: line.compromised,
    self: false,
    takeOver: line.takeOver ?? false,
    oldSecret: oldSecret && line.wanted === world.root.id ? world.root.secret : undefined,
  }
}
