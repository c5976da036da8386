import type { Secret } from '../secret.ts'

/** Where the credential in use comes from; shown by `status`. */
export type CredentialSource =
  | { kind: 'environment'; variable: string }
  | { kind: 'file'; path: string; profile: string }
  /** `keychain` is what this system's is called; `service` and `account` name the entry in it. */
  | { kind: 'keychain'; keychain: string; service: string; account: string; profile: string }

/** A place that keeps the admin credential of a profile. */
export interface CredentialStore {
  readonly source: CredentialSource
  read(): Promise<Secret | undefined>
  /** Changes nothing; throws where a write would. */
  proveWritable(): Promise<void>
  write(secret: Secret): Promise<void>
  remove(): Promise<void>
}
