import { keyLimit } from '../../key-limits.ts'
import type { Key } from '../../api/contract.ts'
import { maybeInUse } from '../own-key.ts'
import { successorsUnderWay } from '../open-rotations.ts'
import type { Rule } from '../rule.ts'
import type { Survey } from '../survey.ts'

const idleMs = 30 * 86_400_000

export const planHeadroom: Rule = {
  id: 'plan-headroom',
  severity: 'error',
  summary: 'the plan has no room for the successor of a rotation',
  help: 'A rotation without downtime needs both keys at once, so that one key of its type must be free: a key that leaks when there is none can only be cut off. The plan allows 2 live and 5 test keys (Free), 10 and 10 (Pro), or 50 and 50 (Business), and only active ones count. Where a rotation that is not over takes the place, it is a warning. The line revokes the key of that type that was not used for longest, if that is 30 days and more.',
  needs: ['rotations'],
  goesByOwnKey: true,
  skip: ({ plan }) => (plan === undefined ? 'the plan is not known: name it with --plan' : undefined),
  *check(survey) {
    const { plan, keys } = survey
    const underWay = successorsUnderWay(survey)
    for (const type of ['live', 'test'] as const) {
      const limit = keyLimit(plan, type)
      const active = keys.filter((key) => key.type === type && key.status === 'active')
      if (limit === undefined || active.length < limit) continue
      const successors = active.filter(({ id }) => underWay.has(id)).length
      const isPassing = active.length - successors < limit
      const idlest = isPassing ? undefined : longestIdle(survey, active)
      yield {
        rule: 'plan-headroom',
        severity: isPassing ? 'warning' : 'error',
        key: undefined,
        message: isPassing
          ? `no ${type} key can be rotated until the rotation that is open is over: it takes the last place of the ${plan} plan`
          : `no ${type} key can be rotated: all ${limit} that the ${plan} plan allows are taken`,
        evidence: {
          plan: plan ?? null,
          type,
          active: active.length,
          limit,
          successorsUnderWay: successors,
          ...(idlest && { longestUnused: `${idlest.name} (${idlest.id})` }),
        },
        mend: isPassing
          ? ['pictify-keys', 'rotations', '--open', '--account']
          : idlest && ['pictify-keys', 'revoke', idlest.id],
      }
    }
  },
}

/** The key that would be missed least; undefined where all of them are in use. */
function longestIdle(survey: Survey, keys: readonly Key[]): Key | undefined {
  const kept = new Set([...maybeInUse(survey), ...successorsUnderWay(survey)])
  const since = ({ lastUsedAt, createdAt }: Key) => Date.parse(lastUsedAt ?? createdAt)
  return keys
    .filter((key) => !kept.has(key.id) && survey.at - since(key) > idleMs)
    .sort((a, b) => since(a) - since(b))[0]
}
