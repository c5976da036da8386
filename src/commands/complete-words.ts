// What a command line that is still being typed can go on with, from the command table alone. It knows no shell: words
// come without their quotes.
import { errorExits } from '../errors.ts'
import { flagForm, flagName } from '../flags.ts'
import { globalFlags } from '../globals.ts'
import type { Argument, Command, Flag } from './command.ts'
import { commands } from './index.ts'

/** Something a word may become. */
export interface Candidate {
  value: string
  /** For shells that show one. */
  summary: string
}

/** What the last word may be. `prefix` is what stands before it in the same word: `--to=`. */
export type Wanted =
  | { kind: 'candidates'; candidates: readonly Candidate[] }
  | { kind: 'key'; status: 'active' | undefined; given: readonly string[]; prefix: string }
  | { kind: 'rotation'; prefix: string; also?: readonly Candidate[] }
  | { kind: 'profile' | 'target' | 'file' | 'nothing'; prefix: string }

const none: Wanted = { kind: 'nothing', prefix: '' }

/** `words` are those between the program and the cursor, `current` what of the last one stands before the cursor. */
export async function wantedAfter(words: readonly string[], current: string): Promise<Wanted> {
  const line = await readLine(words)
  if (line.awaited !== undefined) return ofFlag(line.awaited.key, line.awaited.flag, '')
  if (!line.flagsEnded && current.startsWith('-')) {
    const equals = current.indexOf('=')
    if (equals === -1) return ofCandidates(flagsLeft(line))
    const known = line.find(current.slice(0, equals))
    return known === undefined ? none : ofFlag(known.key, known.flag, current.slice(0, equals + 1))
  }
  if (line.word === undefined || line.word === 'help') return ofCandidates(commandNames(line))
  return line.command === undefined ? none : ofArgument(line.command, line)
}

interface Known {
  key: string
  flag: Flag
}

interface Line {
  /** The first word that is no flag. */
  word: string | undefined
  command: Command | undefined
  /** The words after that. */
  given: string[]
  /** The flag whose value comes next. */
  awaited: Known | undefined
  flagsEnded: boolean
  used: Set<string>
  find(typed: string): Known | undefined
}

async function readLine(words: readonly string[]): Promise<Line> {
  const line: Line = {
    word: undefined,
    command: undefined,
    given: [],
    awaited: undefined,
    flagsEnded: false,
    used: new Set(),
    find(typed) {
      const flags: Record<string, Flag> = { ...globalFlags, ...this.command?.flags }
      const [key, flag] =
        Object.entries(flags).find(
          ([name, { short }]) => typed === flagName(name) || (short !== undefined && typed === `-${short}`),
        ) ?? []
      return key === undefined || flag === undefined ? undefined : { key, flag }
    },
  }
  for (const word of words) {
    if (line.awaited !== undefined) line.awaited = undefined
    else if (!line.flagsEnded && word === '--') line.flagsEnded = true
    else if (!line.flagsEnded && word.startsWith('-')) noteFlag(line, word)
    else if (line.word !== undefined) line.given.push(word)
    else {
      line.word = word
      line.command = await commands.find(({ name }) => name === word)?.load()
    }
  }
  return line
}

function noteFlag(line: Line, word: string): void {
  const [typed = '', value] = word.split('=', 2)
  const known = line.find(typed)
  if (known === undefined) return
  if (known.flag.type !== 'list') line.used.add(known.key)
  const mayBeBare = known.flag.type === 'boolean' || (known.flag.type === 'duration' && known.flag.bare)
  if (!mayBeBare && value === undefined) line.awaited = known
}

function ofCandidates(candidates: readonly Candidate[]): Wanted {
  return { kind: 'candidates', candidates }
}

function commandNames(line: Line): Candidate[] {
  if (line.word === 'help' && line.given.length > 0) return []
  const names = commands.map(({ name, summary }) => ({ value: name, summary }))
  return line.word === 'help' ? names : [...names, { value: 'help', summary: 'show help of a command' }]
}

function flagsLeft({ command, used }: Line): Candidate[] {
  const own = Object.entries<Flag>(command?.flags ?? {})
  const global = Object.entries<Flag>(globalFlags).filter(([key]) => !(key in (command?.flags ?? {})))
  const help = { value: '--help', summary: 'show help' }
  const version = command === undefined ? [{ value: '--version', summary: 'print the version' }] : []
  return [...own, ...global]
    .filter(([key, flag]) => !used.has(key) && !flag.hidden)
    .map(([key, flag]) => ({ value: flagName(key), summary: flag.summary }))
    .concat(help, version)
}

/** What a flag takes is told by its type and by what stands for its value in help. */
async function ofFlag(key: string, flag: Flag, prefix: string): Promise<Wanted> {
  if (flag.type === 'choice') {
    return ofCandidates(flag.choices.map((choice) => ({ value: prefix + choice, summary: flag.summary })))
  }
  if (key === 'profile') return { kind: 'profile', prefix }
  switch (/<(.+)>$/.exec(flagForm(key, flag))?.[1]) {
    case 'target':
      return { kind: 'target', prefix }
    case 'rule':
      return ofCandidates(await ruleIds(prefix))
    case 'key':
      return { kind: 'key', status: undefined, given: [], prefix }
    // a command line begins with a program, and that is a file
    case 'path':
    case 'file':
    case 'folder':
    case 'command':
      return { kind: 'file', prefix }
    case undefined:
    default:
      return { kind: 'nothing', prefix }
  }
}

/** What an argument is, is told by its name. */
async function ofArgument({ name, args }: Command, { given, used }: Line): Promise<Wanted> {
  const last = args.at(-1)
  const argument: Argument | undefined = args[given.length] ?? (last?.many ? last : undefined)
  if (argument === undefined) return none
  if (argument.choices !== undefined) {
    return ofCandidates(argument.choices.map((choice) => ({ value: choice, summary: argument.summary })))
  }
  switch (argument.name) {
    case 'key':
    case 'keys':
      if (used.has('resume') || used.has('abort')) return { kind: 'rotation', prefix: '' }
      return { kind: 'key', status: onlyActive.includes(name) ? 'active' : undefined, given, prefix: '' }
    case 'rotation':
      return { kind: 'rotation', prefix: '', also: ofReceipts }
    case 'files':
      return { kind: 'file', prefix: '' }
    case 'code':
      return ofCandidates([...errorCodes(), ...(await ruleIds(''))])
    case 'name':
      return name === 'profile' ? { kind: 'profile', prefix: '' } : none
    default:
      return none
  }
}

/** What an audit holds keys against. */
async function ruleIds(prefix: string): Promise<Candidate[]> {
  const { rules } = await import('../audit/rules.ts')
  return rules.map(({ id, summary }) => ({ value: prefix + id, summary }))
}

/** The codes that `explain` explains. */
function errorCodes(): Candidate[] {
  return Object.entries(errorExits).map(([code, exit]) => ({
    value: code,
    summary: `ends with exit ${exit}`,
  }))
}

/** What `rotations` does besides showing them. */
const ofReceipts: readonly Candidate[] = [
  { value: 'export', summary: 'write signed receipts' },
  { value: 'verify', summary: 'prove exported receipts' },
  { value: 'keygen', summary: 'make a key to sign with' },
]

const onlyActive = ['rotate', 'revoke']
