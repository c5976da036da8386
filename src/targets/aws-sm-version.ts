// Rules of this file:
// - the id of a version of ours shows that it is one, and says nothing of the secret in it to whoever does not know that.
import { createHash } from 'node:crypto'
import type { Secret } from '../secret.ts'
import type { SecretDescription } from './aws-sm-client.ts'
import type { Seen } from './store.ts'

export interface SeenSecret extends Seen {
  /** Undefined: there is no such secret. */
  readonly secret?: SecretDescription
  readonly region: string
  /** The labels of each version that has some. */
  readonly labels: Readonly<Record<string, string[]>>
  /** The version labelled AWSCURRENT, and what is in it; undefined: there is none. */
  readonly current?: { readonly id: string; readonly content: string }
}

/** The version that has a label. */
export function labelled({ labels }: Pick<SeenSecret, 'labels'>, label: string): string | undefined {
  return Object.keys(labels).find((id) => labels[id]?.includes(label))
}

/** The version that a rotation of somebody else's has under way. */
export function othersPending(seen: SeenSecret): string | undefined {
  const id = labelled(seen, 'AWSPENDING')
  return id === undefined || id === seen.current?.id || isOwnVersion(id) ? undefined : id
}

/**
 * Our own version that was made current by a call that was cut off before it took AWSPENDING away. As soon as another
 * version is current, AWS takes that label for a rotation under way.
 */
export function leftPending(seen: SeenSecret): string | undefined {
  const id = labelled(seen, 'AWSPENDING')
  return id !== undefined && id === seen.current?.id && isOwnVersion(id) ? id : undefined
}

/**
 * The id of the version that holds `secret`, a UUID of version 8; `parts` say where, and what lies beside it. Its last four
 * digits are a checksum of the others, by which it is known for ours.
 */
export function ownVersion(secret: Secret, parts: readonly string[]): string {
  const hex = secret.fingerprint(JSON.stringify(['pictify-keys', ...parts]), 26)
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(12, 15)}`,
    `8${hex.slice(15, 18)}`,
    hex.slice(18),
  ]
  return withChecksum(groups.join('-'))
}

export function isOwnVersion(id: string): boolean {
  // what others make at random is of version 4
  return id[14] === '8' && id === withChecksum(id.slice(0, -4))
}

function withChecksum(start: string): string {
  const checksum = createHash('sha256').update(`pictify-keys ${start}`).digest('hex')
  return start + checksum.slice(0, 4)
}
