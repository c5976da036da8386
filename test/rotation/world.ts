// The ground of the model: an account without sockets, places, machines' journals, applications, and one virtual clock.
import path from 'node:path'
import type { KeyRecord } from '../../src/sandbox/keys.ts'
import { KeysError } from '../../src/errors.ts'
import type { Journals } from '../../src/rotation/journal.ts'
import { isOver, type Journal } from '../../src/rotation/state.ts'
import { Secret } from '../../src/secret.ts'
import type { Target } from '../../src/targets/target.ts'
import { createInProcessApi, type InProcessApi } from './in-process-api.ts'
import { createWatch, type Watch } from './watch.ts'

/** What stays the same through one run of the model. */
export interface Setting {
  seed: number
  places: readonly ('value' | 'none')[]
  propagationMs: number
  usageLagMs: number
  waitMs: number
  overlapMs: number
  /** Whether the lines are given the secret being replaced. */
  oldSecret: boolean
  auditLog: boolean
  deleteOld: boolean
  verify: boolean
}

export const idleMs = 40_000
const appPeriodMs = 10_000
const latencyMs = 20

/** Where an application finds its key. */
export interface Place {
  readonly name: string
  readonly readback: 'value' | 'none'
  value: string | undefined
  /** What the next writes and restores do, in order, instead of what they should. */
  failures: ('failed' | 'unclear' | 'unclear, written')[]
  /** When a person last edited it. */
  editedAt: number
}

/** An application: it holds what it read from its place, and while it is busy it calls every few seconds. */
export interface Application {
  readonly place: Place
  held: string | undefined
  /** Since when it is at work with what it holds. */
  busySince: number | undefined
  /** It reads its place before every call. */
  follows: boolean
}

export interface Machine {
  readonly name: string
  readonly stateDir: string
  readonly files: Map<string, string>
  readonly journals: Journals
}

export interface World {
  readonly setting: Setting
  readonly api: InProcessApi
  readonly admin: Secret
  /** The key the line is about at first. */
  readonly root: KeyRecord
  readonly places: readonly Place[]
  readonly applications: readonly Application[]
  readonly machines: readonly Machine[]
  readonly watch: Watch
  /** Pids of processes that run. */
  readonly alive: Set<number>
  /** Of a process that runs from now on. */
  newPid(): number
  now(): number
  /** Lets time pass; busy applications call meanwhile. */
  pass(ms: number): void
  /** An application calls, outside its turn. */
  call(application: Application): void
  keyOf(secret: string | undefined): KeyRecord | undefined
  resetFaults(): void
}

export function createWorld(setting: Setting, folder: string): World {
  const alive = new Set<number>()
  let pids = 1_000
  let now = Date.parse('2026-03-11T12:00:00.000Z')
  let nextCallAt = now
  const clock = { now: () => now, sleep: async (ms: number) => pass(ms) }
  const { seed, propagationMs, usageLagMs } = setting
  const api = createInProcessApi({ clock, seed, propagationMs, usageLagMs, stalledMs: 30_000 })
  const { account } = api
  const long = { createdAt: now - 90 * 86_400_000 }
  const admin = account.create({ name: 'Team admin', type: 'live', access: 'admin' }, long)
  const root = account.create({ name: 'Production Server', type: 'live', access: 'full' }, long)
  const everKnown = new Map<string, KeyRecord>()
  const places = setting.places.map((readback, index): Place => {
    const value = root.secret.reveal()
    return { name: `${readback}:${index}`, readback, value, failures: [], editedAt: -Infinity }
  })
  const applications = places.map((place): Application => {
    return { place, held: place.value, busySince: undefined, follows: false }
  })
  const machines = ['one', 'two', 'three'].map((name): Machine => {
    const files = new Map<string, string>()
    return { name, files, stateDir: path.join(folder, name), journals: journalsIn(files) }
  })

  function pass(ms: number): void {
    const begin = now
    const end = now + ms
    // Of a long time, the calls at its beginning and at its end are all that matters.
    const seenMs = 3 * (idleMs + usageLagMs)
    for (; nextCallAt <= end; nextCallAt += appPeriodMs) {
      if (nextCallAt - begin > seenMs && end - nextCallAt > seenMs) nextCallAt = end - seenMs
      now = Math.max(now, nextCallAt)
      for (const application of applications) if (application.busySince !== undefined) call(application)
    }
    now = end
  }

  function call(application: Application): void {
    const at = now
    if (application.follows) application.held = application.place.value
    const key = application.held === undefined ? undefined : account.authenticate(application.held)
    if (key === undefined) return
    world.watch.used(key.id, at)
    const { id: keyId } = key
    account.usage.record({ keyId, at, failed: false, latencyMs: 10, country: 'XX' })
    account.audit.add({
      ...{ at, keyId, action: 'api.request', endpoint: '/image', method: 'POST', status: 200 },
      ...{ ip: '192.0.2.7', userAgent: 'application/1.0' },
    })
  }

  const world: World = {
    setting,
    api: {
      ...api,
      async fetch(url, init) {
        pass(latencyMs)
        return api.fetch(url, init)
      },
    },
    admin: admin.secret,
    root,
    places,
    applications,
    machines,
    watch: createWatch(),
    alive,
    newPid() {
      alive.add(++pids)
      return pids
    },
    now: () => now,
    pass,
    call,
    keyOf(secret) {
      // A key that was deleted is still the one that a place may hold.
      for (const key of account.keys.all()) everKnown.set(key.secret.reveal(), key)
      return secret === undefined ? undefined : everKnown.get(secret)
    },
    resetFaults() {
      api.clearFaults()
      if (!setting.auditLog) api.addFault('html:GET /audit-logs')
    },
  }
  world.resetFaults()
  return world
}

