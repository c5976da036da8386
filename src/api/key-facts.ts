import { formatAge } from '../ages.ts'
import type { Key } from './contract.ts'

/** What tells a key from another one of its name: `live, created 3d ago, used 2h ago`. `now` is in Unix milliseconds. */
export function keyFacts({ type, status, createdAt, lastUsedAt }: Key, now: number): string {
  const used = lastUsedAt === null ? 'never used' : `used ${formatAge(lastUsedAt, now)}`
  const revoked = status === 'revoked' ? ['revoked'] : []
  return [type, ...revoked, `created ${formatAge(createdAt, now)}`, used].join(', ')
}
