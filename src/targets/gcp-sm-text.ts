// What a version's text holds, as a whole or in one field of its JSON.
import { Secret } from '../secret.ts'
import { parseJsonFields, refuseObject } from './json-field.ts'

export interface VersionText {
  /** The value in it. Throws `target-refused` where it is none that we could write. */
  valueOf: (text: string) => Secret | undefined
  /** The whole text of a version in which `value` stands, all else as it is in `text`. */
  withValue: (text: string | undefined, value: Secret) => string
  /** Whether `text` holds the value (undefined: none), in whatever way; one that we could not have written does not. */
  holds: (text: string, value: Secret | undefined) => boolean
  /** Whether `text` is what we make of `below`: nobody else's, for we write nothing where the value stands already. */
  isMadeOf: (below: string | undefined, text: string, value: Secret) => boolean
}

export function createVersionText(name: string, field: string | undefined): VersionText {
  function valueOf(text: string): Secret | undefined {
    if (field === undefined) refuseObject(text, name)
    const value = field === undefined ? text : parseJsonFields(text, name).get(field)
    return value === undefined ? undefined : new Secret(value)
  }

  function withValue(text: string | undefined, value: Secret): string {
    if (field === undefined) return value.reveal()
    if (text === undefined) return JSON.stringify({ [field]: value.reveal() })
    return parseJsonFields(text, name).set(field, value.reveal())
  }

  function holds(text: string, value: Secret | undefined): boolean {
    try {
      const found = valueOf(text)
      return value === undefined ? found === undefined : (found?.equals(value) ?? false)
    } catch {
      return false
    }
  }

  return {
    valueOf,
    withValue,
    holds,

    isMadeOf(below, text, value) {
      if (below !== undefined && holds(below, value)) return false
      try {
        return withValue(below, value) === text
      } catch {
        return false
      }
    },
  }
}
