import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Context } from '../context.ts'
import { readRegularFile } from '../durable-file.ts'
import type { Candidate } from './complete-words.ts'

/** So much of an environment file is looked at. */
const sizeLimit = 256 * 1024

/** What a `--to` can go on with: its kind, then what this machine knows of such a place. */
export async function targetCandidates(typed: string, context: Context): Promise<Candidate[]> {
  const colon = typed.indexOf(':')
  const scheme = typed.slice(0, Math.max(0, colon))
  if (colon === -1) {
    const { schemes } = await import('../targets/index.ts')
    return Object.entries(schemes).map(([name, { summary }]) => ({ value: `${name}:`, summary }))
  }
  if (scheme !== 'env' && scheme !== 'file') return []
  const place = typed.slice(colon + 1)
  const hash = place.lastIndexOf('#')
  const found =
    scheme === 'env' && hash !== -1
      ? await variables(place.slice(0, hash), context)
      : await files(place, context)
  return found.map(({ value, summary }) => ({ value: `${scheme}:${value}`, summary }))
}

function absolute(place: string, { cwd, env }: Context): string {
  const home = env['HOME']
  return path.resolve(
    cwd,
    home !== undefined && place.startsWith('~/') ? path.join(home, place.slice(2)) : place,
  )
}

async function files(typed: string, context: Context): Promise<Candidate[]> {
  const folder = typed.slice(0, typed.lastIndexOf('/') + 1)
  const entries = await readdir(absolute(folder || '.', context), { withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() || entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => ({ value: folder + entry.name + (entry.isDirectory() ? '/' : ''), summary: '' }))
}

/** The names of a file's variables; what they hold is shown nowhere. */
async function variables(file: string, context: Context): Promise<Candidate[]> {
  const { variablesOf } = await import('../targets/env-file.ts')
  const bytes = await readRegularFile(absolute(file, context), { sizeLimit, links: true })
  const names = new Set(variablesOf(bytes).map(({ name }) => name))
  return [...names].map((name) => ({ value: `${file}#${name}`, summary: 'a variable of the file' }))
}
