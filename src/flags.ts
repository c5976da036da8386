import type { Argument, Flag } from './commands/command.ts'
import { parseDuration } from './duration.ts'
import { KeysError } from './errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** `olderThan` is typed `--older-than`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/**
 * A line in which every flag has its value. What follows a flag that may come without one is its value only where it is
 * a duration: `usage --watch App` is about the key App.
 */
export function withBareValues(argv: readonly string[], flags: Readonly<Record<string, Flag>>): string[] {
  const bare = new Map(
    Object.entries(flags).flatMap(([key, flag]) =>
      flag.type === 'duration' && flag.bare !== undefined ? [[flagName(key), flag.bare] as const] : [],
    ),
  )
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  return argv.map((word, index) => {
    const value = index < end ? bare.get(word) : undefined
    return value === undefined || looksLikeDuration(argv[index + 1]) ? word : `${word}=${value}`
  })
}

const looksLikeDuration = (word: string | undefined): boolean => /^[\d.]+[a-z]*$/.test(word ?? '')

/** `<key>`, `[key]`, `<keys...>`, `[keys...]`. */
export function argumentForm({ name, optional, many }: Argument): string {
  const form = many ? `${name}...` : name
  return optional ? `[${form}]` : `<${form}>`
}

/** The refusal of a line that lacks an argument, where nobody can be asked for it: what it is, and how the line is written. */
export function missingArgument(command: string, args: readonly Argument[], name: string): KeysError {
  const index = args.findIndex((argument) => argument.name === name)
  const [what = name] = args[index]?.summary.split(';', 1) ?? []
  const forms = args.map((argument, at) =>
    argumentForm(at <= index ? { ...argument, optional: false } : argument),
  )
  return new KeysError('usage', `${command} needs <${name}>: ${what}`, {
    hint: `write pictify-keys ${[command, ...forms].join(' ')}`,
  })
}

/** `-y, --yes`, `--older-than <duration>`. */
export function flagForm(key: string, flag: Flag): string {
  const short = flag.short === undefined ? '' : `-${flag.short}, `
  const value = placeholder(key, flag)
  return `${short}${flagName(key)}${value === '' ? '' : ` ${value}`}`
}

/** What stands for a flag's value in help: `<duration>`, `<live|test>`; nothing for a boolean. */
function placeholder(key: string, flag: Flag): string {
  switch (flag.type) {
    case 'boolean':
      return ''
    case 'duration':
      return flag.bare === undefined ? '<duration>' : '[duration]'
    case 'choice':
      return `<${isShort(flag.choices) ? flag.choices.join('|') : key}>`
    case 'string':
    case 'list':
    case 'count':
      return `<${flag.value.replace(/^<|>$/g, '')}>`
  }
}

function isShort(choices: readonly string[]): boolean {
  return choices.join('|').length <= 16
}

/** A flag's summary, and what there is to know besides: its choices, its default, its variable. */
export function describeFlag(flag: Flag): string {
  const notes = [
    ...(flag.type === 'choice' && !isShort(flag.choices) ? [`one of ${flag.choices.join(', ')}`] : []),
    ...(flag.type === 'list' ? ['repeatable'] : []),
    ...(flag.default === undefined ? [] : [`default ${flag.default}`]),
    ...(flag.type === 'duration' && flag.bare !== undefined ? [`${flag.bare} without a value`] : []),
    ...(flag.env === undefined ? [] : [flag.env]),
  ]
  return notes.length === 0 ? flag.summary : `${flag.summary} (${notes.join('; ')})`
}

/**
 * The value of a flag: what was typed, else its environment variable (an empty one counts as unset), else its
 * default. Throws `usage` for what does not parse, naming where it came from.
 */
export function readFlag(key: string, flag: Flag, typed: unknown, env: Environment): unknown {
  if (flag.type === 'list') return typed ?? fromEnvironment(flag, env)?.split(',') ?? []
  if (flag.type === 'boolean') {
    return typed === true || readBoolean(flag.env ?? '', fromEnvironment(flag, env) ?? '')
  }
  if (typed !== undefined) return readText(flagName(key), flag, typed as string)
  const inEnvironment = fromEnvironment(flag, env)
  if (inEnvironment !== undefined) return readText(flag.env ?? '', flag, inEnvironment)
  return flag.default === undefined ? undefined : readText(flagName(key), flag, String(flag.default))
}

function fromEnvironment(flag: Flag, env: Environment): string | undefined {
  const value = flag.env === undefined ? undefined : env[flag.env]
  return value === '' ? undefined : value
}

function readBoolean(source: string, text: string): boolean {
  if (['', '0', 'false', 'no', 'off'].includes(text.toLowerCase())) return false
  if (['1', 'true', 'yes', 'on'].includes(text.toLowerCase())) return true
  throw new KeysError('usage', `${source}: "${text}" is neither yes nor no`, {
    hint: `set ${source}=1, or unset it`,
  })
}

/** What to do about a command line that cannot be read. */
export function helpHint(command?: string): string {
  return `see pictify-keys ${command === undefined ? '' : `${command} `}--help`
}

type TextFlag = Exclude<Flag, { type: 'boolean' | 'list' }>

function readText(source: string, flag: TextFlag, text: string): unknown {
  switch (flag.type) {
    case 'string':
      return text
    case 'duration':
      return readDuration(source, text)
    case 'count':
      return readCount(source, text)
    case 'choice':
      if (flag.choices.includes(text)) return text
      throw new KeysError('usage', `${source}: "${text}" is not one of its values`, {
        hint: `choose one of ${flag.choices.join(', ')}`,
      })
  }
}

function readDuration(source: string, text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    throw new KeysError('usage', `${source}: ${error.message}`, { hint: error.hint, cause: error })
  }
}

function readCount(source: string, text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : NaN
  if (Number.isSafeInteger(count)) return count
  throw new KeysError('usage', `${source}: "${text}" is not a whole number`, {
    hint: 'write it in digits, 0 or more',
  })
}
