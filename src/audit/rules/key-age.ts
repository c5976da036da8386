import { exactDuration } from '../../duration.ts'
import { entryOf, placeOf } from '../fleet-keys.ts'
import { rotateLine } from '../rotate-line.ts'
import type { Rule } from '../rule.ts'

const dayMs = 86_400_000
/** Of `maxAge`: there is time left to rotate it in. */
const warnShare = 0.9

export const keyAge: Rule = {
  id: 'key-age',
  severity: 'error',
  summary: 'a key is older than it may be',
  help:
    'Whoever has seen a secret can use it until its key is revoked: the older a key, the more have. An active key is told by when it was created: more than 90 days ago is a warning (`warnAfter`), more than 365 days ago an error (`errorAfter`). ' +
    'A key that `pictify-keys.yaml` gives a `maxAge` goes by that alone: beyond it is an error, from 90 % of it on a warning. The key that the audit is made with is rotated by a line with `--self`; where the API does not tell which that is, an admin key has no line.',
  needs: [],
  goesByOwnKey: true,
  settings: { warnAfterMs: 'duration', errorAfterMs: 'duration' },
  *check(survey, { warnAfterMs = 90 * dayMs, errorAfterMs = Math.max(365 * dayMs, warnAfterMs) }) {
    const { at, keys, fleet } = survey
    for (const key of keys) {
      if (key.status !== 'active') continue
      const ageMs = at - Date.parse(key.createdAt)
      const entry = fleet.known ? entryOf(key, fleet.value) : undefined
      const maxAgeMs = entry?.maxAgeMs
      const limits =
        maxAgeMs === undefined
          ? { warnMs: warnAfterMs, errorMs: errorAfterMs }
          : { warnMs: maxAgeMs * warnShare, errorMs: maxAgeMs }
      if (!(ageMs > Math.min(limits.warnMs, limits.errorMs))) continue
      const isError = ageMs > limits.errorMs
      const limitMs = isError ? limits.errorMs : limits.warnMs
      const mend = rotateLine(survey, key)
      const caution = mend === undefined ? '; rotate it with --self if it is the admin key in use' : ''
      yield {
        rule: 'key-age',
        severity: isError ? 'error' : 'warning',
        key,
        message:
          maxAgeMs === undefined
            ? `is ${days(ageMs)} old, where ${days(limitMs)} are ${isError ? 'an error' : 'a warning'}${caution}`
            : `is ${days(ageMs)} old, ${isError ? 'more than' : 'nearly'} its maxAge of ${exactDuration(maxAgeMs)}${caution}`,
        evidence: {
          createdAt: key.createdAt,
          ageDays: Math.floor(ageMs / dayMs),
          limit: exactDuration(maxAgeMs ?? limitMs),
        },
        mend,
        place: fleet.known && entry !== undefined ? placeOf(fleet.value, entry) : undefined,
      }
    }
  },
}

function days(ms: number): string {
  const count = Math.floor(ms / dayMs)
  return count === 1 ? '1 day' : `${count} days`
}
