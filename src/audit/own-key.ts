import type { Survey } from './survey.ts'

/**
 * Ids of keys that may be the one that the audit is made with: revoking it would lock out who mends. Where the API does not
 * tell which it is, each admin key may be.
 */
export function maybeInUse({ keys, ownKeyId }: Pick<Survey, 'keys' | 'ownKeyId'>): ReadonlySet<string> {
  if (ownKeyId !== undefined) return new Set([ownKeyId])
  return new Set(
    keys.flatMap(({ id, status, access }) => (status === 'active' && access === 'admin' ? [id] : [])),
  )
}
