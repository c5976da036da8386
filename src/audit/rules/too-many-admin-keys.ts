import { maybeInUse } from '../own-key.ts'
import { successorsUnderWay } from '../open-rotations.ts'
import type { Rule } from '../rule.ts'

const usual = 2

export const tooManyAdminKeys: Rule = {
  id: 'too-many-admin-keys',
  severity: 'warning',
  summary: 'there are more admin keys than one in use and one in reserve',
  help: 'Whoever has an admin key can make keys, and revoke all others. It is told by the active keys with admin access: more than 2 (`warnAbove`) are a warning; the successor of one that is being rotated does not count besides it. The one to revoke is the one that was used least of late, never the key that the audit is made with.',
  needs: ['rotations'],
  goesByOwnKey: true,
  settings: { warnAbove: 'keys' },
  skip: ({ keys }) =>
    keys.length > 0 && keys.every(({ access }) => access === undefined)
      ? 'the API does not say what a key may do'
      : undefined,
  *check(survey, { warnAbove = usual }) {
    const underWay = successorsUnderWay(survey)
    const admins = survey.keys.filter(
      ({ id, status, access }) => status === 'active' && access === 'admin' && !underWay.has(id),
    )
    if (admins.length <= warnAbove) return
    const unknown = survey.keys.filter(({ status, access }) => status === 'active' && access === undefined)
    const inUse = maybeInUse(survey)
    // the one that would be missed least
    const [idlest] = admins
      .filter(({ id }) => !inUse.has(id))
      .sort((a, b) => lastUse(a.lastUsedAt) - lastUse(b.lastUsedAt))
    yield {
      rule: 'too-many-admin-keys',
      severity: 'warning',
      key: undefined,
      message: `${admins.length} active keys may manage keys, where ${warnAbove} are enough`,
      evidence: {
        adminKeys: admins.map(({ id, name }) => `${name} (${id})`),
        ...(unknown.length > 0 && { accessNotSaid: unknown.length }),
      },
      mend: idlest && ['pictify-keys', 'revoke', idlest.id],
    }
  },
}

function lastUse(at: string | null): number {
  return at === null ? 0 : Date.parse(at)
}
