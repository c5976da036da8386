import { createAdaptorServer } from '@hono/node-server'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { KeyAccess, KeyStatus, KeyType, Plan } from '../api/contract.ts'
import { systemClock, type Clock } from '../clock.ts'
import { systemReason } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { createAccount, type Account } from './account.ts'
import { createApp } from './app.ts'
import { createEdge, type LoggedRequest } from './edge.ts'
import { createFaultSet, parseFault, type Fault } from './faults.ts'
import { statusOf, type KeyRecord } from './keys.ts'
import type { Oddity } from './oddities.ts'
import type { Part } from './parts.ts'
import { hasPast } from './past.ts'
import { planLimits } from './plans.ts'
import { createRandom } from './random.ts'
import { seedKeys } from './seeded-keys.ts'
import { createStateFile, readState } from './state.ts'

const day = 86_400_000
const requestsKept = 10_000

export interface SandboxOptions {
  /** 0 picks a free one. */
  port?: number
  plan?: Plan
  /** How long a new key takes until every request takes it. */
  propagationMs?: number
  /** How late uses show. */
  usageLagMs?: number
  /** How many keys, with a past, the account begins with besides the admin key. */
  keys?: number
  /** How many requests those keys made in the 30 days before, where not as many as come by themselves. */
  events?: number | undefined
  /** What this API does not have: it answers as one that knows no such path. */
  without?: readonly Part[]
  faults?: readonly (Fault | string)[]
  /** Sees each request as it comes in; it goes on when this is done: where somebody else acts, or a fault is added. */
  onRequest?: ((request: LoggedRequest) => void | Promise<void>) | undefined
  /** A file that keeps everything from one run to the next; without it all is gone at the end. */
  data?: string | undefined
  clock?: Clock
  /** The same seed gives the same ids, secrets and chances. */
  seed?: number | undefined
}

/** A key as a test sees it. Instants are Unix milliseconds. */
export interface SandboxKey {
  id: string
  name: string
  type: KeyType
  status: KeyStatus
  access: KeyAccess
  secret: Secret
  createdAt: number
  lastUsedAt: number | null
  revokedAt: number | null
  /** What is not in order with it, of a key that the account began with. */
  oddity: Oddity | undefined
}

/** A local Pictify that is running. */
export interface Sandbox {
  /** `http://127.0.0.1:<port>`, with no slash at its end. */
  readonly url: string
  readonly adminKey: Secret
  /** Every key there is, newest first. */
  keys(): SandboxKey[]
  /** The requests that came in, oldest first; of very many, the last ones. */
  readonly requests: readonly LoggedRequest[]
  /** Somebody else in the team, at work in the dashboard: no request, no trace in the audit log. */
  readonly dashboard: {
    /** `createdAt` and `lastUsedAt` in Unix milliseconds; a key made in the past has spread already. */
    create(key: {
      name: string
      type?: KeyType
      access?: KeyAccess
      createdAt?: number
      lastUsedAt?: number
    }): SandboxKey
    rename(id: string, name: string): void
    revoke(id: string): void
    delete(id: string): void
  }
  /** Throws `usage`; what is returned takes the fault away again. */
  addFault(fault: Fault | string): () => void
  clearFaults(): void
  /** Cuts every connection; resolves when the port is free and all is kept. */
  close(): Promise<void>
}

