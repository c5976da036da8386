import type { Config } from '../config.ts'
import type { CredentialStore } from './credential.ts'

/** The profile file, readable by its owner alone. Only on the user's word (`login --store file`). */
export function openCredentialStore(config: Config): CredentialStore {
  return {
    source: { kind: 'file', path: config.path, profile: config.profile },
    // from the disk: what was written is read back, and somebody else may have signed in meanwhile
    async read() {
      await config.reread()
      return config.adminKey()
    },
    proveWritable: () => config.proveWritable(),
    write: (adminKey) => config.change({ adminKey }),
    remove: () => config.change({ adminKey: undefined }),
  }
}
