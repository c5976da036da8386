import * as v from 'valibot'
import { KeysError } from '../errors.ts'
import { redact } from '../secret.ts'
import type { KeysDocument, Path, Problem } from './document.ts'
import { isMapping } from './fields.ts'

export type AnySchema = v.GenericSchema<unknown, unknown>

/** What is wrong with a file, noted as it is read: the rest is read all the same. */
export interface Notes {
  readonly problems: readonly Problem[]
  /** `of` says whether it is about the name of the field; a message about a value goes on from the field's name. */
  note(path: Path, message: string, of?: 'name' | 'value'): void
  lineOf(path: Path): number
  /** What a schema makes of a value; undefined where something is wrong with it. */
  parse<S extends AnySchema>(schema: S, value: unknown, path: Path): v.InferOutput<S> | undefined
  /** Notes what another part of the program says of a value. */
  attempt(path: Path, check: () => void): void
  /** The entries of a mapping, or of a list; none where it is left out. */
  entries(value: unknown, path: Path): [string, unknown][]
  list(value: unknown, path: Path): unknown[]
}

export function createNotes(document: KeysDocument): Notes {
  const problems: Problem[] = [...document.problems]

  const note: Notes['note'] = (path, message, of = 'value') => {
    const saysItself = of === 'name' || /^(?:there is no|needs) /.test(message)
    const field = path.findLast((step) => typeof step === 'string') ?? 'the file'
    const sentence = saysItself ? message : `${field} ${message}`
    problems.push({ ...document.placeOf(path, of), message: redact(sentence) })
  }

  return {
    problems,
    note,
    lineOf: (path) => document.placeOf(path, 'name').line,

    parse(schema, value, path) {
      const result = v.safeParse(schema, value)
      if (result.success) return result.output
      for (const { message, path: inside = [] } of result.issues) {
        const isName = inside.at(-1)?.origin === 'key' && message.startsWith('there is no')
        note(
          [...path, ...inside.map(({ key }) => key as string | number)],
          message,
          isName ? 'name' : 'value',
        )
      }
      return undefined
    },

    attempt(path, check) {
      try {
        check()
      } catch (error) {
        if (!(error instanceof KeysError)) throw error
        // of a hint that lists all there is, what is most likely meant
        const hint = /^did you mean [^?]*\?/.exec(error.hint ?? '')?.[0] ?? error.hint
        note(path, hint === undefined ? error.message : `${error.message}; ${hint}`, 'name')
      }
    },

    entries(value, path) {
      if (isMapping(value)) return Object.entries(value)
      if (value !== undefined && value !== null) note(path, 'is to be a mapping: a name a line')
      return []
    },

    list(value, path) {
      if (Array.isArray(value)) return value as unknown[]
      if (value !== undefined && value !== null) note(path, 'is to be a list: entries that begin with -')
      return []
    },
  }
}
