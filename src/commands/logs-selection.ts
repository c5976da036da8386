import type { AuditEvent } from '../api/contract.ts'
import { liesWithin, readAddress } from '../audit/address.ts'
import { KeysError } from '../errors.ts'
import { loadNameGlobs } from './name-glob.ts'

export interface LogFilters {
  status: readonly string[]
  ip: readonly string[]
  endpoint: readonly string[]
  userAgent: readonly string[]
}

type Fits = (event: AuditEvent) => boolean

/** Whether an event fits: one of each kind that is given. Undefined where all do. Throws `usage`. */
export async function filterOf({ status, ip, endpoint, userAgent }: LogFilters): Promise<Fits | undefined> {
  const createGlob = ip.length + endpoint.length + userAgent.length > 0 ? await loadNameGlobs() : undefined
  const globs = (texts: readonly string[]) => texts.flatMap((text) => createGlob?.(text) ?? [])
  const [endpoints, userAgents] = [globs(endpoint), globs(userAgent)]
  const statuses = status.flatMap((text) => text.split(',')).map(statusOf)
  const addresses = ip.map((text) => {
    if (text.includes('/')) return withinNetwork(text)
    if (!isGlob(text) && readAddress(text).network === undefined) throw noPlace(text, 'address')
    const [glob = () => false] = globs([text])
    return glob
  })
  const kinds: Fits[] = [
    ...some(statuses, (fits, event) => fits(event.status)),
    ...some(addresses, (fits, event) => fits(event.ip)),
    ...some(endpoints, (fits, event) => fits(event.endpoint) || fits(`${event.method} ${event.endpoint}`)),
    ...some(userAgents, (fits, event) => fits(event.userAgent)),
  ]
  return kinds.length === 0 ? undefined : (event) => kinds.every((fits) => fits(event))
}

function some<T>(tests: readonly T[], fits: (test: T, event: AuditEvent) => boolean): Fits[] {
  return tests.length === 0 ? [] : [(event) => tests.some((test) => fits(test, event))]
}

/** `404`, `4xx`. */
function statusOf(text: string): (status: number) => boolean {
  const [, first = '', rest = ''] = /^([1-5])(xx|\d\d)$/i.exec(text.trim()) ?? []
  if (first === '') {
    throw new KeysError('usage', `--status: "${text}" is no status`, {
      hint: 'write one (404) or a class of them (4xx); several with commas between them',
    })
  }
  if (/\d/.test(rest)) return (status) => status === Number(first + rest)
  return (status) => Math.floor(status / 100) === Number(first)
}

function withinNetwork(network: string): (ip: string) => boolean {
  if (liesWithin('0.0.0.0', network) === undefined) {
    throw noPlace(network, 'network')
  }
  return (ip) => liesWithin(ip, network) === true
}

function isGlob(text: string): boolean {
  return /[*?[{(]/.test(text)
}

function noPlace(text: string, what: string): KeysError {
  return new KeysError('usage', `--ip: "${text}" is no ${what}`, {
    hint: 'write an address, a network (203.0.113.0/24, 2001:db8::/48), or a glob (203.0.*)',
  })
}
