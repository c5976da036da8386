import type { Key } from '../../api/contract.ts'
import type { Finding } from '../finding.ts'
import { createIgnored } from '../ignored.ts'
import { type NewNetworks, newNetworksOf, whyHarmless } from '../novelty.ts'
import type { Rule } from '../rule.ts'
import { heldByKey, standingByPast } from '../standing.ts'
import type { AccountLog } from '../survey.ts'
import { counted, instant, listed, rounded, sightingList } from '../wording.ts'

export const newNetwork: Rule = {
  id: 'new-network',
  severity: 'warning',
  summary: 'a key is used from networks it was never used from',
  help:
    'What a stolen key shows first. Networks (/24 of IPv4, /48 of IPv6) that the audit log shows in the recent stretch (`--recent`) and not before it (`--since`); loopback and private ones are for `live-key-in-development`. ' +
    'It is a note where all of them lie beside a known one (the same /16, or /32 of IPv6: machines of a cloud move so), where the key came by as many new ones before, as that of functions in a cloud does, or where pictify-keys alone used them (its probes; of an admin key that is a warning too). A key without three days and ten requests before the recent stretch has no past to be held against and is left out. `ignore` names networks that are meant to be there; fewer requests than `minRequests` are no finding.',
  needs: ['log'],
  settings: { ignore: 'networks', minRequests: 'requests' },
  ...heldByKey(standingByPast),

  *check({ keys, log }, { ignore, minRequests = 1 }) {
    if (!log.known) return
    const isIgnored = createIgnored(ignore)
    for (const key of keys) {
      const own = log.value.keys.get(key.id)
      const novelty = own && key.status === 'active' ? newNetworksOf(log.value, own, isIgnored) : undefined
      if (novelty === undefined) continue
      const requests = novelty.sightings.reduce((sum, each) => sum + each.requests, 0)
      if (requests < Math.max(1, minRequests)) continue
      yield finding(key, novelty, requests, log.value)
    }
  },
}

function finding(key: Key, novelty: NewNetworks, requests: number, log: AccountLog): Finding {
  const { sightings, callers, known, usual, unkept } = novelty
  const why = whyHarmless(novelty, key)
  return {
    rule: newNetwork.id,
    severity: why === undefined ? 'warning' : 'note',
    key,
    message: `${counted(requests, 'request')} from ${counted(sightings.length, 'network')} never seen before${why === undefined ? '' : `, ${why}`}: ${listed(sightings.map(({ value }) => value))}`,
    evidence: {
      networks: sightingList(sightings),
      programs: [...new Set(callers.map(({ program }) => program || 'an unnamed program'))].slice(0, 10),
      requests,
      firstAt: instant(Math.min(...sightings.map(({ firstAt }) => firstAt))),
      lastAt: instant(Math.max(...sightings.map(({ lastAt }) => lastAt))),
      knownNetworks: known,
      ...(rounded(usual) > 0 && { newNetworksUsually: rounded(usual) }),
      recentSince: instant(log.recentSince),
      ...(unkept > 0 && { requestsFromNetworksNotKept: unkept }),
    },
    mend: ['pictify-keys', 'incident', key.id],
  }
}
