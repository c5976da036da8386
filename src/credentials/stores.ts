import type { Config } from '../config.ts'
import type { CredentialStore, StoreKind } from './credential.ts'
import { createFileStore } from './file.ts'
import type { Keychain } from './keychain.ts'
import type { KeychainStoreOptions } from './keychain-store.ts'

/** The place of that kind for the profile's credential. */
export async function openCredentialStore(
  config: Config,
  kind: StoreKind,
  keychain: () => Promise<Keychain>,
  options: KeychainStoreOptions,
): Promise<CredentialStore> {
  if (kind === 'file') return createFileStore(config)
  const { createKeychainStore } = await import('./keychain-store.ts')
  return createKeychainStore(config, await keychain(), options)
}
