/**
 * What a CI does with a log and gives to a job's later steps. What it has no means for is not there. Every line is one
 * that the CI reads off stderr; none holds text from outside that was not escaped as that system wants it.
 */
export interface Ci {
  readonly name: string
  /** Has the CI take a value out of its log from here on. */
  readonly mask?: ((value: string) => string) | undefined
  /** Shows a message beside the job, besides in its log. */
  readonly annotation?: ((level: 'warning' | 'error', message: string) => string) | undefined
  /** A part of the log that can be folded. `at` is Unix milliseconds. */
  readonly group?: { open: (title: string, at: number) => string; close: (at: number) => string } | undefined
  /** Hands a named value to later steps. */
  readonly output?: Hand | undefined
  /** Takes a summary in Markdown; `unique` is a word for the name of a file. */
  readonly summary?: ((unique: string) => { file: string; line?: string }) | undefined
}

/** By a line that is appended to a file, or by one of the log. */
export type Hand =
  | { file: string; entry: (name: string, value: string) => string }
  | {
      line: (name: string, value: string) => string
    }

export type Environment = Readonly<Record<string, string | undefined>>

/** Whether `CI` says that this is one, as everywhere: set, and neither `false` nor `0`. */
export function isCi({ CI = '' }: Environment): boolean {
  return !['', '0', 'false'].includes(CI.toLowerCase())
}

/** As the variable that a value becomes where values are variables: `new_key_id` is `PICTIFY_NEW_KEY_ID`. */
export function variableOf(name: string): string {
  return `PICTIFY_${name.toUpperCase()}`
}

/**
 * Text for a CI's log in which nothing is a command: `::` at the beginning of a line, `##[` and `##vso[` anywhere in it.
 * What would be one is broken by a space, so that it can still be read. Control characters are gone by then.
 */
export function harmless(text: string): string {
  return text.replace(/^([^\S\n]*:):/gm, '$1 :').replace(/#(?=#(?:vso)?\[)/gi, '# ')
}
