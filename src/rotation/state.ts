import type { KeyAccess, KeyType } from '../api/contract.ts'
import type { Sealed } from './escrow.ts'

/** What is durably true of a rotation. `aborting` can be entered from any state before `retired`. */
export type RotationState =
  | 'planned'
  | 'minted'
  | 'accepted'
  | 'delivered'
  | 'verified'
  | 'overlapping'
  | 'retired'
  | 'done'
  | 'aborting'
  | 'aborted'

const order: readonly RotationState[] = [
  'planned',
  'minted',
  'accepted',
  'delivered',
  'verified',
  'overlapping',
  'retired',
  'done',
]

/** Whether `state` is `least` or further on the way to `done`. */
export function hasReached(state: RotationState, least: RotationState): boolean {
  return order.indexOf(state) >= order.indexOf(least)
}

export function isOver(state: RotationState): boolean {
  return state === 'done' || state === 'aborted'
}

/**
 * What happened to one target: `writing` is recorded before a write, so that a crash in it is seen; `failed` is a
 * target that said itself that nothing was put in its place; `left` was to be restored, and holds what somebody else put
 * there since.
 */
export type TargetState = 'pending' | 'writing' | 'failed' | 'delivered' | 'restored' | 'left'

/** Whether the target may have been given the successor since it last held something else for certain. */
export function mayHoldOurs(state: TargetState | undefined): boolean {
  return state === undefined || state === 'writing' || state === 'delivered'
}

/** The waits that were asked for; what goes on by `--resume` keeps them. Milliseconds. */
export interface Waits {
  /** The propagation bound: how long a new key may take to be accepted everywhere. */
  settleMs: number
  /** How often in a row the successor must be accepted. */
  probes: number
  overlapMs: number
  idleMs: number
  usageLagMs: number
  waitMs: number
  verifyTimeoutMs: number
}

/** Where nobody asks for others. */
export const defaultWaits: Waits = {
  settleMs: 30_000,
  probes: 3,
  overlapMs: 0,
  idleMs: 5 * 60_000,
  usageLagMs: 5 * 60_000,
  waitMs: 15 * 60_000,
  verifyTimeoutMs: 2 * 60_000,
}

export interface TargetRecord {
  name: string
  /** The place itself, by which another folder's target of the same name is told apart. */
  place: string
  readback: 'value' | 'none'
  state: TargetState
  /** Which of several places of that name it is, where the name alone does not say. */
  identity?: string | undefined
  /** Another machine wrote it first: what it held before that is not known, which is not the same as nothing. */
  heldUnknown?: boolean
}

/** The key being replaced, as it was when the rotation was planned. Its name is the plain one. */
export interface OldKey {
  id: string
  name: string
  type: KeyType
  access?: KeyAccess | undefined
}

/** Why revoking the old key was safe: what was seen, when, on the API's clock (ISO 8601). */
export interface Evidence {
  checkedAt: string
  /** The gate was waived by the user (`--no-evidence`, `--compromised`). */
  waived: boolean
  overlapOver: boolean
  /** `unknown` is not evidence: the usage data is stale, contradicts itself, or is not to be had. */
  oldKeyIdle: boolean | 'unknown'
  oldKeyLastUsedAt: string | null
  /** Up to when the usage data is complete; null where there is none. */
  usageUpdatedAt: string | null
  /** By someone other than us. */
  successorUsed: boolean
  successorLastUsedAt: string | null
  /** Required where a target cannot be read back, and where none held a key before. */
  successorUseRequired: boolean
}

/** What a rotation writes down; everything needed to go on after a crash, secrets sealed. */
export interface Journal {
  id: string
  /** The API it is about; a journal of another account is not ours. */
  apiUrl: string
  state: RotationState
  /** ISO 8601, our clock. */
  startedAt: string
  updatedAt: string
  finishedAt?: string
  oldKey: OldKey
  newKey?: { id: string; createdAt: string }
  /** The lease as it stands in the successor's name. */
  lease: { until: number; holder: string }
  /** Every holder this machine has written into the name: a name that lags behind the journal is still ours. */
  holders: string[]
  fingerprint: string
  /** Written before the POST leaves: what repeats it. */
  intent?: { idempotencyKey: string; name: string; at: string }
  escrow?: Sealed
  targets: TargetRecord[]
  /** The folder that relative targets were named from. */
  cwd: string
  verify?: string
  /** How often every target came to hold the successor: once, unless it was put back meanwhile. */
  deliveries?: number
  /** Places that were not there are to be made. */
  createTarget?: boolean
  /** What is started anew, as the user named it. */
  restarts?: string[]
  waits: Waits
  /** By our own clock, Unix ms: when the answer to the create came; unknown to a machine that adopted the key. */
  mintedAt?: number
  /** Marked successors of dead runs whose secret is lost and which may still be in use: retired with the old key. */
  strays: string[]
  /** No target that can be read held a secret when we came: the applications may find theirs in another place. */
  unheld: boolean
  self: boolean
  compromised?: 'no-overlap' | 'revoke-first'
  deleteOld: boolean
  /** API clock, Unix ms: every target has held the successor since. */
  deliveredAt?: number
  /** API clock, Unix ms: undoing has put back every target, and the successor's quiet time counts from here. */
  restoredAt?: number
  /** API clock, Unix ms: the last use of the successor that was ours. */
  ownUseAt?: number
  evidence?: Evidence
  /** Recorded before the old key's revoke leaves. */
  retiring?: boolean
  /** Why it is being undone, or was. */
  failure?: { code: string; message: string }
  notes: string[]
}

/** What is left when it is over, and what `rotate --json` and `rotations --json` print: no secrets, sealed or not. */
export interface Receipt {
  id: string
  state: RotationState
  apiUrl: string
  oldKey: OldKey
  newKey: { id: string; createdAt: string } | null
  targets: { name: string; state: TargetState }[]
  evidence: Evidence | null
  verify: string | null
  restarts: string[]
  self: boolean
  compromised: boolean
  failure: { code: string; message: string } | null
  notes: string[]
  startedAt: string
  updatedAt: string
  finishedAt: string | null
}

export function receiptOf(journal: Journal): Receipt {
  return {
    id: journal.id,
    state: journal.state,
    apiUrl: journal.apiUrl,
    oldKey: journal.oldKey,
    newKey: journal.newKey ?? null,
    targets: journal.targets.map(({ name, state }) => ({ name, state })),
    evidence: journal.evidence ?? null,
    verify: journal.verify ?? null,
    restarts: journal.restarts ?? [],
    self: journal.self,
    compromised: journal.compromised !== undefined,
    failure: journal.failure ?? null,
    notes: journal.notes,
    startedAt: journal.startedAt,
    updatedAt: journal.updatedAt,
    finishedAt: journal.finishedAt ?? null,
  }
}
