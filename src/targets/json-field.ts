// Rules of this file:
// - a field is changed in the text as it stands: all else keeps its bytes, its order and its spacing;
// - what a reader could take in two ways (a name that stands there twice) is refused;
// - no error holds a value.
import type { KeysError } from '../errors.ts'
import { refusal } from './refusal.ts'

/** The fields of a JSON object, as it is written. */
export interface JsonFields {
  readonly names: readonly string[]
  /** Undefined where there is no such field. Throws `target-refused` where it is not a string. */
  get(field: string): string | undefined
  /** A field's value as it is written; undefined where there is no such field. */
  text(field: string): string | undefined
  /** The text with that field of that value; a new one stands last. */
  set(field: string, value: string): string
  /** The text without that field; of one that `set` made new, what it was before. */
  remove(field: string): string
}

interface Member {
  name: string
  /** Where its name, and where its value, stands in the text. */
  start: number
  valueStart: number
  valueEnd: number
}

/** Reads `text` for the target `name`. Throws `target-refused` for what is not a JSON object or has a field twice. */
export function parseJsonFields(text: string, name: string): JsonFields {
  const members = membersOf(text)
  if (members === undefined) {
    throw refusal(
      `${name}: what is there is not a JSON object, so it has no fields`,
      'name the place without # to hold the key and nothing else',
    )
  }
  const twice = members.find((one, at) => members.findIndex((other) => other.name === one.name) !== at)
  if (twice) {
    throw refusal(
      `${name}: the field ${twice.name} stands there twice`,
      'whoever reads it may take either: leave one of them',
    )
  }
  const find = (field: string) => members.find((member) => member.name === field)

  return {
    names: members.map((member) => member.name),

    get(field) {
      const member = find(field)
      if (!member) return undefined
      const value: unknown = JSON.parse(text.slice(member.valueStart, member.valueEnd))
      if (typeof value === 'string') return value
      throw refusal(`${name}: the field ${field} is not a string`, 'check how it is spelt')
    },

    text(field) {
      const member = find(field)
      return member && text.slice(member.valueStart, member.valueEnd)
    },

    set(field, value) {
      const [member, last] = [find(field), members.at(-1)]
      const written = JSON.stringify(value)
      if (member) return text.slice(0, member.valueStart) + written + text.slice(member.valueEnd)
      const key = JSON.stringify(field)
      if (!last) {
        const inside = text.indexOf('{') + 1
        return `${text.slice(0, inside)}${key}:${written}${text.slice(inside)}`
      }
      // as the one before it is set
      const gap = /\s*$/.exec(text.slice(0, last.start))?.[0] ?? ''
      const colon = /\s*:\s*$/.exec(text.slice(last.start, last.valueStart))?.[0] ?? ':'
      return `${text.slice(0, last.valueEnd)},${gap}${key}${colon}${written}${text.slice(last.valueEnd)}`
    },

    remove(field) {
      const member = find(field)
      if (!member) return text
      const at = members.indexOf(member)
      const [before, after] = [members[at - 1], members[at + 1]]
      const from = before?.valueEnd ?? member.start
      const to = before ? member.valueEnd : (after?.start ?? member.valueEnd)
      return text.slice(0, from) + text.slice(to)
    },
  }
}

/** A place that is to hold the key alone, and holds several values. */
export function refuseObject(text: string, name: string): void {
  const members = membersOf(text)
  if (members === undefined) return
  throw severalFields(
    name,
    members.map((member) => member.name),
  )
}

function severalFields(name: string, names: readonly string[]): KeysError {
  const listed = names.length > 0 ? ` (${names.slice(0, 10).join(', ')})` : ''
  return refusal(
    `${name}: what is there is a JSON object${listed}, and would be replaced as a whole`,
    `name the field that holds the key: ${name}#${names[0] ?? '<field>'}`,
  )
}

/** Undefined for what is not a JSON object. */
function membersOf(text: string): Member[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  } catch {
    // not JSON at all
    return undefined
  }
  const members: Member[] = []
  let depth = 0
  let key: { name: string; start: number; valueStart?: number } | undefined
  let end = 0
  const close = () => {
    if (key?.valueStart === undefined) return
    members.push({ name: key.name, start: key.start, valueStart: key.valueStart, valueEnd: end })
    key = undefined
  }
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]+|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const isClosing = token === '}' || token === ']'
    if (isClosing) depth -= 1
    if (depth === 1 && token === ',') close()
    else if (depth === 0 && isClosing) close()
    else if (depth === 1 && !key) key = { name: JSON.parse(token) as string, start: index }
    else if (depth >= 1 && key && token !== ':') key.valueStart ??= index
    end = index + token.length
    if (token === '{' || token === '[') depth += 1
  }
  return members
}
