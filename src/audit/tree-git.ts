// Rules of this file:
// - git alone says what it tracks and what it ignores; where it refuses, nothing is known;
// - it runs no program that the repository names, changes nothing, and gets nothing of our environment but what it needs.
import { spawn } from 'node:child_process'
import { lstat, realpath } from 'node:fs/promises'
import { systemCode, systemReason } from '../system-error.ts'
import { blobsIn, CutOff } from './tree-blobs.ts'

/** A file that git has, or would take. Its name need not be text. */
export interface GitFile {
  path: Buffer
  isTracked: boolean
  /** The ids of what its index has of the file; several of one in conflict. */
  blobIds: readonly string[]
  /** The root of the repository that has it: of a submodule, its own. */
  root: string
}

export interface GitFiles {
  files: GitFile[]
  /** Repositories in it that are none of its submodules, as absolute paths: they are not this one's to commit. */
  strangers: Buffer[]
}

export interface Git {
  /** The root of the repository's working tree, a real path; undefined where there is none. Throws `GitError`. */
  rootOf(folder: string): Promise<string | undefined>
  /** Every file that git tracks, or does not ignore, submodules included; absolute. Throws `GitError`. */
  files(root: string): Promise<GitFiles>
  /** Hands over what the index has by these ids, one after the other; gives how many of them could not be read. */
  blobs(
    root: string,
    ids: readonly string[],
    look: (id: string, chunks: AsyncIterable<Buffer>) => Promise<void>,
  ): Promise<number>
}

/** Why git does not say; lower case, no full stop. */
export class GitError extends Error {
  /** It is not installed. */
  readonly isMissing: boolean

  constructor(message: string, isMissing = false) {
    super(message)
    this.isMissing = isMissing
  }
}

/** Long for a disk that is asked for names alone. */
const patienceMs = 120_000
const mostSaid = 4_096
/** What it needs of the environment; where the repository is, it finds out from the folder. */
const passedOn =
  /^(?:PATH|PATHEXT|HOME|USERPROFILE|SystemRoot|TMPDIR|TEMP|XDG_CONFIG_HOME|GIT_CEILING_DIRECTORIES|GIT_DISCOVERY_ACROSS_FILESYSTEM|GIT_CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))$/i

/** It takes no lock, asks nobody, and fetches nothing that a partial clone left out: the program for that is the repository's. */
const ownEnv = {
  LC_ALL: 'C',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
}

const [symbolicLink, submodule] = ['120000', '160000']

export function createGit(
  env: Readonly<Record<string, string | undefined>>,
  { signal, limitMs = patienceMs }: { signal?: AbortSignal | undefined; limitMs?: number } = {},
): Git {
  const passed = Object.fromEntries(Object.entries(env).filter(([name]) => passedOn.test(name)))
  const running = { env: { ...passed, ...ownEnv }, limitMs, signal }
  const run = (folder: string, args: readonly string[]) => runGit(folder, args, running)

  async function rootOf(folder: string): Promise<string | undefined> {
    try {
      const answer = await run(folder, ['rev-parse', '--show-toplevel'])
      return await realpath(answer.toString().replace(/\r?\n$/, ''))
    } catch (error) {
      const isNone = error instanceof GitError && /not a git repository|in a work tree/.test(error.message)
      if (isNone) return undefined
      throw error
    }
  }

  async function files(root: string): Promise<GitFiles> {
    const [tracked, others] = await Promise.all([
      run(root, ['ls-files', '-z', '--cached', '--stage']),
      run(root, ['ls-files', '-z', '--others', '--exclude-standard']),
    ])
    const found: GitFiles = { files: [], strangers: [] }
    for (const { mode, name, blobIds } of stagedOf(tracked)) {
      const file = under(root, name)
      if (mode === submodule) {
        const within = await submoduleFiles(file)
        found.files.push(...within.files)
        found.strangers.push(...within.strangers)
      } else if (mode !== symbolicLink) found.files.push({ path: file, isTracked: true, blobIds, root })
    }
    for (const name of records(others)) {
      const file = under(root, name)
      if (name.at(-1) === slash) found.strangers.push(file.subarray(0, -1))
      else found.files.push({ path: file, isTracked: false, blobIds: [], root })
    }
    return found
  }

  /** None where it is not checked out: its folder is of the repository around it then. */
  async function submoduleFiles(folder: Buffer): Promise<GitFiles> {
    const none = { files: [], strangers: [] }
    const isFolder = await lstat(folder).then(
      (stats) => stats.isDirectory(),
      () => false,
    )
    if (!isFolder) return none
    // a name that is no text cannot be given to git as the folder to run in
    const root = await realpath(folder.toString()).catch(() => undefined)
    return root !== undefined && (await rootOf(root)) === root ? files(root) : none
  }

  const blobs: Git['blobs'] = async (root, ids, look) => {
    const child = startGit(root, ['cat-file', '--batch', '--buffer'], running)
    // it ends early where it cannot go on: what it did not give is counted
    for (const each of [child, child.stdin]) each.on('error', () => {})
    child.stdin.end(ids.map((id) => `${id}\n`).join(''))
    let count = 0
    try {
      for await (const { id, chunks } of blobsIn(child.stdout)) {
        if (chunks === undefined) continue
        await look(id, chunks)
        count += 1
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof CutOff) && systemCode(error) === undefined) throw error
    } finally {
      child.kill()
    }
    signal?.throwIfAborted()
    return ids.length - count
  }

  return { rootOf, files, blobs }
}

