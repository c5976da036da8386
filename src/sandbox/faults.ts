import { parseDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import type { Random } from './random.ts'

const create = { method: 'POST', path: '/api-keys$' }
const list = { method: 'GET', path: '/api-keys$' }
const any = { method: '*', path: '/' }

/**
 * Every way to misbehave: which requests it is about unless the spec says so, what its value is (with the one it
 * has when none is given), and what it does.
 */
const kinds = {
  'lose-answer': { on: any, does: 'do the work, then cut the connection' },
  cut: { on: any, does: 'cut the connection and do nothing' },
  'cut-body': { on: any, does: 'cut the answer in the middle of its body' },
  stall: { on: any, does: 'never answer' },
  drip: {
    on: any,
    value: 'duration',
    without: '50ms',
    does: 'send the body a byte at a time, this far apart',
  },
  slow: { on: any, value: 'duration', without: '1s', does: 'answer late' },
  'status-403': { on: any, does: 'answer that the key may not' },
  'status-404': { on: any, does: 'answer as if there were no such path' },
  'status-500': { on: any, does: 'fail and do nothing' },
  'status-502': { on: any, does: 'fail and do nothing' },
  'status-503': { on: any, does: 'fail and do nothing' },
  'status-504': { on: any, does: 'fail and do nothing' },
  'status-429': { on: any, value: 'duration', without: '1s', does: 'refuse with Retry-After' },
  'status-429-bare': { on: any, does: 'refuse without Retry-After and without a problem document' },
  refuse: { on: any, does: 'answer 401, however good the key is' },
  html: { on: any, does: 'answer 200 with a web page' },
  bare: { on: any, does: 'answer bare objects and lists, 204 for a delete' },
  'plain-errors': { on: any, does: 'answer refusals as {"error","code"}' },
  'list-under': { on: any, value: 'word', without: 'data', does: 'answer lists under this name' },
  'other-secret-name': { on: create, value: 'word', without: 'key', does: 'show the secret under this name' },
  'mystery-shape': {
    on: create,
    does: 'answer a create with the secret in an unknown field, and nothing else',
  },
  'duplicate-fields': { on: any, does: 'send every field twice, the first time as null' },
  'ignore-idempotency': { on: create, does: 'take no notice of Idempotency-Key' },
  'refuse-new': { on: create, does: 'create keys that are never accepted' },
  'lag-list': {
    on: list,
    value: 'duration',
    without: '30s',
    does: 'hide keys younger than this from the list',
  },
  country: {
    on: any,
    value: 'word',
    without: 'KP',
    pattern: /^[A-Z]{2}$/,
    does: 'count the request as coming from this country',
  },
  'clock+': { on: any, value: 'duration', without: '10m', does: 'be this far ahead of the time' },
  'clock-': { on: any, value: 'duration', without: '10m', does: 'be this far behind the time' },
} as const satisfies Record<string, FaultKind>

interface FaultKind {
  on: { method: string; path: string }
  value?: 'duration' | 'word'
  without?: string
  /** What a word must be. */
  pattern?: RegExp
  does: string
}
export type FaultName = keyof typeof kinds

/** One way to misbehave, and when. */
export interface Fault {
  name: FaultName
  /** Milliseconds where the kind's value is a duration, else 0. */
  ms: number
  /** The value where it is a word, else empty. */
  word: string
  method: string
  /** A prefix; `*` stands for one segment, `$` at the end for the end. */
  path: string
  /** The requests it strikes of those that match, counted from 1; or how likely it is to strike each. */
  when: { from: number; to: number } | { likelihood: number }
}

const grammar =
  /^(?<what>clock[+-]|[a-z0-9-]+)(?:=?(?<value>(?<==)\w+|(?<=clock[+-])[\d.]+[a-z]+))?(?::(?<method>[A-Z]+|\*) (?<path>\/[^\s@]*))?(?:@(?<when>\S+))?$/

/** How a fault is written, for the command's help. */
export const faultForm = '<fault>[=<value>][:<METHOD> <path prefix>][@<n>|@<n>+|@<n>-<m>|@<p>%]'

/** Every kind with what it does, likewise. */
export const faultTerms = Object.entries(kinds).map(([name, kind]: [string, FaultKind]) => ({
  term: `${name}${'without' in kind ? shownValue(name, kind) : ''}`,
  summary: kind.does,
}))

function shownValue(name: string, kind: FaultKind): string {
  return name.startsWith('clock') ? `${kind.without}` : `=${kind.without}`
}

/**
 * Reads `<what>[=<value>][:<METHOD> <path prefix>][@<n>|@<n>+|@<n>-<m>|@<p>%]`: of the requests that match, the n-th,
 * from the n-th on, from the n-th to the m-th, or each with this likelihood; without it, every one. Throws `usage`.
 */
export function parseFault(spec: string): Fault {
  const { what = '', value, method, path, when } = grammar.exec(spec)?.groups ?? {}
  if (!isName(what)) throw badFault(spec, `the kinds are ${Object.keys(kinds).join(', ')}`)
  const kind: FaultKind = kinds[what]
  if (kind.value === undefined && value !== undefined) throw badFault(spec, `${what} takes no value`)
  const given = value ?? kind.without ?? ''
  if (kind.pattern?.test(given) === false)
    throw badFault(spec, `${what} takes a word such as ${kind.without}`)
  return {
    name: what,
    ms: kind.value === 'duration' ? parseDuration(given) : 0,
    word: kind.value === 'word' ? given : '',
    method: method ?? kind.on.method,
    path: path ?? kind.on.path,
    when: when === undefined ? { from: 1, to: Infinity } : parseWhen(spec, when),
  }
}

function isName(what: string): what is FaultName {
  return Object.hasOwn(kinds, what)
}

function parseWhen(spec: string, when: string): Fault['when'] {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(when)
  if (percent && Number(percent[1]) <= 100) return { likelihood: Number(percent[1]) / 100 }
  const [, from, open, to] = /^([1-9]\d*)(\+)?(?:-([1-9]\d*))?$/.exec(when) ?? []
  if (from === undefined || (open && to)) {
    throw badFault(spec, 'after @ goes a number from 1 (@3), a range (@3+, @1-3) or a likelihood (@10%)')
  }
  return { from: Number(from), to: open ? Infinity : Number(to ?? from) }
}

function badFault(spec: string, hint: string): KeysError {
  return new KeysError('usage', `"${spec}" is not a fault`, { hint })
}

export interface FaultSet {
  /** Adds a fault; what is returned takes it away again. */
  add(fault: Fault): () => void
  clear(): void
  /** Counts a request; the faults that strike it, in the order they were added. */
  strike(method: string, path: string): Fault[]
}

export function createFaultSet(random: Random): FaultSet {
  let armed: { fault: Fault; pattern: RegExp; count: number }[] = []
  return {
    add(fault) {
      const entry = { fault, pattern: patternOf(fault.path), count: 0 }
      armed.push(entry)
      return () => void (armed = armed.filter((other) => other !== entry))
    },
    clear: () => void (armed = []),
    strike(method, path) {
      const struck: Fault[] = []
      for (const entry of armed) {
        const { fault, pattern } = entry
        if ((fault.method !== '*' && fault.method !== method) || !pattern.test(path)) continue
        entry.count++
        const { when } = fault
        const strikes =
          'likelihood' in when
            ? random.fraction() < when.likelihood
            : entry.count >= when.from && entry.count <= when.to
        if (strikes) struck.push(fault)
      }
      return struck
    },
  }
}

function patternOf(path: string): RegExp {
  const end = path.endsWith('$') ? '$' : ''
  const literal = path.replace(/\$$/, '').replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${literal.replaceAll('*', '[^/]+')}${end}`)
}
