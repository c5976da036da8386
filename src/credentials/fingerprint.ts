import type { Config } from '../config.ts'
import type { Secret } from '../secret.ts'

/** Tells a key from every other, and nothing about it. */
export function fingerprintOf(secret: Secret): string {
  return secret.fingerprint('pictify-keys profile', 16)
}

/**
 * Whether the key of the profile is another than `login` was given: one that a rotation made, and that lies nowhere else
 * for all that is known here. Asks no keychain.
 */
export function isOnlyCopy(config: Config): boolean {
  const { store, facts } = config
  if (store === undefined || facts.givenFingerprint === undefined) return false
  if (store === 'keychain') return facts.keyFingerprints?.at(-1) !== facts.givenFingerprint
  const secret = config.adminKey()
  return secret !== undefined && fingerprintOf(secret) !== facts.givenFingerprint
}
