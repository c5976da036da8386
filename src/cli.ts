// Rules of this file:
// - it alone knows commander, and commander knows nothing else of the program: it never prints, exits or reads the
//   environment, and what it refuses is a KeysError with exit 2;
// - only the command at hand is loaded; the others are their name and summary.
import { Command as Commander, CommanderError, Option } from 'commander'
import type { Argument, Command, Flag } from './commands/command.ts'
import { commandHelp, programHelp } from './commands/help-pages.ts'
import { commands, hiddenCommands } from './commands/index.ts'
import { KeysError } from './errors.ts'
import {
  argumentForm,
  type Environment,
  flagForm,
  helpHint,
  missingArgument,
  readFlag,
  withBareValues,
} from './flags.ts'
import { globalFlags, type Globals } from './globals.ts'
import { helpText } from './ui/help.ts'

export type Parsed =
  | { kind: 'help'; text: string }
  | { kind: 'version' }
  | { kind: 'run'; command: Command; inputs: Record<string, unknown>; globals: Globals }

/**
 * Reads a command line (without node and script). Throws `usage` with the nearest name where something is misspelt.
 * `columns` is the width of help.
 */
export async function parse(argv: readonly string[], env: Environment, columns = 80): Promise<Parsed> {
  let help = ''
  const onHelp = (text: string) => (help += text)
  const program = dressed(new Commander('pictify-keys'), () => helpText(programHelp(), columns), onHelp)
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show help of a command')
  program.addOption(new Option('-V, --version', 'print the version'))
  for (const [key, flag] of Object.entries(globalFlags)) program.addOption(toOption(key, flag))

  const wanted = namedCommand(program.options, argv)
  let chosen: Chosen | undefined
  let line = argv
  let wantedCommand: Command | undefined
  const known = [...commands, ...hiddenCommands.filter(({ name }) => name === wanted)]
  for (const entry of known) {
    const loaded = entry.name === wanted ? await entry.load() : undefined
    const page = () => (loaded === undefined ? '' : helpText(commandHelp(loaded), columns))
    const command = dressed(program.command(entry.name), page, onHelp)
    if (loaded === undefined) continue
    wantedCommand = loaded
    line = withBareValues(argv, loaded.flags)
    fill(command, loaded, (args) => (chosen = { command: loaded, commander: command, args }))
  }

  // commander answers `help nope` with the general help; `nope` alone is refused, with the nearest name
  const isKnown = wanted === undefined || wanted === 'help' || known.some(({ name }) => name === wanted)
  try {
    program.parse(isKnown ? line : [wanted], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (program.opts<{ version?: true }>().version) return { kind: 'version' }
    if (error.exitCode === 0 || error.code === 'commander.help') return { kind: 'help', text: help }
    throw missingOf(error, wantedCommand) ?? (await refusal(error, wanted, known))
  }
  if (chosen === undefined) return { kind: 'help', text: help }
  return { kind: 'run', command: chosen.command, ...read(chosen, program, env) }
}

interface Chosen {
  command: Command
  commander: Commander
  args: readonly unknown[]
}

/** Settings every commander of ours has: it prints nothing and ends nothing. */
function dressed(commander: Commander, help: () => string, onHelp: (text: string) => void): Commander {
  return commander
    .exitOverride()
    .helpOption('-h, --help', 'show help')
    .configureHelp({ formatHelp: help })
    .configureOutput({
      writeOut: onHelp,
      writeErr: onHelp,
      // what is wrong with a command line is thrown, and printed by main
      outputError: () => undefined,
    })
}

/** The command that is typed first, so that only it needs loading; `help list` names `list`. */
function namedCommand(options: readonly Option[], argv: readonly string[]): string | undefined {
  const { operands } = look(new Commander().enablePositionalOptions().passThroughOptions(), options, argv)
  return operands[0] === 'help' ? operands[1] : operands[0]
}

/** Reads a line that need not be right: what is wrong with it is said by whoever reads it in earnest. */
function look(scout: Commander, options: readonly Option[], argv: readonly string[]) {
  for (const option of options) scout.addOption(option)
  scout.exitOverride().configureOutput({ outputError: () => undefined })
  try {
    return { operands: scout.parseOptions([...argv]).operands, flags: scout.opts() }
  } catch {
    // a flag without its value: those before it are read
    return { operands: [], flags: scout.opts() }
  }
}

/** Gives a commander the arguments and flags of a command, and the global flags it does not have under that name. */
function fill(commander: Commander, command: Command, onChosen: (args: readonly unknown[]) => void): void {
  for (const argument of command.args) commander.argument(argumentForm(argument), argument.summary)
  for (const [key, flag] of Object.entries(command.flags)) commander.addOption(toOption(key, flag))
  for (const [key, flag] of Object.entries(globalFlags)) {
    if (!(key in command.flags)) commander.addOption(toOption(key, flag))
  }
  commander.action((...args: unknown[]) => onChosen(args.slice(0, command.args.length)))
}

function toOption(key: string, flag: Flag): Option {
  const option = new Option(flagForm(key, flag))
  // commander reads --no-evidence as "not --evidence"; here it is a flag like any other
  option.negate = false
  if (flag.type === 'list') {
    option.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value])
  }
  return option
}

