// Rules of this file:
// - what is written here means in a shell exactly what was meant, whoever chose the names in it;
// - no secret is in it: what it is made of was refused where it had one.
import type { Context } from './context.ts'
import { exactDuration } from './duration.ts'
import { flagName, readFlag } from './flags.ts'
import { globalFlags } from './globals.ts'
import { oneLine } from './ui/text.ts'
import type { Flag } from './commands/command.ts'

/** How the program shows; the same thing is done without them. */
const ofDisplay = ['json', 'quiet', 'debug', 'noColor', 'plain']

/** Flags that say whose keys are meant. */
type Whose = Partial<Pick<Context['globals'], 'profile' | 'apiUrl'>>

/**
 * The profile and the API in use, whatever chose them, so that a line means the same account on another machine. The
 * default profile goes without saying.
 */
export async function whoseKeys({ globals, config, credential }: Context): Promise<Whose> {
  const { apiUrl } = globals
  // flag and environment alone decide: the profile has no say
  if (globals.profile === undefined && apiUrl !== undefined) {
    if ((await credential()).source.kind === 'environment') return { apiUrl }
  }
  const { profile, isDefault } = await config()
  return { profile: isDefault ? undefined : profile, apiUrl }
}

/**
 * The line of a shell that does what a command was asked for: its arguments, and the flags that differ from what the
 * environment and the defaults say anyway, and those of `whose` in any case. Flags that `run` reads in milliseconds are written as durations.
 */
export function commandLine(
  { globals, env }: { globals: Partial<Context['globals']>; env: Context['env'] },
  name: string,
  args: readonly string[],
  flags: Readonly<Record<string, Flag>>,
  inputs: Readonly<Record<string, unknown>>,
  whose: Whose = {},
): string {
  const globalWords = (key: string, flag: Flag) => {
    const named = whose[key as keyof Whose]
    if (named !== undefined) return wordsOf(key, flag, named, {})
    return wordsOf(key, flag, globals[key as keyof typeof globals], env)
  }
  const shown = Object.fromEntries(Object.entries(globalFlags).filter(([key]) => !ofDisplay.includes(key)))
  const words = [
    ...args,
    ...Object.entries(flags).flatMap(([key, flag]) => wordsOf(key, flag, inputs[key], env)),
    ...Object.entries(shown).flatMap(([key, flag]) => (key in flags ? [] : globalWords(key, flag))),
  ]
  return ['pictify-keys', name, ...words.map(quoted)].join(' ')
}

function wordsOf(key: string, flag: Flag, value: unknown, env: Context['env']): string[] {
  const otherwise = readFlag(key, flag, undefined, env)
  if (value === undefined || JSON.stringify(value) === JSON.stringify(otherwise)) return []
  if (flag.type === 'boolean') return value === true ? [flagName(key)] : []
  const values = Array.isArray(value) ? (value as unknown[]) : [value]
  return values.flatMap((each) => {
    const text = flag.type === 'duration' ? exactDuration(Number(each)) : String(each)
    return text.startsWith('-') ? [`${flagName(key)}=${text}`] : [flagName(key), text]
  })
}

/**
 * One word of sh, bash, zsh and fish (which alone takes a backslash in quotes for more than itself). `#` is in patterns of
 * zsh, so that a target is quoted too.
 */
export function quoted(word: string): string {
  if (/^[\w@%+:,./-][\w@%+:,./=-]*$/.test(word)) return word
  // what a terminal does not show would be lost where the line is copied from
  if (oneLine(word) !== word) return `$'${[...word].map(escaped).join('')}'`
  return `'${word.replaceAll("'", "'\\''")}'`
}

function escaped(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`
  if (oneLine(character) === character) return character
  const code = (character.codePointAt(0) ?? 0).toString(16)
  return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`
}
