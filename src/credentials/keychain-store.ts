// Rules of this file:
// - the profile file knows a fingerprint of every key that it put into the keychain, from before it is put there: what
//   is found there and not known is somebody else's, and is neither used nor overwritten;
// - a key never goes to an API that it was not proved against: while a key of another API takes the entry, the profile is
//   signed out.
import type { Config } from '../config.ts'
import { KeysError } from '../errors.ts'
import { parseSecret, type Secret } from '../secret.ts'
import type { CredentialStore, LoginLine } from './credential.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Keychain } from './keychain.ts'

export interface KeychainStoreOptions {
  /** What the entry holds and the profile does not know may be overwritten: a person said so. */
  replace?: boolean
  loginLine: LoginLine
}

/** The entry of a profile in the system's keychain. */
export function createKeychainStore(
  config: Config,
  keychain: Keychain,
  { replace = false, loginLine }: KeychainStoreOptions,
): CredentialStore {
  const { profile } = config
  const place = `${keychain.name} (${keychain.service}, ${profile})`
  const overwriting = loginLine(profile, '--replace')
  const isKnown = (secret: Secret) => config.facts.keyFingerprints?.includes(fingerprintOf(secret)) === true

  return {
    source: {
      kind: 'keychain',
      keychain: keychain.name,
      service: keychain.service,
      account: profile,
      profile,
    },

    async read() {
      await config.reread()
      const held = await keychain.read(profile)
      if (held === undefined) return undefined
      const secret = asKey(held, place, overwriting)
      if (isKnown(secret)) return secret
      throw new KeysError(
        'keychain-changed',
        `${place} holds ${secret.hint}, which is not the key that profile ${profile} was signed in with`,
        { hint: `it is not used; to sign in again and overwrite it, run ${overwriting}` },
      )
    },

    async proveWritable() {
      await config.proveWritable()
      if (!replace) await refuseOthers(keychain, profile, { place, isKnown, overwriting })
      await keychain.proveWritable(profile)
    },

    async write(secret, given) {
      await config.reread()
      if (!replace) await refuseOthers(keychain, profile, { place, isKnown, overwriting })
      const fingerprint = fingerprintOf(secret)
      const known = (config.facts.keyFingerprints ?? []).filter((each) => each !== fingerprint)
      const isElsewhere = given !== undefined && given.apiUrl !== config.settings.apiUrl
      await config.change({
        keyFingerprints: [...known, fingerprint],
        ...(isElsewhere && { store: undefined }),
      })
      const held = await keychain.write(profile, secret)
      if (!held?.equals(secret)) {
        throw new KeysError('keychain-changed', `${place} does not hold what was written to it`, {
          hint: 'another program changed it meanwhile: see what it holds, and run the same command again',
        })
      }
      await config.change({
        store: 'keychain',
        adminKey: undefined,
        keyHint: secret.hint,
        keyFingerprints: [fingerprint],
        ...(given && { ...given, givenFingerprint: fingerprint }),
      })
    },

    async remove() {
      await config.reread()
      const held = await keychain.read(profile)
      // somebody else's stays where it is
      if (held !== undefined && isKnown(held)) await keychain.remove(profile)
      await config.change({
        store: undefined,
        keyHint: undefined,
        keyFingerprints: undefined,
        givenFingerprint: config.hasAdminKey ? config.facts.givenFingerprint : undefined,
      })
    },
  }
}

/** Another profile file of the same user has its own profile of that name, and may keep its only copy there. */
async function refuseOthers(
  keychain: Keychain,
  profile: string,
  {
    place,
    isKnown,
    overwriting,
  }: { place: string; isKnown: (secret: Secret) => boolean; overwriting: string },
): Promise<void> {
  const held = await keychain.read(profile)
  if (held === undefined || isKnown(held)) return
  throw new KeysError(
    'keychain-changed',
    `${place} holds ${held.hint} already, which this profile file knows nothing of`,
    {
      hint: `it may be the key of another profile file; give this one another name by --profile, or overwrite it: ${overwriting}`,
    },
  )
}

function asKey(held: Secret, place: string, overwriting: string): Secret {
  try {
    return parseSecret(held.reveal(), place)
  } catch (cause) {
    throw new KeysError('keychain-entry', cause instanceof Error ? cause.message : `${place} holds no key`, {
      hint: `another program changed it; to sign in again and overwrite it, run ${overwriting}`,
      cause,
    })
  }
}
