import type { Secret } from '../secret.ts'

/** Where the credential in use comes from; shown by `status`. */
export type CredentialSource =
  | { kind: 'environment'; variable: string }
  | { kind: 'file'; path: string; profile: string }
  /** `keychain` is what this system's is called; `service` and `account` name the entry in it. */
  | { kind: 'keychain'; keychain: string; service: string; account: string; profile: string }

/** The command line that signs in with a profile, to the API that the line at hand names, with these flags. */
export type LoginLine = (profile: string, ...flags: string[]) => string

/** Where a profile may keep its credential. */
export type StoreKind = 'keychain' | 'file'

/** What the profile keeps of a key that `login` was given. */
export interface Given {
  /** The API that it was proved against. */
  apiUrl: string
}

/** A place that keeps the admin credential of a profile. */
export interface CredentialStore {
  readonly source: CredentialSource
  read(): Promise<Secret | undefined>
  /** Changes nothing; throws where a write would. */
  proveWritable(): Promise<void>
  /**
   * Keeps the key, and has read it back when it resolves. From then on it is the profile's, wherever it kept one before.
   * `given` is for one that a person gave; without it, it is one that a rotation made.
   */
  write(secret: Secret, given?: Given): Promise<void>
  remove(): Promise<void>
}
