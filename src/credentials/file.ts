import type { Config } from '../config.ts'
import { KeysError } from '../errors.ts'
import type { CredentialStore } from './credential.ts'
import { fingerprintOf } from './fingerprint.ts'

/** The profile file, readable by its owner alone. Only on the user's word (`login --store file`). */
export function createFileStore(config: Config): CredentialStore {
  return {
    source: { kind: 'file', path: config.path, profile: config.profile },
    // from the disk: what was written is read back, and somebody else may have signed in meanwhile
    async read() {
      await config.reread()
      return config.adminKey()
    },
    proveWritable: () => config.proveWritable(),
    async write(adminKey, given) {
      await config.change({
        adminKey,
        // the fingerprints stay: they tell that what the keychain may still hold is this profile's
        store: undefined,
        keyHint: undefined,
        ...(given && { ...given, givenFingerprint: fingerprintOf(adminKey) }),
      })
      await config.reread()
      if (config.adminKey()?.equals(adminKey)) return
      throw new KeysError('config-unreadable', `${config.path} does not hold what was written to it`, {
        hint: 'another process changed it meanwhile: run the same command again',
      })
    },
    remove: () => config.change({ adminKey: undefined, givenFingerprint: undefined }),
  }
}