/**
 * Starts a local Pictify on the loopback. Throws `usage` for a bad fault, events of no key, or a port that is taken, and
 * `config-unreadable` for a data file that is none.
 */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, plan = 'pro', propagationMs = 2_000, usageLagMs = 0, clock = systemClock } = options
  const limits = planLimits[plan]
  const wanted = (options.faults ?? []).map(toFault)
  const past = options.data === undefined ? undefined : await readState(options.data)
  const runs = (past?.runs ?? 0) + 1
  const random = createRandom(options.seed === undefined ? undefined : `${options.seed}:${runs}`)
  const faults = createFaultSet(random.fork('faults'))
  for (const fault of wanted) faults.add(fault)

  const { events } = options
  const account = createAccount({ limits, clock, random, propagationMs, usageLagMs, past, events })
  if (!past) {
    const now = clock.now()
    const seeds = seedKeys(options.keys ?? 0, { limits, now, random: random.fork('seeds') })
    if (events !== undefined && events > 0 && !seeds.some((key) => hasPast(key, now)))
      throw nobodyUsed(events)
    for (const key of seeds) account.keys.add(key)
  }
  const admin = adminOf(account, past?.adminId, clock.now())
  const state = createStateFile(options.data, account, { runs, adminId: admin.id })
  await state.save()

  const requests: LoggedRequest[] = []
  const closing = new AbortController()
  const { save, saveSoon } = state
  const app = createApp({ account, clock, random, save, saveSoon, without: options.without })
  const edge = createEdge({
    app,
    faults,
    clock,
    signal: closing.signal,
    onRequest: options.onRequest,
    log(request) {
      requests.push(request)
      if (requests.length >= requestsKept * 1.25) requests.splice(0, requests.length - requestsKept)
    },
  })
  const server = createAdaptorServer({
    fetch: (request, sockets) => edge(request, sockets as Parameters<typeof edge>[1]),
    overrideGlobalObjects: false,
    // longer than any client keeps a connection, so that none is closed under a request
    serverOptions: { keepAliveTimeout: 65_000 },
  }) as Server
  const url = `http://127.0.0.1:${await listen(server, port)}`

  let closed: Promise<void> | undefined
  const close = async () => {
    closing.abort()
    const ended = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await ended
    await state.close()
  }
  return {
    url,
    adminKey: admin.secret,
    requests,
    keys: () => {
      account.usage.settle(clock.now())
      return account.keys.all().map(toSandboxKey).reverse()
    },
    dashboard: {
      create({ name, type = 'live', access = 'full', createdAt, lastUsedAt }) {
        const key = account.create({ name, type, access }, { createdAt, lastUsedAt })
        state.saveSoon()
        return toSandboxKey(key)
      },
      rename: (id, name) => {
        account.rename(id, name)
        state.saveSoon()
      },
      revoke: (id) => {
        account.revoke(id)
        state.saveSoon()
      },
      delete: (id) => {
        account.delete(id)
        state.saveSoon()
      },
    },
    addFault: (fault) => faults.add(toFault(fault)),
    clearFaults: () => faults.clear(),
    close: () => (closed ??= close()),
  }
}

const toFault = (fault: Fault | string): Fault => (typeof fault === 'string' ? parseFault(fault) : fault)

function toSandboxKey(key: KeyRecord): SandboxKey {
  const { id, name, type, access, secret, createdAt, lastUsedAt, revokedAt, oddity } = key
  return { id, name, type, access, secret, createdAt, lastUsedAt, revokedAt, oddity, status: statusOf(key) }
}

const nobodyUsed = (events: number): KeysError =>
  new KeysError('usage', `${events} events need a key that was used in the last 30 days, and there is none`, {
    hint: 'begin with more keys: --keys 20',
  })

/** The admin key of the run before, another one that still works, or a new one. */
function adminOf(account: Account, id: string | undefined, now: number): KeyRecord {
  const isGood = (key: KeyRecord | undefined) =>
    key?.access === 'admin' && key.revokedAt === null && key.oddity === undefined
  const known = id === undefined ? undefined : account.keys.get(id)
  const admin = isGood(known) ? known : account.keys.all().findLast(isGood)
  return (
    admin ??
    account.create({ name: 'Team admin', type: 'live', access: 'admin' }, { createdAt: now - 30 * day })
  )
}

/** The port it listens on. */
async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new KeysError('usage', `the sandbox cannot listen on port ${port}: ${systemReason(error)}`, {
          hint: 'give --port another number, or 0 for any that is free',
          cause: error,
        }),
      )
    })
    server.listen(port, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}
