import type { Flag } from './commands/command.ts'
import { parseDuration } from './duration.ts'
import { KeysError } from './errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** `olderThan` is typed `--older-than`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
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
