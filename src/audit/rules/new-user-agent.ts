import { createIgnored } from '../ignored.ts'
import { callerOf, ownProgram } from '../key-log.ts'
import { isHabit, newNetworksOf, noveltyOf } from '../novelty.ts'
import type { Rule } from '../rule.ts'
import { heldByKey, standingByPast } from '../standing.ts'
import { counted, instant, listed, sightingList } from '../wording.ts'

export const newUserAgent: Rule = {
  id: 'new-user-agent',
  severity: 'warning',
  summary: 'a key is used by programs it was never used by',
  help:
    'User agents, without versions, that the audit log shows in the recent stretch (`--recent`) and not before it (`--since`): an upgrade is none. From networks that are new to the key too it is a warning; from known ones a note, as a deploy shows so, and where the key came by as many new ones before. pictify-keys itself is not counted. ' +
    'A key without three days and ten requests before the recent stretch has no past to be held against and is left out. `ignore` names user agents that are meant to be there; fewer requests than `minRequests` are no finding.',
  needs: ['log'],
  settings: { ignore: 'programs', minRequests: 'requests' },
  ...heldByKey(standingByPast),

  *check({ keys, log }, { ignore, minRequests = 1 }) {
    if (!log.known) return
    const isIgnored = createIgnored(ignore)
    for (const key of keys) {
      const own = log.value.keys.get(key.id)
      const novelty = own && key.status === 'active' ? noveltyOf(log.value, own, own.programs) : undefined
      if (own === undefined || novelty === undefined) continue
      const sightings = novelty.sightings.filter(({ value }) => value !== ownProgram && !isIgnored(value))
      const requests = sightings.reduce((sum, each) => sum + each.requests, 0)
      if (requests < Math.max(1, minRequests)) continue
      const programs = new Set(sightings.map(({ value }) => value))
      const callers = own.callers
        .list()
        .map(callerOf)
        .filter(({ program }) => programs.has(program))
      const fresh = new Set(newNetworksOf(log.value, own)?.sightings.map(({ value }) => value))
      const fromNew = callers.some(({ network }) => fresh.has(network))
      const why = isHabit(novelty) ? ', as often before' : fromNew ? '' : ', from known networks'
      yield {
        rule: newUserAgent.id,
        severity: why === '' ? 'warning' : 'note',
        key,
        message: `${counted(requests, 'request')} by ${counted(sightings.length, 'program')} never seen before${why}: ${listed(sightings.map(({ value }) => value))}`,
        evidence: {
          programs: sightingList(sightings),
          networks: [...new Set(callers.map(({ network }) => network || 'an unknown network'))].slice(0, 10),
          requests,
          firstAt: instant(Math.min(...sightings.map(({ firstAt }) => firstAt))),
          lastAt: instant(Math.max(...sightings.map(({ lastAt }) => lastAt))),
          knownPrograms: novelty.known,
          recentSince: instant(log.value.recentSince),
          ...(novelty.unkept > 0 && { requestsByProgramsNotKept: novelty.unkept }),
        },
        mend: ['pictify-keys', 'incident', key.id],
      }
    }
  },
}
