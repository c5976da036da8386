// What stands around a job of any CI: a folder of its own, a registry that has this very package, and waits that are short.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cache } from '../../scripts/servers/index.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** A tool of scripts/servers/tools.js. */
export interface ToolFacts {
  command: string
  version: string
}

export interface Finished {
  /** Null when a signal ended it. */
  code: number | null
  stdout: string
  stderr: string
}

interface RunOptions {
  env?: Record<string, string>
  cwd?: string
  input?: string
}

/** A process under way. */
export interface Started {
  pid: number
  stderr(): string
  ended: Promise<Finished>
}

export function start(command: string, args: readonly string[], options: RunOptions = {}): Started {
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // what ends before it has read its input is no failure of the test
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const ended = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
  return { pid: child.pid ?? 0, stderr: () => stderr, ended }
}

/** Runs a command to its end, with no environment but `env` where that is given. */
export function run(command: string, args: readonly string[], options?: RunOptions): Promise<Finished> {
  return start(command, args, options).ended
}

/** A file of the repository. */
export function text(file: string): Promise<string> {
  return readFile(path.join(root, file), 'utf8')
}

/** What makes the waits of `rotate` short, before what the line says itself. */
const quick = ['--settle=200ms', '--idle=0s', '--usage-lag=0s', '--wait=20s']

export interface Folder {
  directory: string
  /** An environment that has nothing of the caller's but its PATH and the authorities to trust. */
  env: Record<string, string>
  remove(): Promise<void>
}

/**
 * A folder with a home; the program that runs with its `env` rotates without the long waits of the real API, and with the
 * flags of `ROTATE_WITH`.
 */
export async function openFolder(registry: { url: string }): Promise<Folder> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pictify-keys-example-'))
  const hurry = path.join(directory, 'hurry.mjs')
  await writeFile(
    hurry,
    `const { argv, env } = process
if (argv[1]?.includes('pictify-keys') && argv[2] === 'rotate')
  argv.splice(3, 0, ...${JSON.stringify(quick)}, ...(env.ROTATE_WITH?.split(' ') ?? []))
`,
  )
  const { PATH = '', NODE_EXTRA_CA_CERTS } = process.env
  return {
    directory,
    env: {
      PATH,
      HOME: directory,
      NODE_OPTIONS: `--import=${hurry}`,
      npm_config_registry: registry.url,
      npm_config_update_notifier: 'false',
      // one for all tests: the libraries of the stores are fetched once
      npm_config_cache: path.join(cache, 'npm'),
      npm_config_prefer_offline: 'true',
      ...(NODE_EXTRA_CA_CERTS !== undefined && { NODE_EXTRA_CA_CERTS }),
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}
