// Rules of this file:
// - the marked name is how machines that share nothing but the API see each other: what is written here is read
//   by other versions on other machines, so the form only ever grows at its end;
// - it carries nothing secret: a fingerprint is 24 bits of an HMAC, enough to tell two secrets apart and no more.
import type { Secret } from '../secret.ts'

const nameLimit = 100
const ellipsis = '…'
const form = /^(.*) \(rotating (\S+) #([0-9a-f]{6})-([0-9a-f]{6}|none)-([0-9a-z]+)\)$/s
/** A lease is six base-36 digits of Unix seconds, zeros when it was given up, and then the holder; `0` has neither. */
const leaseForm = /^([0-9a-z]{6})([0-9a-z]{4})$/

export interface Mark {
  /** The old key's name, cut with an ellipsis where it had to be. */
  readonly plain: string
  /** The key that is being replaced. */
  readonly oldId: string
  readonly rotationId: string
  /** Of the secret being replaced, keyed by the rotation's id; `none` where it was not known. */
  readonly fingerprint: string
  /** Unix milliseconds on the API's clock; 0 when the lease was given up. */
  readonly leaseUntil: number
  /** Which run holds the lease, or gave it up; empty when it was only claimed and given up. */
  readonly holder: string
}

/** The 24-bit fingerprint of a secret in a rotation. */
export function fingerprintOf(secret: Secret | undefined, rotationId: string): string {
  return secret?.fingerprint(rotationId, 6) ?? 'none'
}

/** The successor's name while its rotation is under way; at most 100 characters. */
export function formatMark(mark: Mark): string {
  const lease =
    mark.leaseUntil === 0 && mark.holder === ''
      ? '0'
      : Math.ceil(mark.leaseUntil / 1_000)
          .toString(36)
          .padStart(6, '0') + mark.holder
  const suffix = ` (rotating ${mark.oldId} #${mark.rotationId}-${mark.fingerprint}-${lease})`
  return cut(mark.plain, nameLimit - suffix.length) + suffix
}

/** Reads a marked name; undefined for any other name. */
export function parseMark(name: string): Mark | undefined {
  const [, plain = '', oldId = '', rotationId = '', fingerprint = '', lease = ''] = form.exec(name) ?? []
  if (rotationId === '') return undefined
  const mark = { plain, oldId, rotationId, fingerprint }
  if (lease === '0') return { ...mark, leaseUntil: 0, holder: '' }
  const [, seconds, holder] = leaseForm.exec(lease) ?? []
  if (seconds === undefined || holder === undefined) return undefined
  return { ...mark, leaseUntil: parseInt(seconds, 36) * 1_000, holder }
}

/** Whether a key of this name is also meant by `wanted`: a marked successor answers to its plain name. */
export function answersTo(keyName: string, wanted: string): boolean {
  const plain = parseMark(keyName)?.plain
  if (plain === undefined) return false
  if (plain === wanted) return true
  return plain.endsWith(ellipsis) && wanted.length > plain.length && wanted.startsWith(plain.slice(0, -1))
}

/** The name a rotation of this key gives back in the end: a marked name's plain part, else the name itself. */
export function plainName(name: string): string {
  return parseMark(name)?.plain ?? name
}

/** The lease's end, rounded up to the minute. Unix milliseconds. */
export function leaseEnd(nowMs: number, boundMs: number): number {
  return Math.ceil((nowMs + boundMs) / 60_000) * 60_000
}

/** Cuts by UTF-16 length, which no server's count of characters exceeds, and never through a surrogate pair. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  let kept = text.slice(0, limit - 1)
  if (/[\ud800-\udbff]$/.test(kept)) kept = kept.slice(0, -1)
  return kept + ellipsis
}