/** Journals that are kept in memory as the text they would be on the disk. */
function journalsIn(files: Map<string, string>): Journals {
  return {
    prove: async () => {},
    async list() {
      const journals = [...files].map(([file, text]) => ({ file, journal: JSON.parse(text) as Journal }))
      journals.sort((a, b) => b.journal.startedAt.localeCompare(a.journal.startedAt))
      return journals.map(({ file, journal }) => {
        return { path: file, oldKeyId: journal.oldKey.id, rotationId: journal.id, journal }
      })
    },
    async save(journal) {
      const { escrow, ...open } = journal
      const kept = isOver(journal.state) ? open : { ...open, escrow }
      files.set(`${journal.oldKey.id}.${journal.id}.json`, JSON.stringify(kept))
    },
    async setAside() {
      throw new Error('every journal of the model can be read')
    },
  }
}

/** A place as a target; what it says and refuses is what the real ones do, by the same suite of rules. */
export function targetOf(
  place: Place,
  around: <T>(what: string, work: () => Promise<T>) => Promise<T>,
): Target {
  const { name, readback } = place
  const same = (secret: Secret | undefined) => place.value === secret?.reveal()
  const put = (value: string | undefined, wanted: () => boolean) => {
    const failure = place.failures.shift()
    if (failure === 'failed') throw new KeysError('target-failed', `${name}: the disk is full`)
    if (failure === 'unclear' && readback === 'none')
      throw new KeysError('target-unclear', `${name}: cut off`)
    if (wanted()) place.value = value
    if (failure !== undefined) throw new KeysError('target-unclear', `${name}: cut off`)
  }
  return {
    name,
    place: name,
    readback,
    check: async () => {},
    read: () =>
      around(`reading ${name}`, async () => {
        if (readback === 'none') throw new KeysError('target-failed', `${name} cannot be read`)
        return place.value === undefined ? undefined : { value: new Secret(place.value) }
      }),
    write: (secret, expected) =>
      around(`writing ${name}`, async () =>
        put(secret.reveal(), () => {
          if (readback === 'value' && !same(secret) && !same(expected?.value)) throw changed(name)
          return true
        }),
      ),
    restore: (held, written) =>
      around(`restoring ${name}`, async () =>
        put(held?.value.reveal(), () => {
          if (readback === 'none') {
            if (held === undefined) throw new KeysError('target-failed', `${name}: not known`)
            return true
          }
          if (same(held?.value)) return false
          if (!same(written)) throw changed(name)
          return true
        }),
      ),
  }
}

function changed(name: string): KeysError {
  return new KeysError('target-changed', `${name}: it holds another value by now`)
}
