// Rules of this file:
// - what is read lies in the working tree: no link leads out of it;
// - what could not be read, and what is more than is listed, is counted and said.
import { lstat, readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { redact } from '../secret.ts'
import { systemCode } from '../system-error.ts'
import type { SearchedTree, TreeSecret } from './survey.ts'
import { isEnvironmentFile } from './environment-file.ts'
import { lookIntoFile, secretsIn, type LineSecret, type LookedInto } from './tree-file.ts'
import { createGit, GitError, type Git, type GitFile } from './tree-git.ts'

/** A secret where it was found. */
export interface TreePlace extends LineSecret, Pick<TreeSecret, 'file' | 'state' | 'isOpen'> {}

export interface TreeSearch extends Omit<SearchedTree, 'secrets'> {
  places: readonly TreePlace[]
}

export interface TreeOptions {
  /** Absolute: what is searched is the working tree of its repository, or where it has none, its environment files. */
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
  const top = root ?? cwd
  const { files: all, strangers } =
    root === undefined ? { files: await environmentFiles(cwd), strangers: [] } : await git.files(root)
  const nameOf = (file: Buffer, from: string) => slashed(path.relative(from, file.toString()))
  const files = all.filter((file) => options.isIgnored?.(nameOf(file.path, top)) !== true)
  const isInside = createInside(top)

  const search = { places: [] as TreePlace[], files: files.length, unread: 0, isCut: false }
  const keep = (file: GitFile, state: TreePlace['state'], isOpen: boolean, secrets: LineSecret[]) => {
    const where = { file: redact(nameOf(file.path, cwd)), state, isOpen }
    search.places.push(...secrets.map((each) => ({ ...each, ...where })))
    if (secrets.length >= mostInFile || search.places.length >= mostListed) search.isCut = true
  }
  const otherwise: Differing[] = []
  for (let start = 0; start < files.length && search.places.length < mostListed; start += filesInFlight) {
    signal?.throwIfAborted()
    const batch = files.slice(start, start + filesInFlight)
    const results = await Promise.all(
      batch.map(async (file) => ((await isInside(file.path)) ? lookInto(file, signal) : undefined)),
    )
    for (const [index, file] of batch.entries()) {
      const found = results[index]
      if (found === 'unread') search.unread += 1
      const { secrets, isOpen, blobId } =
        typeof found === 'object' ? found : { secrets: [], isOpen: false, blobId: undefined }
      keep(file, stateOf(file, root), isOpen, secrets)
      const ids = file.blobIds.filter((id) => id !== blobId)
      if (ids.length > 0) otherwise.push({ file, ids, secrets })
    }
    onProgress({ what: 'files', done: Math.min(start + filesInFlight, files.length), total: files.length })
  }
  search.unread += await lookIntoIndex(git, otherwise, (file, secrets) => {
    if (search.places.length < mostListed) keep(file, 'in-index', false, secrets)
  })
  return {
    ...search,
    places: search.places.slice(0, mostListed),
    hasRepository: root !== undefined,
    strangers: strangers.map((folder) => redact(nameOf(folder, cwd))),
  }
}

/** A file that the index has otherwise than it is, and what is known to be in it. */
interface Differing {
  file: GitFile
  ids: readonly string[]
  secrets: readonly LineSecret[]
}

/** What is in the index alone: what a commit would take, and what one took that was edited since. Gives what could not be read. */
async function lookIntoIndex(
  git: Git,
  differing: readonly Differing[],
  keep: (file: GitFile, secrets: LineSecret[]) => void,
): Promise<number> {
  let unread = 0
  for (const root of new Set(differing.map(({ file }) => file.root))) {
    const byId = new Map<string, Differing[]>()
    for (const each of differing) {
      if (each.file.root !== root) continue
      for (const id of each.ids) byId.set(id, [...(byId.get(id) ?? []), each])
    }
    unread += await git.blobs(root, [...byId.keys()], async (id, chunks) => {
      const found = await secretsIn(chunks, mostInFile)
      for (const { file, secrets } of byId.get(id) ?? []) {
        const fresh = found.filter(({ secret }) => !secrets.some((known) => known.secret.equals(secret)))
        keep(file, fresh)
      }
    })
  }
  return unread
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
    .filter(isEnvironmentFile)
    .sort()
    .map((name) => ({
      path: Buffer.from(`${folder}/${name}`),
      isTracked: false,
      blobIds: [],
      root: folder,
    }))
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

/** Undefined where there is nothing to read. */
async function lookInto(
  { path: file, blobIds }: GitFile,
  signal: AbortSignal | undefined,
): Promise<LookedInto | 'unread' | undefined> {
  try {
    if (!(await lstat(file)).isFile()) return undefined
    return await lookIntoFile(file, mostInFile, { idLength: blobIds[0]?.length, signal })
  } catch (error) {
    signal?.throwIfAborted()
    const code = systemCode(error)
    if (code === undefined) throw error
    return nothingThere.includes(code) ? undefined : 'unread'
  }
}

function slashed(name: string): string {
  return name.split(path.sep).join('/')
}