interface Running {
  env: NodeJS.ProcessEnv
  limitMs: number
  signal: AbortSignal | undefined
}

function startGit(folder: string, args: readonly string[], { env, limitMs, signal }: Running) {
  signal?.throwIfAborted()
  const child = spawn('git', ['-c', 'core.fsmonitor=false', ...args], {
    cwd: folder,
    env,
    stdio: 'pipe',
    timeout: limitMs,
    windowsHide: true,
    ...(signal && { signal }),
  })
  // what it started itself may outlive it, with its pipes
  child.once('exit', (ended) => {
    if (ended === null) for (const pipe of [child.stdout, child.stderr]) pipe.destroy()
  })
  return child
}

async function runGit(folder: string, args: readonly string[], running: Running): Promise<Buffer> {
  const { limitMs, signal } = running
  const child = startGit(folder, args, running)
  child.stdin.on('error', () => {}).end()
  const output: Buffer[] = []
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(0, mostSaid)))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).catch((error: unknown) => {
    signal?.throwIfAborted()
    if (systemCode(error) === 'ENOENT') throw new GitError('git is not installed', true)
    throw new GitError(`git cannot be run: ${systemReason(error)}`)
  })
  if (code === 0) return Buffer.concat(output)
  if (code === null) throw new GitError(`git did not answer within ${limitMs / 1_000}s`)
  throw new GitError(`git refuses: ${reasonOf(said, folder) ?? `it ended with ${code}`}`)
}

/** Its first line, without where things lie on this machine: a report goes to others. */
function reasonOf(said: string, folder: string): string | undefined {
  if (said.includes('dubious ownership'))
    return 'the repository belongs to another user (see safe.directory in git help config)'
  const line = said.split('\n').find((each) => each.trim() !== '')
  return line?.replace(/^fatal: /, '').replaceAll(folder, '.')
}

const [slash, tab] = [0x2f, 0x09]

interface Staged {
  mode: string
  name: Buffer
  blobIds: string[]
}

/** `100644 <object> 0<tab>name`; a name in conflict has several, one after the other. */
function stagedOf(output: Buffer): Staged[] {
  const staged: Staged[] = []
  for (const record of records(output)) {
    const end = record.indexOf(tab)
    const [mode = '', blobId = ''] = record.toString('latin1', 0, end).split(' ')
    const name = record.subarray(end + 1)
    const last = staged.at(-1)
    if (last?.name.equals(name)) last.blobIds.push(blobId)
    else staged.push({ mode, name, blobIds: [blobId] })
  }
  return staged
}

/** What lies between zeros. */
function* records(output: Buffer): Generator<Buffer> {
  for (let start = 0; start < output.length;) {
    const end = output.indexOf(0, start)
    yield output.subarray(start, end)
    start = end + 1
  }
}

function under(root: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(root.endsWith('/') ? root : `${root}/`), name])
}
