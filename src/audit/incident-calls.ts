// Rules of this file:
// - who varies what must not fill our memory, nor have others forgotten: each network has so much room, and no more;
// - of whom there are too many the network is kept, which tells a stranger too; only where those are too many nothing is.
import type { AuditEvent } from '../api/contract.ts'
import { readAddress } from './address.ts'
import { endpointOf, programOf } from './event-names.ts'
import { ownProgram } from './key-log.ts'

/** How often, and what came of it. */
export interface Count {
  requests: number
  /** Of these, answered with 400 and above. */
  failed: number
  /** Of those, for the sake of the key: 401, 402, 403 and 429. */
  refused: number
  /** Images and documents that were made: POST to /image, /gif, /pdf or to a path that ends in /render, not failed. */
  renders: number
}

/** Who called what from where. */
export interface Call {
  /** Without its version; empty where the log does not say. Null: one of many that are not kept apart. */
  program: string | null
  /** The address, where that is in no network. */
  network: string
  /** `POST /image`. Null: one of many. */
  endpoint: string | null
  /** One of this program's own, which proves a key. A stranger can give himself out for it. */
  isProbe: boolean
  before: Count
  since: Count
}

export interface Calls {
  /** The call that an event is of; undefined where there are too many networks. */
  of(event: Pick<AuditEvent, 'ip' | 'userAgent' | 'method' | 'endpoint'>): Call | undefined
  /** That of all of its network. */
  wholeNetworkOf(call: Call): Call | undefined
  list(): Call[]
  /** Whether all of them are kept apart. */
  readonly areApart: boolean
}

/** By how much of a call is kept apart. */
const mostCalls = { program: 5_000, endpoint: 2_000, network: 2_000 }
const mostOfNetwork = 200

export function createCalls(): Calls {
  const calls = new Map<string, Call>()
  const counts = new Map<string, number>()
  let areApart = true

  /** Counts one more, unless there is no room for it. */
  const hasRoom = (what: string, most: number) => {
    const count = counts.get(what) ?? 0
    if (count < most) counts.set(what, count + 1)
    return count < most
  }
  const keep = (program: string | null, network: string, endpoint: string | null): Call | undefined => {
    const id = JSON.stringify([program, network, endpoint])
    const known = calls.get(id)
    if (known !== undefined) return known
    const detail = program !== null ? 'program' : endpoint !== null ? 'endpoint' : 'network'
    if (detail !== 'network' && counts.get(`${detail} ${network}`) === mostOfNetwork) return undefined
    if (!hasRoom(detail, mostCalls[detail])) return undefined
    if (detail !== 'network') hasRoom(`${detail} ${network}`, mostOfNetwork)
    const isProbe = isOwnProbe(program, endpoint)
    const call = { program, network, endpoint, isProbe, before: newCount(), since: newCount() }
    calls.set(id, call)
    return call
  }

  return {
    of({ ip, userAgent, method, endpoint: path }) {
      const network = readAddress(ip).network ?? ip
      const endpoint = endpointOf(method, path)
      const call = keep(programOf(userAgent), network, endpoint)
      if (call !== undefined) return call
      areApart = false
      return keep(null, network, endpoint) ?? keep(null, network, null)
    },
    wholeNetworkOf: ({ network }) => keep(null, network, null),
    list: () => [...calls.values()],
    get areApart() {
      return areApart
    },
  }
}

/** Whether it looks like this program's own proof of a key. */
export function isOwnProbe(program: string | null, endpoint: string | null): boolean {
  return program === ownProgram && endpoint === 'GET /templates'
}

export function newCount(): Count {
  return { requests: 0, failed: 0, refused: 0, renders: 0 }
}

const refusals: ReadonlySet<number> = new Set([401, 402, 403, 429])

/** What one event counts for. */
export function countOf({ status, method, endpoint }: AuditEvent): Count {
  const isFailed = status >= 400
  const isRender = /^POST \S*\/(?:image|gif|pdf|render)\/?$/i.test(endpointOf(method, endpoint))
  return {
    requests: 1,
    failed: Number(isFailed),
    refused: Number(refusals.has(status)),
    renders: Number(isRender && !isFailed),
  }
}

export function addTo(sum: Count, { requests, failed, refused, renders }: Count): void {
  sum.requests += requests
  sum.failed += failed
  sum.refused += refused
  sum.renders += renders
}
