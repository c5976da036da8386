import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { breaches } from './contract.ts'

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))

/** What a run of the program left. */
export interface Ran {
  stdout: string
  stderr: string
  /** Null when a signal ended it. */
  exit: number | null
  signal: NodeJS.Signals | null
}

export interface Running {
  child: ChildProcess
  /** Resolves when it has ended; rejects where what it printed with --json is not as schema/ says. */
  ended: Promise<Ran>
  /** Both streams so far. */
  output(): { stdout: string; stderr: string }
  /** Resolves when it is so; throws with what was printed when the program ends before. */
  until(isSo: () => boolean): Promise<void>
}

/** A home of its own for the real program: no profile, no journal, nothing of the caller's environment. */
export interface Home {
  directory: string
  stateDir: string
  env: Record<string, string>
  /** Starts the program; `input` is its stdin, which is empty without one. */
  start(args: readonly string[], options?: StartOptions): Running
  /** Starts it and waits for its end. */
  run(args: readonly string[], options?: StartOptions): Promise<Ran>
  remove(): Promise<void>
}

interface StartOptions {
  input?: string
  /** Its stdin is a pipe that nobody writes to and nobody closes. */
  endlessInput?: boolean
  env?: Record<string, string | undefined>
  cwd?: string
  /** What a shell does first, in the very process that becomes the program: `umask 000`, `ulimit -f 8`. */
  first?: string
  /** A module that is loaded before it. */
  preload?: string
  /** Where it is installed, if not here. */
  program?: string
}

export const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

export async function createHome(env: Record<string, string> = {}): Promise<Home> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pictify-keys-home-'))
  const stateDir = path.join(directory, 'state')
  const own = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    XDG_CONFIG_HOME: path.join(directory, 'config'),
    XDG_DATA_HOME: path.join(directory, 'data'),
    PICTIFY_KEYS_STATE_DIR: stateDir,
    ...env,
  }

  function start(args: readonly string[], options: StartOptions = {}): Running {
    const merged = Object.entries({ ...own, ...options.env }).filter(([, value]) => value !== undefined)
    const preload = options.preload === undefined ? [] : ['--import', options.preload]
    const program = [...preload, options.program ?? bin, ...args]
    const byShell = ['-c', `${options.first}; exec "$0" "$@"`, process.execPath, ...program]
    const [command, words] = options.first === undefined ? [process.execPath, program] : ['sh', byShell]
    const child = spawn(command, words, {
      cwd: options.cwd ?? directory,
      env: Object.fromEntries(merged),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    // A program that ends before it has read its input is no failure of the test.
    child.stdin.on('error', () => {})
    if (!options.endlessInput) child.stdin.end(options.input ?? '')
    const ended = new Promise<Ran>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exit, signal) => {
        const ran = { stdout, stderr, exit, signal }
        const problems = breaches(args, Object.fromEntries(merged), ran)
        if (problems.length === 0) return resolve(ran)
        reject(new Error(`pictify-keys ${args.join(' ')} breaks its contract:\n${problems.join('\n')}`))
      })
    })
    async function until(isSo: () => boolean): Promise<void> {
      while (!isSo()) {
        if (hasEnded(child)) {
          const { exit, signal } = await ended
          throw new Error(`it ended with ${exit ?? signal} before that:\n${stdout}${stderr}`)
        }
        await sleep(2)
      }
    }
    return { child, ended, output: () => ({ stdout, stderr }), until }
  }

  return {
    directory,
    stateDir,
    env: own,
    start,
    run: (args, options) => start(args, options).ended,
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}
