// Rules of this file:
// - the log is read once, newest first, in memory that does not grow with it, whoever varies what;
// - what is not kept is counted, and said.
import type { AuditEvent } from '../api/contract.ts'
import { readAddress } from './address.ts'
import { endpointOf, programOf } from './event-names.ts'
import { createDetailedKeyLog, ownProgram, type DetailedKeyLog } from './key-log.ts'

/** How often, and of these how often refused (400 and above). */
export interface Count {
  requests: number
  refused: number
}

/** Who called what from where. Instants are Unix ms. */
export interface Call {
  /** Without its version; empty where the log does not say. */
  program: string
  /** The address, where that is in no network. */
  network: string
  /** `POST /image`. */
  endpoint: string
  /** One of this program's own, which proves a key. A stranger can give himself out for it. */
  isProbe: boolean
  before: Count
  since: Count
  /** Of those since. */
  firstAt: number
  lastAt: number
}

/** An hour, or a day where many are read. */
export interface Step extends Count {
  /** By who called what; each is of `calls`. */
  calls: Map<Call, number>
}

/** What the log shows of one key, from `from` to `until`; from `since` on it counts as the incident. */
export interface IncidentLog {
  readonly from: number
  readonly since: number
  readonly until: number
  readonly stepMs: number
  readonly seen: DetailedKeyLog
  readonly before: Count
  readonly after: Count
  readonly calls: readonly Call[]
  /** How many requests are of calls that were too many to be kept. */
  readonly unkeptCalls: number
  /** By their beginning. */
  readonly steps: ReadonlyMap<number, Step>
  /** Requests by their day (`2026-03-01`). */
  readonly days: ReadonlyMap<string, number>
  add(event: AuditEvent): void
}

const hourMs = 3_600_000
export const dayMs = 24 * hourMs
/** Of hours; where there would be more, a step is a day. */
const mostSteps = 1_500
const mostCalls = 5_000
/** Of who called within each step, all steps together. */
const mostStepCalls = 50_000
/** Of each kind (addresses, user agents) 1,000 are kept. */
const allowance = 10_000
/** Of a longer text the beginning is kept. */
const longest = 400

export function createIncidentLog({
  from,
  since,
  until,
}: Pick<IncidentLog, 'from' | 'since' | 'until'>): IncidentLog {
  const seen = createDetailedKeyLog({ allowance: { left: allowance }, recentSince: since })
  const stepMs = (until - from) / hourMs > mostSteps ? dayMs : hourMs
  const [before, after] = [newCount(), newCount()]
  const calls = new Map<string, Call>()
  const steps = new Map<number, Step>()
  const days = new Map<string, number>()
  let [unkeptCalls, stepCalls] = [0, 0]

  const callOf = (event: AuditEvent): Call | undefined => {
    const program = programOf(event.userAgent)
    const network = readAddress(event.ip).network ?? event.ip
    const endpoint = endpointOf(event.method, event.endpoint)
    const key = JSON.stringify([program, network, endpoint])
    const known = calls.get(key)
    if (known !== undefined || calls.size >= mostCalls) return known
    const isProbe = program === ownProgram && endpoint === 'GET /templates'
    const call = { program, network, endpoint, isProbe, before: newCount(), since: newCount() }
    const fresh: Call = { ...call, firstAt: Infinity, lastAt: -Infinity }
    calls.set(key, fresh)
    return fresh
  }

  return {
    from,
    since,
    until,
    stepMs,
    seen,
    before,
    after,
    get calls() {
      return [...calls.values()]
    },
    get unkeptCalls() {
      return unkeptCalls
    },
    steps,
    days,
    add(given) {
      const at = Date.parse(given.timestamp)
      const event = clipped(given)
      seen.add(event)
      const isRefused = event.status >= 400
      const isSince = at >= since
      countIn(isSince ? after : before, isRefused)
      const day = new Date(at).toISOString().slice(0, 10)
      days.set(day, (days.get(day) ?? 0) + 1)
      const begin = Math.floor(at / stepMs) * stepMs
      let step = steps.get(begin)
      if (step === undefined) steps.set(begin, (step = { ...newCount(), calls: new Map() }))
      countIn(step, isRefused)

      const call = callOf(event)
      if (call === undefined) {
        unkeptCalls += 1
        return
      }
      countIn(isSince ? call.since : call.before, isRefused)
      if (!isSince) return
      call.firstAt = Math.min(call.firstAt, at)
      call.lastAt = Math.max(call.lastAt, at)
      const known = step.calls.get(call)
      if (known === undefined && stepCalls++ >= mostStepCalls) return
      step.calls.set(call, (known ?? 0) + 1)
    },
  }
}

export function newCount(): Count {
  return { requests: 0, refused: 0 }
}

function countIn(count: Count, isRefused: boolean): void {
  count.requests += 1
  if (isRefused) count.refused += 1
}

/** Each of our own proofs has another one: by it the audit log tells whose a secret is. */
const markOfOurs = /^(pictify-keys\/\S+) \([0-9a-f]{16}\)$/

/** A copy where it is cut: a part of a string keeps the whole of it in memory. */
function clipped(event: AuditEvent): AuditEvent {
  const clip = (text: string) =>
    text.length <= longest ? text : Buffer.from(`${text.slice(0, longest - 1)}…`).toString()
  const { ip, userAgent, endpoint, method } = event
  return {
    ...event,
    ip: clip(ip),
    userAgent: clip(userAgent.replace(markOfOurs, '$1')),
    endpoint: clip(endpoint),
    method: clip(method),
  }
}
