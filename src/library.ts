// Rules of this file:
// - it is the whole of what `import … from 'pictify-keys'` gives; what is exported here stays until a major version;
// - nothing behind it reads the environment or the arguments of the process, prints, or ends the process.
import { errorExits, type ErrorCode } from './errors.ts'

export { createClient, type Client, type ClientOptions, type Keys } from './library/client.ts'
export { rotate, RotationError, type RotationEvent, type RotateOptions } from './library/rotate.ts'
export { KeysError, type ErrorCode, type ErrorDetails, type ExitCode } from './errors.ts'
export { Secret } from './secret.ts'
export type { Held, Target } from './targets/target.ts'
export type {
  AuditEvent,
  CallOptions,
  Key,
  KeyAccess,
  KeyFilter,
  KeyStatus,
  KeyType,
  Minted,
  Plan,
  ProbeAnswer,
  RateLimit,
  Usage,
  UsageWindow,
  Wait,
} from './api/contract.ts'
export type { Evidence, OldKey, Receipt, RotationState, TargetState } from './rotation/state.ts'

/** Every code that a `KeysError` may have; docs/errors.md has the cause and the cure of each. */
export const errorCodes = Object.keys(errorExits) as readonly ErrorCode[]