/** What was typed becomes what `run` gets. A global flag counts on either side of the command's name. */
function read({ command, commander, args }: Chosen, program: Commander, env: Environment) {
  const before = program.opts<Record<string, unknown>>()
  const after = commander.opts<Record<string, unknown>>()
  const inputs: Record<string, unknown> = {}
  for (const [index, argument] of command.args.entries()) {
    inputs[argument.name] = readArgument(argument, args[index])
  }
  for (const [key, flag] of Object.entries(command.flags)) inputs[key] = readFlag(key, flag, after[key], env)
  const line = command.lineIn?.(inputs as never)
  const inLine = line === undefined ? {} : look(new Commander(), program.options, line).flags
  const globals = Object.fromEntries(
    Object.entries(globalFlags).map(([key, flag]) => {
      const typed = key in command.flags ? before[key] : (after[key] ?? before[key])
      return [key, readFlag(key, flag, accountFlags.includes(key) ? (inLine[key] ?? typed) : typed, env)]
    }),
  ) as Globals
  return { inputs, globals }
}

function readArgument({ name, many, choices }: Argument, typed: unknown): unknown {
  if (typed === undefined) return many ? [] : undefined
  if (choices === undefined || choices.includes(typed as string)) return typed
  throw new KeysError('usage', `"${typed as string}" is no ${name}`, {
    hint: `choose one of ${choices.join(', ')}`,
  })
}

/** The global flags that say which account a command line is about. */
const accountFlags: readonly string[] = ['profile', 'apiUrl', 'insecureHttp', 'caFile', 'stateDir']

/** Of a missing argument commander says no more than its name. */
function missingOf({ code, message }: CommanderError, command: Command | undefined): KeysError | undefined {
  const name = code === 'commander.missingArgument' ? /'(.+)'/.exec(message)?.[1] : undefined
  return command && name ? missingArgument(command.name, command.args, name) : undefined
}

/** commander's refusal in our words. */
async function refusal(
  error: CommanderError,
  wanted: string | undefined,
  known: readonly { name: string }[],
): Promise<KeysError> {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const meant = /Did you mean (.*)\?/.exec(suggestion ?? '')?.[1]
  const command = known.find(({ name }) => name === wanted)?.name
  const flag = meant === undefined && command === undefined ? await flagNamed(wanted) : undefined
  const hint = meant ?? flag
  return new KeysError('usage', message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, ''), {
    hint: hint === undefined ? helpHint(command) : `did you mean ${hint}?`,
    cause: error,
  })
}

/** `pictify-keys version`: what other programs have as a command is a flag here. */
async function flagNamed(word: string | undefined): Promise<string | undefined> {
  const { nearest } = await import('./nearest.ts')
  return word !== undefined && nearest(word, ['version']).length > 0 ? '--version' : undefined
}
