import type { Config } from '../config.ts'
import { hasCode } from '../errors.ts'
import { readEnvironment } from './environment.ts'

/**
 * Whose keys a question is about: `acme (live)`. Undefined where there is but one profile, which has no name of its own,
 * and where that cannot be known: a question is put all the same, and what is wrong shows in what follows.
 */
export async function whoseKeys(
  env: Readonly<Record<string, string | undefined>>,
  config: () => Promise<Config>,
): Promise<string | undefined> {
  try {
    const opened = await config()
    const others = opened.profiles.filter((name) => name !== opened.profile)
    if (opened.isDefault && others.length === 0) return undefined
    const inEnvironment = readEnvironment(env)
    const type = inEnvironment?.type ?? typeOf(opened)
    const notes = [
      ...(type === undefined ? [] : [type]),
      ...(inEnvironment ? ['key of the environment'] : []),
    ]
    return notes.length === 0 ? opened.profile : `${opened.profile} (${notes.join(', ')})`
  } catch {
    return undefined
  }
}

/** A profile by its own key, whatever the environment has: `acme (live)`. */
export function profileLabel(config: Config): string {
  const type = typeOf(config)
  return type === undefined ? config.profile : `${config.profile} (${type})`
}

/** Whether a profile's key is live or test. Asks no keychain. */
export function typeOf(config: Config): 'live' | 'test' | undefined {
  if (config.store === 'file') return typeInFile(config)
  return config.store === undefined ? undefined : keyTypeOf(config.facts.keyHint)
}

function keyTypeOf(hint: string | undefined): 'live' | 'test' | undefined {
  return /^pk_(live|test)_/.exec(hint ?? '')?.[1] as 'live' | 'test' | undefined
}

/** One that was spoilt by hand is of no type; that it cannot be used is said where it is used. */
function typeInFile(config: Config): 'live' | 'test' | undefined {
  try {
    return config.adminKey()?.type
  } catch (error) {
    if (hasCode(error, 'invalid-secret')) return undefined
    throw error
  }
}
