import type { Config } from '../config.ts'
import type { Context } from '../context.ts'
import { typeOf } from '../credentials/whose.ts'
import { hasCode } from '../errors.ts'
import type { ProfileRow } from '../ui/profiles.ts'

/** Every profile of the file, and the one in force though the file may not know it. Asks no keychain. */
export async function profileRows(context: Context): Promise<ProfileRow[]> {
  const standard = await context.openProfile()
  const inForce = await nameInForce(context)
  const names = [...new Set([...standard.profiles, inForce])]
  return Promise.all(
    names.map(async (name) => {
      const config = await context.openProfile(name)
      const by = name === inForce ? reasonOf(context, standard) : null
      return { name, ...factsOf(config), inUse: name === inForce, because: by }
    }),
  )
}

/** The profile that a command without `--profile` of its own uses now. */
export async function nameInForce({ globals, openProfile }: Context): Promise<string> {
  return globals.profile ?? (await openProfile()).profile
}

function reasonOf({ globals, env }: Context, standard: Config): ProfileRow['because'] {
  if (globals.profile === undefined) return standard.isDefault ? 'default' : 'chosen'
  return env['PICTIFY_PROFILE'] === globals.profile ? 'environment' : 'flag'
}

function factsOf(config: Config): Pick<ProfileRow, 'apiUrl' | 'store' | 'key' | 'type'> {
  return {
    apiUrl: config.settings.apiUrl ?? null,
    store: config.store ?? null,
    key: hintOf(config) ?? null,
    type: typeOf(config) ?? null,
  }
}

/** One profile whose key was spoilt by hand hides none of the others. */
function hintOf(config: Config): string | undefined {
  if (config.store !== 'file') return config.store && config.facts.keyHint
  try {
    return config.adminKey()?.hint
  } catch (error) {
    if (hasCode(error, 'invalid-secret')) return undefined
    throw error
  }
}
