import { entryOf, isSuccessor } from '../fleet-keys.ts'
import { maybeInUse } from '../own-key.ts'
import type { Rule } from '../rule.ts'

export const unknownKey: Rule = {
  id: 'unknown-key',
  severity: 'warning',
  summary: 'a key is in the account and not in pictify-keys.yaml',
  help: 'Nobody answers for a key that the team does not know of: nobody rotates it, and nobody sees it misused. Every active key is to be in `pictify-keys.yaml` under `keys`, by its name or its id; a successor that is being rotated in counts as its old key. The line revokes what was never used, and says of anything else who uses it. Without such a file, or with one that names no keys, the rule is skipped.',
  needs: ['fleet', 'rotations'],
  goesByOwnKey: true,
  skip: ({ fleet }) =>
    fleet.known && fleet.value.keys.length === 0 ? `${fleet.value.file} names no keys` : undefined,
  *check(survey) {
    const { fleet, keys } = survey
    if (!fleet.known) return
    const inUse = maybeInUse(survey)
    for (const key of keys) {
      if (key.status !== 'active' || entryOf(key, fleet.value) !== undefined) continue
      if (isSuccessor(key, survey)) continue
      const { createdAt, lastUsedAt } = key
      yield {
        rule: 'unknown-key',
        severity: 'warning',
        key,
        message: `is not in ${fleet.value.file}: name it there under keys, or revoke it`,
        evidence: { createdAt, lastUsedAt },
        // what is in use is not to be revoked on the word of a file: first it is seen who uses it
        mend: inUse.has(key.id)
          ? undefined
          : ['pictify-keys', lastUsedAt === null ? 'revoke' : 'incident', key.id],
        place: { file: fleet.value.file, line: 1 },
      }
    }
  },
}
