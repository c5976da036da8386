import { keyLimit } from '../../key-limits.ts'
import { successorsUnderWay } from '../open-rotations.ts'
import type { Rule } from '../rule.ts'

export const planHeadroom: Rule = {
  id: 'plan-headroom',
  severity: 'error',
  summary: 'the plan has no room for the successor of a rotation',
  help: 'A rotation without downtime needs both keys at once, so that one key of its type must be free: a key that leaks when there is none can only be cut off. The plan allows 2 live and 5 test keys (Free), 10 and 10 (Pro), or 50 and 50 (Business), and only active ones count. Where a rotation that is not over takes the place, it is a warning.',
  needs: ['rotations'],
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
      yield {
        rule: 'plan-headroom',
        severity: isPassing ? 'warning' : 'error',
        key: undefined,
        message: isPassing
          ? `no ${type} key can be rotated until the rotation that is open is over: it takes the last place of the ${plan} plan`
          : `no ${type} key can be rotated: all ${limit} that the ${plan} plan allows are taken`,
        evidence: { plan: plan ?? null, type, active: active.length, limit, successorsUnderWay: successors },
        mend: isPassing
          ? ['pictify-keys', 'rotations', '--open', '--account']
          : ['pictify-keys', 'list', '--type', type, '--status', 'active', '--sort', 'last-used'],
      }
    }
  },
}
