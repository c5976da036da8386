// Rules of this file:
// - the log is read once, newest first, in memory that does not grow with it, whoever varies what;
// - what is not kept is counted, and said.
import type { AuditEvent } from '../api/contract.ts'
import { addTo, countOf, createCalls, newCount, type Call, type Count } from './incident-calls.ts'
import { createDetailedKeyLog, type DetailedKeyLog } from './key-log.ts'

/** An hour, or a day where many are read; that in which the incident began is two. */
export interface Step extends Count {
  /** By who called what; each is of `calls`. */
  calls: Map<Call, number>
  /** How many requests are of none of these, for there were too many. */
  unkept: number
}

/** What the log shows of one key, from `from` to `until`; from `since` on it counts as the incident. */
export interface IncidentLog {
  /** The key, and those that it replaced: of them, what was before. */
  readonly keyIds: readonly string[]
  readonly from: number
  readonly since: number
  readonly until: number
  /** Whether it was read back to what was asked for. */
  readonly complete: boolean
  readonly stepMs: number
  readonly seen: DetailedKeyLog
  readonly before: Count
  readonly after: Count
  readonly calls: readonly Call[]
  /** Whether all calls are kept apart; else of some the network alone is known. */
  readonly areApart: boolean
  /** How many requests since are of networks that were too many to be kept. */
  readonly unkept: number
  /** By their beginning. */
  readonly steps: ReadonlyMap<number, Step>
  /** Requests by their day (`2026-03-01`): all of them, and those since. */
  readonly days: ReadonlyMap<string, number>
  readonly daysSince: ReadonlyMap<string, number>
  add(event: AuditEvent): void
  /** Reading ended there (Unix ms), before all was read: what lies before it is not known. */
  endAt(instant: number): void
}

const hourMs = 3_600_000
export const dayMs = 24 * hourMs
/** Of hours; where there would be more, a step is a day. */
const mostSteps = 1_500
/** Of who called within each step, all steps together; beyond it, of as many networks. */
const mostStepCalls = 50_000
/** Of each kind (addresses, user agents) 1,000 are kept. */
const allowance = 10_000
/** Of a longer text the beginning is kept. */
const longest = 400

export function createIncidentLog({
  from: asked,
  since,
  until,
  keyIds,
}: Pick<IncidentLog, 'from' | 'since' | 'until' | 'keyIds'>): IncidentLog {
  let [from, complete] = [asked, true]
  const seen = createDetailedKeyLog({ allowance: { left: allowance }, recentSince: since })
  const stepMs = (until - from) / hourMs > mostSteps ? dayMs : hourMs
  const [before, after] = [newCount(), newCount()]
  const calls = createCalls()
  const steps = new Map<number, Step>()
  const [days, daysSince] = [new Map<string, number>(), new Map<string, number>()]
  let [unkept, stepCalls] = [0, 0]

  const stepOf = (at: number): Step => {
    const whole = Math.floor(at / stepMs) * stepMs
    const begin = at >= since ? Math.max(whole, since) : whole
    const known = steps.get(begin)
    if (known !== undefined) return known
    const fresh = { ...newCount(), calls: new Map<Call, number>(), unkept: 0 }
    steps.set(begin, fresh)
    return fresh
  }
  const addCall = (step: Step, call: Call | undefined) => {
    const isFull = stepCalls >= mostStepCalls && !(call !== undefined && step.calls.has(call))
    const kept = isFull && call ? calls.wholeNetworkOf(call) : call
    const count = kept && step.calls.get(kept)
    if (kept === undefined || (count === undefined && stepCalls >= 2 * mostStepCalls)) step.unkept += 1
    else {
      if (count === undefined) stepCalls += 1
      step.calls.set(kept, (count ?? 0) + 1)
    }
  }

  return {
    keyIds,
    get from() {
      return from
    },
    since,
    until,
    get complete() {
      return complete
    },
    stepMs,
    seen,
    before,
    after,
    get calls() {
      return calls.list()
    },
    get areApart() {
      return calls.areApart
    },
    get unkept() {
      return unkept
    },
    steps,
    days,
    daysSince,
    add(given) {
      const at = Date.parse(given.timestamp)
      const event = clipped(given)
      const isSince = at >= since
      const [one, step, call] = [countOf(event), stepOf(at), calls.of(event)]
      seen.add(event)
      addTo(step, one)
      addTo(isSince ? after : before, one)
      if (call !== undefined) addTo(isSince ? call.since : call.before, one)
      const day = new Date(at).toISOString().slice(0, 10)
      days.set(day, (days.get(day) ?? 0) + 1)
      if (!isSince) return
      daysSince.set(day, (daysSince.get(day) ?? 0) + 1)
      if (call === undefined) unkept += 1
      addCall(step, call)
    },
    endAt(instant) {
      from = instant
      complete = false
    },
  }
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
