// Rules of this file:
// - a child is a group of its own: what ends it ends all that it started;
// - no secret goes into its arguments, and only the caller puts one into its environment;
// - its output is kept and passed on by whole lines of plain text, so that a secret in it is never cut where masking
//   would miss it, be it by a pipe, by a colour or by a character that nobody sees.
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { platform } from 'node:os'
import { resolve as resolvePath } from 'node:path'
// The one thing taken from `process` outside main.ts: there is no other way to signal a group.
import { kill } from 'node:process'
import type { Readable, Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as delay } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { systemCode } from './system-error.ts'
import type { Secret } from './secret.ts'

const windows = platform() === 'win32'
/** What is kept of the output, from its end, in characters. */
const outputLimit = 64 * 1024
/** A line longer than this is left out, not cut. */
const lineLimit = 8 * 1024
/** How long what is still in the pipes is waited for once the shell is gone. */
const drainMs = 1_000

export interface ChildOptions {
  /** A line for the platform's shell (`sh -c`, or `cmd`). */
  command: string
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** Written to its standard input, as it is; without it the input is empty. */
  input?: string | undefined
  /** After this long the whole group is ended. */
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Called with each whole line, without its end; not masked. */
  onOutput?: ((line: string) => void) | undefined
  /** Between asking the group to end and ending it; 2 s. */
  graceMs?: number | undefined
}

export interface ChildResult {
  /** Null when a signal ended it. */
  exitCode: number | null
  signal: NodeJS.Signals | null
  timedOut: boolean
  /** The last lines of what it wrote to both streams; not masked. */
  output: string
}

/**
 * Runs a command line to its end. Resolves however it ended; rejects with the signal's reason when that aborts
 * (the group is gone by then), or with the system's error when it cannot be started at all.
 */
export async function runChild(options: ChildOptions): Promise<ChildResult> {
  const { command, env, cwd, input, timeoutMs, signal, onOutput, graceMs = 2_000 } = options
  signal?.throwIfAborted()
  const child = startShell(command, { cwd, env, hasInput: input !== undefined })
  const output = keepLines(onOutput)
  const drained = Promise.all([child.stdout, child.stderr].map((stream) => collect(stream, output)))
  const exited = new Promise<Pick<ChildResult, 'exitCode' | 'signal'>>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (exitCode, endedBy) => resolve({ exitCode, signal: endedBy }))
  })
  let inputError: unknown
  child.stdin?.on('error', (error) => {
    // A child that ends without reading has not failed for that: its exit code says how it went.
    if (!['EPIPE', 'ECONNRESET', 'EOF'].includes(systemCode(error) ?? '')) inputError = error
  })
  if (input !== undefined) hand(input, child)

  const stop = new AbortController()
  const onStop = () => stop.abort()
  const timer = setTimeout(onStop, timeoutMs)
  signal?.addEventListener('abort', onStop, { once: true })
  try {
    const ended = endWhenStopped(child, stop.signal, graceMs)
    // A child that runs as somebody else may outlive even SIGKILL; it is not waited for without end.
    const end = await Promise.race([exited, ended.then(() => ({ exitCode: null, signal: null }))])
    const timedOut = stop.signal.aborted
    if (stop.signal.aborted) await ended
    await Promise.race([drained, delay(drainMs, undefined, { ref: false })])
    signal?.throwIfAborted()
    if (inputError) throw inputError as Error
    return { ...end, timedOut, output: output.text() }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onStop)
    // What it left running in the background may hold the pipes open; we do not read them any more.
    for (const stream of child.stdio) stream?.destroy()
  }
}

/** Waits for a word on descriptor 3 and is then the shell that runs the line; where we die before, it ends. */
const gate = 'read -r pictify_keys_go <&3 || exit 125; exec /bin/sh -c "$1" 3<&-'
/** So much a pipe takes without a reader. */
const pipeHolds = 16 * 1024

