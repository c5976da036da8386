import type { Config } from '../config.ts'
import type { CredentialStore } from './credential.ts'

/** The profile file, readable by its owner alone. Only on the user's word (`login --store file`). */
export function openCredentialStore(config: Config): CredentialStore {
  return {
    source: { kind: 'file', path: config.path, profile: config.profile },
    read: async () => config.adminKey(),
    write: (adminKey) => config.change({ adminKey }),
    remove: () => config.change({ adminKey: undefined }),
  }
}
