import type { Config } from '../config.ts'
import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { CredentialSource } from './credential.ts'
import { adminKeyVariable, readEnvironment } from './environment.ts'
import { openCredentialStore } from './file.ts'

export interface Credential {
  secret: Secret
  source: CredentialSource
}

/** The credential in use: the environment's, else the profile's. Throws `not-signed-in`. */
export async function findCredential(
  env: Readonly<Record<string, string | undefined>>,
  config: () => Promise<Config>,
): Promise<Credential> {
  const inEnvironment = readEnvironment(env)
  if (inEnvironment) {
    return { secret: inEnvironment, source: { kind: 'environment', variable: adminKeyVariable } }
  }
  const opened = await config()
  const store = openCredentialStore(opened)
  const secret = await store.read()
  if (secret) return { secret, source: store.source }
  throw new KeysError('not-signed-in', `not signed in (profile ${opened.profile})`, {
    hint: `run pictify-keys login --store file, or set ${adminKeyVariable}`,
  })
}
