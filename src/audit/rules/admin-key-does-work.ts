import { nameOfAnother } from '../another-name.ts'
import type { KeyLog } from '../key-log.ts'
import type { Rule } from '../rule.ts'
import type { Sighting } from '../sightings.ts'
import { heldByKey, standingByLog } from '../standing.ts'
import { counted, listed, sightingList } from '../wording.ts'

const managing = /(^|\/)(api-keys|audit-logs)(\/|$)/
/** What this program asks to see whether a key works. */
const probed = 'GET /templates'

export const adminKeyDoesWork: Rule = {
  id: 'admin-key-does-work',
  severity: 'warning',
  summary: 'an admin key does other work than managing keys',
  help: 'Whoever has an admin key can make keys and revoke all of them: it should lie in as few places as can be, and an application needs none. It is told by the endpoints in the audit log: all but those under /api-keys and /audit-logs are other work, without the probes of pictify-keys itself; fewer requests than `minRequests` are no finding. Give the application a key of its own, and rotate the admin key.',
  needs: ['log'],
  settings: { minRequests: 'requests' },
  ...heldByKey((key, survey) => {
    if (key.access === undefined) return { known: false, why: 'the API does not say what a key may do' }
    return key.access === 'admin' ? standingByLog(key, survey) : undefined
  }),

  *check({ keys, log }, { minRequests = 1 }) {
    if (!log.known) return
    for (const key of keys) {
      const own = log.value.keys.get(key.id)
      if (key.status !== 'active' || key.access !== 'admin' || own === undefined) continue
      const work = workOf(own)
      const requests = work.reduce((sum, each) => sum + each.requests, 0)
      if (requests < Math.max(1, minRequests)) continue
      yield {
        rule: adminKeyDoesWork.id,
        severity: 'warning',
        key,
        message: `an admin key that does other work: ${counted(requests, 'request')} to ${listed(work.map(({ value }) => value))}`,
        evidence: {
          requests,
          ofRequests: own.requests,
          endpoints: sightingList(work),
          programs: own.programs
            .list()
            .slice(0, 10)
            .map(({ value }) => value),
        },
        mend: [
          'pictify-keys',
          'create',
          nameOfAnother(key.name, 'application'),
          '--type',
          key.type,
          '--access',
          'full',
        ],
      }
    }
  },
}

function workOf(log: KeyLog): Sighting[] {
  return log.endpoints
    .list()
    .filter(({ value }) => !managing.test(value.slice(value.indexOf(' ') + 1)))
    .map((each) => (each.value === probed ? { ...each, requests: each.requests - log.probes } : each))
    .filter(({ requests }) => requests > 0)
}
