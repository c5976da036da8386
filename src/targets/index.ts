import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { systemCode, systemReason } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { redact } from '../secret.ts'
import { awsSm } from './aws-sm.ts'
import { createEnvTarget } from './env.ts'
import { createExecTarget } from './exec.ts'
import { createWholeFileTarget } from './file.ts'
import { gcpSm } from './gcp-sm.ts'
import { github, githubOrg } from './github.ts'
import { kubernetes } from './kubernetes.ts'
import { createManualTarget } from './manual.ts'
import { invalid, type Place, type Scheme } from './scheme.ts'
import type { Target, TargetDeps } from './target.ts'
import { vault } from './vault.ts'

/** Every kind of target, by the word before the colon. */
export const schemes: Readonly<Record<string, Scheme>> = {
  env: {
    usage: 'env:<file>#<variable>',
    summary: 'a variable of an environment file (PICTIFY_API_KEY unless named)',
    create(name, text, deps) {
      const hash = text.lastIndexOf('#')
      const variable = hash === -1 ? 'PICTIFY_API_KEY' : text.slice(hash + 1)
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) {
        throw invalid(`${name}: "${variable}" is not the name of a variable`, 'write env:<file>#<variable>')
      }
      const path = pathOf(name, hash === -1 ? text : text.slice(0, hash), 'env:<file>#<variable>', deps)
      return { target: createEnvTarget({ name, path, variable }), place: { path, variable } }
    },
  },
  file: {
    usage: 'file:<path>',
    summary: 'a file that holds the secret and nothing else',
    create(name, text, deps) {
      const path = pathOf(name, text, 'file:<path>', deps)
      return { target: createWholeFileTarget({ name, path }), place: { path } }
    },
  },
  exec: {
    usage: 'exec:<command>',
    summary: 'a command that reads the secret from its standard input',
    create(name, text, deps) {
      const command = text.trim()
      if (command === '') throw invalid(`${name} names no command`, 'write exec:<command>')
      return { target: createExecTarget({ name, command, deps }), place: { command } }
    },
  },
  manual: {
    usage: 'manual:<label>',
    summary: 'a place that you fill in yourself when asked',
    create(name, text, deps) {
      const label = text.trim()
      if (label === '') throw invalid(`${name} names no place`, 'write manual:<what you will change>')
      return { target: createManualTarget({ name, label, deps }), place: { label } }
    },
  },
  'aws-sm': awsSm,
  k8s: kubernetes,
  'gcp-sm': gcpSm,
  vault,
  github,
  'github-org': githubOrg,
}

const places = new WeakMap<Target, Place>()

/** The target that a `--to` names. Touches nothing. Throws `invalid-target`. */
export function parseTarget(spec: string, deps: TargetDeps): Target {
  if (redact(spec, deps.secrets()) !== spec) {
    throw invalid(
      'a target has a secret written in it',
      'a target says where the key goes, never the key itself',
    )
  }
  if (spec.trim() === '')
    throw invalid('a target is empty', 'write --to env:<file>, file:<path>, exec:<command> or manual:<label>')
  if (/\p{Cc}/u.test(spec)) throw invalid('a target has control characters in it', 'write it on one line')
  const colon = spec.indexOf(':')
  const word = spec.slice(0, Math.max(0, colon))
  const scheme = Object.hasOwn(schemes, word) ? schemes[word] : undefined
  if (!scheme) throw unknownScheme(spec, colon === -1 ? undefined : word)
  const { target, place } = scheme.create(spec, spec.slice(colon + 1), deps)
  places.set(target, place)
  return target
}

/** The targets of several `--to`. Throws `invalid-target`, and `usage` where two of them are one place. */
export async function parseTargets(specs: readonly string[], deps: TargetDeps): Promise<Target[]> {
  const targets = specs.map((spec) => parseTarget(spec, deps))
  const [one, other] = (await findSamePlace(targets)) ?? []
  if (one === undefined || other === undefined) return targets
  const what =
    one.name === other.name ? `${one.name} is named twice` : `${one.name} and ${other.name} are one place`
  throw new KeysError('usage', what, { hint: 'name each place once' })
}

/**
 * The first two targets of `parseTarget` that would write over each other, links followed: the same variable of the
 * same file, a file that another target changes a variable of, the same command, the same label. Undefined when there are none.
 */
export async function findSamePlace(targets: readonly Target[]): Promise<[Target, Target] | undefined> {
  const seen: { target: Target; place: Place }[] = []
  for (const target of targets) {
    const known = places.get(target)
    if (!known) continue
    const place = 'path' in known ? { ...known, path: await identify(known.path) } : known
    const same = seen.find((each) => overlap(each.place, place))
    if (same) return [same.target, target]
    seen.push({ target, place })
  }
  return undefined
}

function overlap(one: Place, other: Place): boolean {
  if ('path' in one && 'path' in other) {
    const whole = one.variable === undefined || other.variable === undefined
    return one.path === other.path && (whole || one.variable === other.variable)
  }
  if ('store' in one && 'store' in other) {
    const whole = one.field === undefined || other.field === undefined
    return one.store === other.store && (whole || one.field === other.field)
  }
  if ('command' in one && 'command' in other) return one.command === other.command
  return 'label' in one && 'label' in other && one.label === other.label
}

/** A file by its number where there is one, which no link and no spelling hides; else by its path. */
async function identify(path: string): Promise<string> {
  try {
    const { dev, ino } = await stat(path, { bigint: true })
    return `${dev}:${ino}`
  } catch (error) {
    if (!unreachable.has(systemCode(error) ?? '')) throw unreadable(path, error)
  }
  try {
    return join(await realpath(dirname(path)), basename(path))
  } catch (error) {
    if (!unreachable.has(systemCode(error) ?? '')) throw unreadable(path, error)
    return path
  }
}

/** What is wrong with such a path is for `check` to say. */
const unreachable = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'])

/** Where a file really lies must be known, or two targets may be one. */
function unreadable(path: string, cause: unknown): unknown {
  if (systemCode(cause) === undefined) return cause
  return new KeysError('target-refused', `${path} cannot be looked at: ${systemReason(cause)}`, {
    hint: `see what is at ${path}, and whether its disk is in order`,
    cause,
  })
}

function pathOf(name: string, text: string, usage: string, { cwd, env }: TargetDeps): string {
  if (text === '') throw invalid(`${name} names no file`, `write ${usage}`)
  const home = env['HOME'] ?? env['USERPROFILE']
  // No shell does this behind a colon, and a folder named ~ is not what anybody means.
  return resolve(cwd, home !== undefined && /^~[/\\]/.test(text) ? join(home, text.slice(2)) : text)
}

function unknownScheme(spec: string, word: string | undefined): KeysError {
  const known = `targets are ${Object.values(schemes)
    .map(({ usage }) => usage)
    .join(', ')}`
  if (word === undefined || /^$|[\\/.]/.test(word)) {
    return invalid(`"${spec}" does not say what kind of place it is`, `did you mean env:${spec}? ${known}`)
  }
  const [closest] = nearest(word, Object.keys(schemes))
  const suggestion = closest === undefined ? '' : `did you mean ${closest}:${spec.slice(word.length + 1)}? `
  return invalid(`there is no target of the kind "${word}"`, suggestion + known)
}
