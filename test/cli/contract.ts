// Rules of this file:
// - what the program prints with --json is held to schema/, every document and every line, in every test that runs it;
// - held to it closed: a field that schema/ does not name fails the test that printed it.
import { commands } from '../../src/commands/index.ts'
import { closed, createValidators, eventDefinitions, schemas } from '../schema/schemas.ts'
import type { Ran } from './program.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Lines that a CI takes out of its log; they are for the runner, and are the one thing beside the JSON. */
const masks: { variable: string; form: RegExp }[] = [
  { variable: 'GITHUB_ACTIONS', form: /^::add-mask::/ },
  { variable: 'TF_BUILD', form: /^##vso\[task\.setsecret\]/ },
]

let made: ReturnType<typeof createValidators> | undefined
/** Compiled at the first run with --json. */
const validators = () => (made ??= createValidators(closed))

/** What of a run is not as schema/ says; nothing for one without --json. */
export function breaches(args: readonly string[], env: Env, ran: Ran): string[] {
  const typed = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  if (!typed.includes('--json')) return []
  if (typed.some((word) => ['-h', '--help', '-V', '--version', 'help'].includes(word))) return []
  return [...ofStdout(typed, ran), ...ofStderr(env, ran)]
}

/** The command of a line that the program knows. */
export function commandOf(args: readonly string[]): string | undefined {
  return args.find((word) => commands.some(({ name }) => name === word))
}

function ofStdout(args: readonly string[], { stdout, exit, signal }: Ran): string[] {
  if (stdout === '') return exit === 0 ? ['stdout is empty'] : []
  const command = commandOf(args)
  if (command === undefined || !schemas.has(command)) return [`schema/ has no document of ${command}`]
  const document = parsed(stdout)
  // a run that was killed may have been about to end it
  if (document === undefined) return signal === null ? [`stdout is not one JSON document: ${stdout}`] : []
  if (!stdout.endsWith('\n') || stdout.trimEnd().includes('\n')) return ['the document is not one line']
  return against(command, undefined, document.value)
}

function ofStderr(env: Env, { stderr, exit, signal }: Ran): string[] {
  const cut = signal !== null && !stderr.endsWith('\n')
  const texts = stderr.split('\n').slice(0, -1)
  if (!cut && stderr !== '' && !stderr.endsWith('\n')) return ['the last line of stderr has no end']
  const objects = texts.filter((line) => !isMask(line, env))
  const problems = objects.flatMap(ofLine)
  const errors = objects.flatMap((line, index) => (line.startsWith('{"error":') ? [index] : []))
  const afterwards = objects.slice((errors[0] ?? Infinity) + 1)
  if (!afterwards.every((line) => line.startsWith('{"event":"debug",')))
    problems.push('the error is not the last line, but for debug lines')
  if (exit === 0 && errors.length > 0) problems.push('there is an error, but the exit is 0')
  if (exit !== 0 && exit !== null && errors.length === 0)
    problems.push(`the exit is ${exit}, and there is no error`)
  return problems
}

function isMask(line: string, env: Env): boolean {
  return masks.some(({ variable, form }) => env[variable] !== undefined && form.test(line))
}

function ofLine(line: string): string[] {
  const object = parsed(line)?.value
  if (typeof object !== 'object' || object === null) return [`a line of stderr is no JSON object: ${line}`]
  if ('error' in object) return against('error', undefined, object)
  const definition = eventDefinitions.get('event' in object ? String(object.event) : '')
  if (definition === undefined) return [`schema/event.json does not know ${line}`]
  return against('event', definition, object)
}

function against(name: string, definition: string | undefined, value: unknown): string[] {
  const validate = validators().of(name, definition)
  if (validate(value)) return []
  const said = (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  )
  return [`schema/${name}.json: ${said.join('; ')}: ${JSON.stringify(value)}`]
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
