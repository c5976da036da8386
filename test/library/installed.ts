import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tsc = path.join(root, 'node_modules/typescript/bin/tsc')

export interface Ran {
  exit: number
  stdout: string
  stderr: string
}

/** A project beside nobody's: examples/library, with the packed package installed in it, and TypeScript at hand. */
export interface Project {
  folder: string
  /** Runs a file of it with Node. */
  node(args: readonly string[], env?: Record<string, string>): Promise<Ran>
  tsc(args: readonly string[]): Promise<Ran>
  remove(): Promise<void>
}

export async function install(): Promise<Project> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-project-'))
  const home = path.join(folder, '.home')
  await mkdir(home)
  const env = { PATH: process.env['PATH'] ?? '', HOME: home }
  const npm = { ...env, npm_config_offline: 'true', npm_config_update_notifier: 'false' }

  function run(program: string, args: readonly string[], cwd: string, given: Record<string, string>) {
    return new Promise<Ran>((resolve) => {
      execFile(program, args, { cwd, env: given }, (error, stdout, stderr) =>
        resolve({ exit: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      )
    })
  }

  // the build is there already (npm test makes it)
  const packed = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], root, npm)
  const archive = packed.stdout.trim().split('\n').at(-1) ?? ''
  const alone = path.join(folder, 'alone')
  await mkdir(alone)
  const flags = ['--prefix', alone, '--no-save', '--no-audit', '--no-fund']
  const installed = await run('npm', ['install', ...flags, path.join(folder, archive)], alone, npm)
  if (installed.exit !== 0) throw new Error(`${packed.stderr}${installed.stderr}`)

  const project = path.join(folder, 'project')
  await cp(path.join(root, 'examples/library'), project, { recursive: true })
  await cp(path.join(alone, 'node_modules/pictify-keys'), path.join(project, 'node_modules/pictify-keys'), {
    recursive: true,
  })
  await mkdir(path.join(project, 'node_modules/@types'))
  for (const name of ['@types/node', 'undici-types'])
    await symlink(path.join(root, 'node_modules', name), path.join(project, 'node_modules', name))

  return {
    folder: project,
    node: (args, own) => run(process.execPath, args, project, { ...env, ...own }),
    tsc: (args) => run(process.execPath, [tsc, ...args], project, env),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
