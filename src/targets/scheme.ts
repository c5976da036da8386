import { KeysError } from '../errors.ts'
import type { Target, TargetDeps } from './target.ts'

/** Where a target puts the secret; `store` is a store's own name for what holds it, `field` a part of that. */
export type Place =
  | { path: string; variable?: string }
  | { command: string }
  | { label: string }
  | { store: string; field?: string | undefined }

/** A kind of target. */
export interface Scheme {
  /** As it is shown in help. */
  readonly usage: string
  readonly summary: string
  /** `name` is the whole of what the user wrote, `text` what stands behind the colon. Touches nothing. Throws `invalid-target`. */
  create(name: string, text: string, deps: TargetDeps): { target: Target; place: Place }
}

/** A `--to` that names no place. */
export function invalid(message: string, hint: string): KeysError {
  return new KeysError('invalid-target', message, { hint })
}

/** `<place>#<field>`, cut at the last `#`; the field is undefined where there is none. Throws `invalid-target` for an empty part. */
export function cutField(
  name: string,
  text: string,
  usage: string,
): { place: string; field: string | undefined } {
  const hash = text.lastIndexOf('#')
  const place = hash === -1 ? text : text.slice(0, hash)
  const field = hash === -1 ? undefined : text.slice(hash + 1)
  if (place.trim() === '') throw invalid(`${name} names no place`, `write ${usage}`)
  if (field?.trim() === '') throw invalid(`${name} names nothing behind its #`, `write ${usage}`)
  return { place, field }
}
