import type { Client, Wait } from './api/contract.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { CredentialSource, CredentialStore, LoginLine, StoreKind } from './credentials/credential.ts'
import type { Globals } from './globals.ts'
import type { Processes } from './rotation/lock.ts'
import type { Secret } from './secret.ts'
import type { Output } from './ui/output.ts'
import type { Prompts } from './ui/prompts.ts'
import type { SecretScreen } from './ui/secret-screen.ts'

/** Everything a command may touch. Costly things are functions, so that `--help` pays for none of them. */
export interface Context {
  /** The client with the credential in use. Throws `not-signed-in`. */
  api: () => Promise<Client>
  /** A client for another credential (login proves one before it is kept). */
  clientFor: (credential: Secret) => Promise<Client>
  /** The credential in use and where it comes from. Throws `not-signed-in`. */
  credential: () => Promise<{ secret: Secret; source: CredentialSource }>
  /** The profile in force. */
  config: () => Promise<Config>
  /** The profile of that name; without one, that which is in force where neither flag nor environment name one. */
  openProfile: (name?: string) => Promise<Config>
  /** The place of that kind for a profile's credential; `replace` lets it overwrite what it does not know. */
  credentialStore: (
    config: Config,
    kind: StoreKind,
    options?: { replace?: boolean },
  ) => Promise<CredentialStore>
  /** What a hint says to sign in with. */
  loginLine: LoginLine
  /** The base URL in force, with no slash at its end: flag, environment, profile, default. */
  apiUrl: () => Promise<string>
  out: Output
  prompt: Prompts
  /** Where a person is shown a secret. Only at a terminal that can be drawn on. */
  secretScreen: () => Promise<SecretScreen>
  clock: Clock
  /** Aborts at the first interruption. Rotation has rules of its own for it, by `onInterrupt`. */
  signal: AbortSignal
  /** Calls back on every SIGINT, SIGTERM and SIGHUP with how many there have been; returns the way to stop listening. */
  onInterrupt: (listener: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', count: number) => void) => () => void
  /** Calls back whenever the client waits before it asks again, which then is not told; returns the way to stop. */
  onWait: (listener: (wait: Wait) => void) => () => void
  env: Readonly<Record<string, string | undefined>>
  /** The flags of every command, as they are in force. */
  globals: Readonly<Globals>
  /** The working directory, absolute. */
  cwd: string
  /** Where journals, receipts and locks lie: `--state-dir`, `PICTIFY_KEYS_STATE_DIR`, the OS data directory. */
  stateDir: string
  /** For what may be lost at any time. */
  cacheDir: string
  stdin: NodeJS.ReadableStream
  /** The processes of this machine, for the rotation's lock (`createProcesses`). */
  processes: Processes
  /** The path this program was started from. */
  program: string
  /** Plain http to another machine is meant. */
  insecureHttp: boolean
  /** The package's version. */
  version: string
  /** `process.versions.node`. */
  nodeVersion: string
}
