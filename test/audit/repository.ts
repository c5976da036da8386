import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** What nobody's key is, and looks as one; put together here so that no file of ours has it. */
export const real = 'pk_live_' + 'T7qWz3LmN9' + 'xR2vBc8KpYd4Hs'

/** A repository of git's own making. */
export interface Repository {
  root: string
  env: Record<string, string>
  git(...args: string[]): string
  write(file: string | Buffer, content?: string | Buffer): Promise<void>
  commit(): void
  remove(): Promise<void>
}

export async function createRepository(): Promise<Repository> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'pictify-keys-tree-')))
  const root = path.join(folder, 'repository')
  await mkdir(root)
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' }
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], {
      cwd: root,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  git('init', '-q', '-b', 'main')
  return {
    root,
    env,
    git,
    async write(file, content = `KEY=${real}\n`) {
      const name = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(file)])
      await mkdir(name.subarray(0, name.lastIndexOf('/')), { recursive: true })
      await writeFile(name, content)
    },
    commit() {
      git('add', '-A')
      git('commit', '-q', '--allow-empty', '-m', 'x')
    },
    remove: () => rm(folder, { recursive: true }),
  }
}
