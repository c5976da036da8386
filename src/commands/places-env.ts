import path from 'node:path'
import { KeysError } from '../errors.ts'
import { variablesOf } from '../targets/env-file.ts'
import { namesIn, readIfThere } from './looking.ts'
import type { FoundPlace, Surroundings } from './places.ts'

/** `.env`, `.env.local`, `.env.production` … */
const envFile = /^\.env(\.[\w-]+)*$/
/** What shows the names of variables, and is in no use itself. */
const example = /\.(example|sample|template|dist|defaults?)$/
/** What editors and people leave. */
const leftover = /\.(bak|old|orig|swp|save|tmp)$|~$/
const ours = /pictify/i
const admin = /admin/i

interface Variable {
  name: string
  holds: 'live' | 'test' | undefined
  isEmpty: boolean
}

/** The environment files of the folder, and the names that their variables and their examples have for such a key. */
export async function envFiles(around: Surroundings): Promise<{ places: FoundPlace[]; variables: string[] }> {
  const names = (await namesIn(around.cwd)).filter((name) => envFile.test(name) && !leftover.test(name))
  const read = await Promise.all(
    names.map(async (name) => ({ name, variables: await variablesIn(path.join(around.cwd, name), around) })),
  )
  const files = read.flatMap(({ name, variables }) => (variables === undefined ? [] : [{ name, variables }]))
  const examples = files.filter(({ name }) => example.test(name))
  const inUse = files.filter(({ name }) => !example.test(name))
  const known = distinct(files.flatMap(({ variables }) => variables.map(({ name }) => name)))
  const places = inUse.flatMap(({ name, variables }) =>
    around.self && variables.length === 0 ? [] : placesIn(name, variables, known),
  )
  const [shown] = examples
  if (inUse.length === 0 && shown !== undefined) {
    places.push(...known.map((variable) => place('.env', variable, `named in ${shown.name}; not there yet`)))
  }
  return {
    places: places.sort((a, b) => Number(b.holds !== undefined) - Number(a.holds !== undefined)),
    variables: known,
  }
}

/** The variables that hold a key of Pictify, or are called as if they did; undefined: it is no such file. */
async function variablesIn(
  file: string,
  { credential, self, debug }: Surroundings,
): Promise<Variable[] | undefined> {
  const bytes = await readIfThere(file)
  if (bytes === undefined) return undefined
  try {
    return variablesOf(bytes)
      .filter(({ value }) => value.equals(credential) === self)
      .map(({ name, value }) => ({ name, holds: value.type, isEmpty: value.reveal() === '' }))
      .filter(({ name, holds }) => holds !== undefined || (ours.test(name) && !admin.test(name)))
      .filter(({ name }) => /^[A-Za-z_]\w*$/.test(name))
      .filter(({ name, holds }) => holds !== undefined || /key|token|secret/i.test(name))
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    debug(`${file} is passed over: ${error.message}`)
    return undefined
  }
}

function placesIn(file: string, variables: readonly Variable[], known: readonly string[]): FoundPlace[] {
  if (variables.length > 0) {
    return variables.map(({ name, holds, isEmpty }) => ({
      ...place(file, name, holds ? `holds a ${holds} key` : isEmpty ? 'is empty' : 'holds no key of Pictify'),
      holds,
    }))
  }
  // a file without such a variable gets one of a name that is known elsewhere, or that is asked for
  if (known.length > 0) return known.map((name) => place(file, name, `has no ${name} yet`))
  return [
    {
      label: `env:${file}#…`,
      reason: 'has no key of Pictify yet',
      spec: (variable) => `env:${file}#${variable}`,
      missing: { question: `Which variable of ${file}?` },
    },
  ]
}

function place(file: string, variable: string, reason: string): FoundPlace {
  const spec = `env:${file}#${variable}`
  return { label: spec, reason, spec: () => spec }
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)]
}
