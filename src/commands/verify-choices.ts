import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import path from 'node:path'
import { quoted } from '../command-line.ts'
import { namesIn, readTextIfThere } from './looking.ts'

/** What such a check is called. */
const checks = /smoke|verify|health-?check/i
const folders = ['.', 'scripts', 'script', 'bin', 'ops']
/** Of the first of these that is there. */
const runners: readonly [lock: string, runner: string][] = [
  ['pnpm-lock.yaml', 'pnpm run'],
  ['yarn.lock', 'yarn run'],
  ['bun.lock', 'bun run'],
  ['bun.lockb', 'bun run'],
]

/** Commands of the working folder that look as if they say whether the application works. */
export async function findChecks(cwd: string): Promise<string[]> {
  const found = await Promise.all([scripts(cwd), packageScripts(cwd), makeTargets(cwd)])
  return found.flat()
}

async function scripts(cwd: string): Promise<string[]> {
  const found: string[] = []
  for (const folder of folders) {
    for (const name of await namesIn(path.join(cwd, folder))) {
      if (!checks.test(name) || !(await isExecutable(path.join(cwd, folder, name)))) continue
      found.push(quoted(`./${path.posix.join(folder, name)}`))
    }
  }
  return found
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}

async function packageScripts(cwd: string): Promise<string[]> {
  const text = await readTextIfThere(path.join(cwd, 'package.json'))
  if (text === undefined) return []
  const names = scriptNames(text).filter((name) => checks.test(name))
  if (names.length === 0) return []
  const there = await namesIn(cwd)
  const [, runner = 'npm run'] = runners.find(([lock]) => there.includes(lock)) ?? []
  return names.map((name) => `${runner} ${quoted(name)}`)
}

function scriptNames(text: string): string[] {
  try {
    const manifest = JSON.parse(text) as { scripts?: unknown } | null
    return typeof manifest?.scripts === 'object' && manifest.scripts !== null
      ? Object.keys(manifest.scripts)
      : []
  } catch {
    return []
  }
}

async function makeTargets(cwd: string): Promise<string[]> {
  for (const name of ['GNUmakefile', 'makefile', 'Makefile']) {
    const text = await readTextIfThere(path.join(cwd, name))
    if (text === undefined) continue
    const targets = [...text.matchAll(/^([\w-]+)\s*:(?!=)/gm)].map(([, target = '']) => target)
    return [...new Set(targets)].filter((target) => checks.test(target)).map((target) => `make ${target}`)
  }
  return []
}
