// Rules of this file:
// - a command is data and one function; nothing here knows commander;
// - what a flag's type says is what `run` gets: the types below are the only place that maps them.
import type { Context } from '../context.ts'

interface FlagBase {
  summary: string
  short?: string
  /** The environment variable that stands in for the flag. */
  env?: string
  /** Shown in help; given to `run` when neither flag nor environment says otherwise. */
  default?: string | number
  hidden?: boolean
}

export type Flag =
  | (FlagBase & { type: 'boolean' })
  /** Any text; `value` is its placeholder in help. */
  | (FlagBase & { type: 'string'; value: string })
  /** Repeatable; given to `run` as an array, empty when absent. */
  | (FlagBase & { type: 'list'; value: string })
  /**
   * `30s`, `15m`; given to `run` in milliseconds; `default` is written as a duration. With `bare` it may come without a
   * value, and then has that one.
   */
  | (FlagBase & { type: 'duration'; bare?: string })
  /** A whole number, 0 or more. */
  | (FlagBase & { type: 'count'; value: string })
  | (FlagBase & { type: 'choice'; choices: readonly string[] })

export interface Argument {
  name: string
  summary: string
  optional?: boolean
  /** The words it may be. */
  choices?: readonly string[]
  /** Takes all that follow; given to `run` as an array. */
  many?: boolean
}

type FlagValue<F extends Flag> = F extends { type: 'boolean' }
  ? boolean
  : F extends { type: 'list' }
    ? string[]
    : F extends { type: 'duration' | 'count' }
      ? F extends { default: string | number }
        ? number
        : number | undefined
      : F extends { type: 'choice'; choices: readonly (infer C)[] }
        ? F extends { default: string }
          ? C
          : C | undefined
        : F extends { default: string }
          ? string
          : string | undefined

type ArgumentWord<A extends Argument> = A extends { choices: readonly (infer C)[] } ? C : string

type ArgumentValue<A extends Argument> = A extends { many: true }
  ? string[]
  : A extends { optional: true }
    ? ArgumentWord<A> | undefined
    : ArgumentWord<A>

export type Inputs<A extends readonly Argument[], F extends Record<string, Flag>> = {
  [K in A[number] as K['name']]: ArgumentValue<K>
} & { [K in keyof F]: FlagValue<F[K]> }

export interface Command {
  /** As it is typed. */
  name: string
  summary: string
  args: readonly Argument[]
  /** Keyed in camelCase; typed in kebab-case: `olderThan` is `--older-than`. */
  flags: Record<string, Flag>
  /** Headings of help and the flags that stand under each; what none of them names stands under `Flags`. */
  groups: Readonly<Record<string, readonly string[]>>
  examples: readonly string[]
  /** Headings of help and what stands under each besides flags. */
  terms?: Readonly<Record<string, readonly { term: string; summary: string }[]>>
  /** Of a command that is about another command line: its words, whose global flags count as if they were its own. */
  lineIn?(inputs: never): readonly string[]
  /** Nobody is there who could answer anything: the keychain is not to ask for its password either. */
  asksNobody?: boolean
  run(context: Context, inputs: never): Promise<void>
}

/** Declares a command; `run` gets its arguments and flags typed by their declarations. */
export function defineCommand<
  const A extends readonly Argument[],
  const F extends Record<string, Flag>,
>(command: {
  name: string
  summary: string
  args?: A
  flags?: F
  groups?: Readonly<Record<string, readonly (keyof F & string)[]>>
  examples?: readonly string[]
  terms?: Command['terms'] & {}
  lineIn?(inputs: Inputs<A, F>): readonly string[]
  asksNobody?: boolean
  run(context: Context, inputs: Inputs<A, F>): Promise<void>
}): Command {
  return { args: [], flags: {}, groups: {}, examples: [], ...command }
}