/** Where it is to get input, it begins only when that is on its way (not on Windows, which has no such shell). */
function startShell(
  command: string,
  { cwd, env, hasInput }: { cwd: string; env: ChildOptions['env']; hasInput: boolean },
): ChildProcess {
  const options = { detached: !windows, windowsHide: true, cwd, env }
  if (!hasInput || windows) {
    return spawn(command, { ...options, shell: true, stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
  }
  const stdio = ['pipe' as const, 'pipe' as const, 'pipe' as const, 'pipe' as const]
  return spawn('/bin/sh', ['-c', gate, 'sh', command], { ...options, stdio })
}

/** Were we killed before all of the input is in the pipe, the command would take what it got for the whole. */
function hand(input: string, { stdin, stdio }: ChildProcess): void {
  const go = stdio[3] as Writable | null | undefined
  go?.on('error', () => undefined)
  const open = () => void go?.end('go\n')
  stdin?.write(input, open)
  stdin?.end()
  if (Buffer.byteLength(input) > pipeHolds) open()
}

/** Resolves once the group was told to end and is gone, or would not go; never while nobody stops it. */
async function endWhenStopped(child: ChildProcess, stop: AbortSignal, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }))
  signalGroup(child, 'SIGTERM')
  if (await isGoneWithin(child, graceMs)) return
  signalGroup(child, 'SIGKILL')
  await isGoneWithin(child, drainMs)
}

async function isGoneWithin(child: ChildProcess, ms: number): Promise<boolean> {
  const until = Date.now() + ms
  while (signalGroup(child, 0)) {
    if (Date.now() >= until) return false
    await delay(20)
  }
  return true
}

/** Signals the child's group (0 only asks); whether there is still one. */
function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  if (child.pid === undefined) return false
  try {
    if (!windows) return kill(-child.pid, signal)
    if (signal !== 0) spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore' })
    return child.exitCode === null && child.signalCode === null
  } catch (error) {
    // EPERM: there is one, and it runs as somebody else.
    return systemCode(error) !== 'ESRCH'
  }
}

interface LineKeeper {
  add(line: string): void
  text(): string
}

function keepLines(onLine: ((line: string) => void) | undefined): LineKeeper {
  const lines: string[] = []
  let length = 0
  return {
    add(line) {
      onLine?.(line)
      lines.push(line)
      length += line.length + 1
      while (length > outputLimit) length -= (lines.shift()?.length ?? 0) + 1
    },
    text: () => lines.join('\n'),
  }
}

/** Cuts a stream into lines; resolves when it is closed, for whatever reason. */
function collect(stream: Readable | null, output: LineKeeper): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let leftOut = 0
  const add = (line: string) => {
    const length = leftOut + line.length
    output.add(length > lineLimit ? `[a line of ${length} characters]` : plainText(line))
    leftOut = 0
  }
  return new Promise((resolve) => {
    if (!stream) return resolve()
    stream.on('data', (chunk: Buffer) => {
      const pieces = (rest + decoder.write(chunk)).split('\n')
      rest = pieces.pop() ?? ''
      pieces.forEach(add)
      if (leftOut + rest.length > lineLimit) {
        leftOut += rest.length
        rest = ''
      }
    })
    stream.once('close', () => {
      rest += decoder.end()
      if (leftOut + rest.length > 0) add(rest)
      resolve()
    })
    // An error is followed by close, and how the child ended is told by its exit.
    stream.on('error', () => undefined)
  })
}

/** Without escape sequences, and without every other character that a terminal acts on or does not show. */
function plainText(line: string): string {
  return stripVTControlCharacters(line).replace(/(?!\t)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
}

/**
 * Whether the first word of a command line can be run, by the shell's own rules (built-ins count).
 * Where the first word cannot be told (quotes, assignments, parentheses, variables), yes.
 */
export async function commandExists(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<boolean> {
  const word = /^\s*([\w./+@%:,-]+)(?=[\s;&|<>]|$)/.exec(command)?.[1]
  if (word === undefined || windows) return true
  if (word.includes('/')) return isExecutable(resolvePath(cwd, word))
  const look = spawn('sh', ['-c', 'command -v -- "$1" >/dev/null', 'sh', word], { env, cwd, stdio: 'ignore' })
  return new Promise((resolve, reject) => {
    look.once('error', reject)
    look.once('exit', (exitCode) => resolve(exitCode === 0))
  })
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}

/** Shorter values than this are in other variables by chance. */
const shortestSecret = 8

/** What is for this program alone: the admin key, and the key that signs receipts. */
const ownSecrets = new Set(['PICTIFY_ADMIN_KEY', 'PICTIFY_KEYS_SIGN_KEY', 'PICTIFY_KEYS_SIGN_PASSPHRASE'])

/** The environment for a child: without this program's own secrets, and without every variable that holds one of the secrets. */
export function childEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  { secrets = [] }: { secrets?: Iterable<Secret> | undefined } = {},
): Record<string, string> {
  const values = [...secrets]
    .map((secret) => secret.reveal())
    .filter((value) => value.length >= shortestSecret)
  const clean: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || ownSecrets.has(name.toUpperCase())) continue
    if (!values.some((secret) => value.includes(secret))) clean[name] = value
  }
  return clean
}
