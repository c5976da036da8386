// Rules of this file:
// - what is read lies in the working tree: no link leads out of it;
// - what could not be read, and what is more than is listed, is counted and said.
import { lstat, readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { redact } from '../secret.ts'
import { systemCode } from '../system-error.ts'
import type { TreeSecret } from './survey.ts'
import { secretsInFile, type LineSecret } from './tree-file.ts'
import { createGit, GitError, type Git, type GitFile } from './tree-git.ts'

/** A secret where it was found. */
export interface TreePlace extends LineSecret, Pick<TreeSecret, 'file' | 'state'> {}

export interface TreeSearch {
  places: readonly TreePlace[]
  /** How many files could not be read. */
  unread: number
  /** There is more than is listed. */
  isCut: boolean
}

export interface TreeOptions {
  /** Absolute: what is searched is the working tree of its repository, or where it has none, its `.env` files. */
  cwd: string
  env: Readonly<Record<string, string | undefined>>
  /** Of a path from the root of the working tree, with slashes. */
  isIgnored?: ((file: string) => boolean) | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((progress: { what: 'files'; done: number; total: number }) => void) | undefined
}

const filesInFlight = 16
const mostInFile = 100
const mostListed = 1_000
/** A file that is gone, a folder or a link in its place: there is nothing of it to read. */
const nothingThere = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO']

/** Secrets in files that git tracks or does not ignore. Throws `GitError` where it cannot be told which those are. */
export async function searchTree(options: TreeOptions): Promise<TreeSearch> {
  const { signal, onProgress = () => {} } = options
  const cwd = await realpath(options.cwd)
  const git = createGit(options.env, { signal })
  const root = await rootOf(git, cwd)
  const files = root === undefined ? await environmentFiles(cwd) : await git.files(root)
  const top = root ?? cwd
  const isInside = createInside(top)
  const isMeant = (name: string) => options.isIgnored?.(slashed(path.relative(top, name))) ?? false

  const search = { places: [] as TreePlace[], unread: 0, isCut: false }
  for (let start = 0; start < files.length && search.places.length < mostListed; start += filesInFlight) {
    signal?.throwIfAborted()
    const batch = files.slice(start, start + filesInFlight)
    const results = await Promise.all(
      batch.map(async (file) => {
        const name = file.path.toString()
        if (isMeant(name) || !(await isInside(file.path))) return []
        const found = await lookInto(file.path, signal)
        if (found === undefined) search.unread += 1
        const where = {
          file: redact(slashed(path.relative(cwd, name))),
          state: stateOf(file, root),
        }
        return (found ?? []).map((each) => ({ ...each, ...where }))
      }),
    )
    for (const found of results) {
      search.places.push(...found)
      if (found.length >= mostInFile) search.isCut = true
    }
    if (search.places.length >= mostListed) search.isCut = true
    onProgress({ what: 'files', done: Math.min(start + filesInFlight, files.length), total: files.length })
  }
  return { ...search, places: search.places.slice(0, mostListed) }
}

/** Without git a folder without a repository can still be told. */
async function rootOf(git: Git, cwd: string): Promise<string | undefined> {
  try {
    return await git.rootOf(cwd)
  } catch (error) {
    if (error instanceof GitError && error.isMissing && !(await hasRepository(cwd))) return undefined
    throw error
  }
}

async function hasRepository(folder: string): Promise<boolean> {
  const isHere = await lstat(path.join(folder, '.git')).then(
    () => true,
    () => false,
  )
  const above = path.dirname(folder)
  return isHere || (above !== folder && hasRepository(above))
}

async function environmentFiles(folder: string): Promise<GitFile[]> {
  const names = await readdir(folder)
  return names
    .filter((name) => name.startsWith('.env'))
    .sort()
    .map((name) => ({ path: Buffer.from(`${folder}/${name}`), isTracked: false }))
}

function stateOf({ isTracked }: GitFile, root: string | undefined): TreeSecret['state'] {
  if (root === undefined) return 'no-repository'
  return isTracked ? 'tracked' : 'not-ignored'
}

/** Whether a file's folder is in the tree, links followed. */
function createInside(root: string): (file: Buffer) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>()
  return (file) => {
    const folder = file.subarray(0, file.lastIndexOf('/') || 1)
    const name = folder.toString('latin1')
    let answer = known.get(name)
    if (answer === undefined) {
      answer = realpath(folder).then(
        (real) => real === root || real.startsWith(root.endsWith(path.sep) ? root : root + path.sep),
        // what is not there is found not to be when it is read
        () => true,
      )
      if (known.size >= 1_000) known.clear()
      known.set(name, answer)
    }
    return answer
  }
}

/** Undefined where it cannot be read. */
async function lookInto(file: Buffer, signal: AbortSignal | undefined): Promise<LineSecret[] | undefined> {
  try {
    return (await lstat(file)).isFile() ? await secretsInFile(file, mostInFile, signal) : []
  } catch (error) {
    signal?.throwIfAborted()
    const code = systemCode(error)
    if (code === undefined) throw error
    return nothingThere.includes(code) ? [] : undefined
  }
}

function slashed(name: string): string {
  return name.split(path.sep).join('/')
}
