import type { Config } from '../config.ts'
import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { CredentialSource, CredentialStore, LoginLine, StoreKind } from './credential.ts'
import { adminKeyVariable, readEnvironment } from './environment.ts'

export interface Credential {
  secret: Secret
  source: CredentialSource
}

/** The credential in use: the environment's, else the profile's. Throws `not-signed-in`, and what the keychain throws. */
export async function findCredential(
  env: Readonly<Record<string, string | undefined>>,
  config: () => Promise<Config>,
  storeOf: (config: Config, kind: StoreKind) => Promise<CredentialStore>,
  loginLine: LoginLine,
): Promise<Credential> {
  const inEnvironment = readEnvironment(env)
  if (inEnvironment) {
    return { secret: inEnvironment, source: { kind: 'environment', variable: adminKeyVariable } }
  }
  const opened = await config()
  if (opened.store === undefined) throw notSignedIn(opened, loginLine(opened.profile))
  const store = await storeOf(opened, opened.store)
  const { source } = store
  const secret = await store.read()
  if (secret) return { secret, source }
  if (source.kind !== 'keychain') throw notSignedIn(opened, loginLine(opened.profile))
  throw new KeysError(
    'not-signed-in',
    `${source.keychain} has no key of profile ${opened.profile} any more (${source.service}, ${source.account})`,
    { hint: `somebody removed it: run ${loginLine(opened.profile)}, or set ${adminKeyVariable}` },
  )
}

/**
 * The key of a profile goes to the API it was proved against, whatever a flag or a variable says; to `standard`, where the
 * profile names none.
 */
export function refuseElsewhere({ profile, settings }: Config, apiUrl: string, standard: string): void {
  const own = settings.apiUrl ?? standard
  if (URL.canParse(own) && new URL(own).origin === new URL(apiUrl).origin) return
  throw new KeysError(
    'not-signed-in',
    `the key of profile ${profile} is for ${own}; it is not sent to ${apiUrl}`,
    {
      hint: `sign in there: pictify-keys login --profile <name> --api-url ${apiUrl}; or set ${adminKeyVariable}`,
    },
  )
}

function notSignedIn(config: Config, line: string): KeysError {
  const others = config.profiles.filter((name) => name !== config.profile)
  const isUnknown = !config.exists && others.length > 0
  return new KeysError(
    'not-signed-in',
    isUnknown ? `there is no profile ${config.profile}` : `not signed in (profile ${config.profile})`,
    {
      hint: isUnknown ? profileHint(others, line) : `run ${line}, or set ${adminKeyVariable}`,
    },
  )
}

/** What to do about a profile that is not there; `line` signs in with it. */
export function profileHint(others: readonly string[], line: string): string {
  return `there is ${others.length === 0 ? 'none yet' : others.join(', ')}; ${line} adds it`
}
