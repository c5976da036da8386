import type { Key } from '../../api/contract.ts'
import type { Finding } from '../finding.ts'
import { createIgnored } from '../ignored.ts'
import { callerOf, type Caller, type KeyLog, ownProgram } from '../key-log.ts'
import type { Rule } from '../rule.ts'
import { heldByKey, standingByLog, type Standing } from '../standing.ts'
import type { AccountLog, Survey } from '../survey.ts'
import { counted, instant, listed, sightingList } from '../wording.ts'

const dayMs = 86_400_000
const silentMs = 14 * dayMs

export const wokeUp: Rule = {
  id: 'woke-up',
  severity: 'warning',
  summary: 'a key that was silent for weeks is used again',
  help:
    'Nobody watches a key that nobody uses: a stolen one that wakes up has no past that its new networks and programs could be held against. It is told by a key that the audit log shows in the recent stretch (`--recent`) after 14 days or more (`warnAfter`) without a request, by the days of its usage, else by the log, as far as that reaches back. ' +
    'It is a note where all of its requests come from networks that other keys of the account are used from: a job of every month, say. What pictify-keys itself asks is not counted; `ignore` names programs and networks that are meant to be there, fewer requests than `minRequests` are no finding.',
  needs: ['log'],
  goesBy: ['usage'],
  settings: { warnAfterMs: 'duration', ignore: 'programs', minRequests: 'requests' },
  ...heldByKey((key, survey, { warnAfterMs = silentMs }) => {
    const standing = standingByLog(key, survey)
    const silence = standing?.known ? silenceOf(key, survey, warnAfterMs) : undefined
    return silence !== undefined && 'known' in silence ? silence : standing
  }),

  *check(survey, { warnAfterMs = silentMs, ignore, minRequests = 1 }) {
    const { keys, log } = survey
    if (!log.known) return
    const isIgnored = createIgnored(ignore)
    for (const key of keys) {
      const own = log.value.keys.get(key.id)
      const silence = key.status === 'active' ? silenceOf(key, survey, warnAfterMs) : undefined
      if (own === undefined || silence === undefined || 'known' in silence) continue
      const callers = own.callers
        .list()
        .map(callerOf)
        .filter(({ recent, program, network }) => {
          return recent > 0 && program !== ownProgram && !isIgnored(program) && !isIgnored(network)
        })
      const requests = callers.reduce((sum, { recent }) => sum + recent, 0)
      if (requests >= Math.max(1, minRequests)) yield finding(key, silence, callers, log.value)
    }
  },
}

interface Silence {
  days: number
  /** When it was used again. */
  until: number
}

/** Undefined where it was used all along, is young, or is silent still. */
function silenceOf(key: Key, survey: Survey, atLeastMs: number): Silence | Standing {
  const { log, usage, recentSince } = survey
  const own = log.known ? log.value.keys.get(key.id) : undefined
  if (!log.known || own?.firstAt === undefined || own.recent === 0) return undefined
  const createdAt = Date.parse(key.createdAt)
  const days = usage.known ? usage.value.get(key.id)?.days : undefined
  if (days !== undefined) return silenceByDays(days, recentSince, atLeastMs)
  if (own.firstAt < recentSince || own.firstAt - createdAt < atLeastMs) return undefined
  // before the first event of any key nobody knows who was silent
  const reaches = Math.min(...[...log.value.keys.values()].map(({ firstAt = Infinity }) => firstAt))
  const silent = own.firstAt - Math.max(createdAt, reaches)
  if (silent >= atLeastMs) return { days: Math.floor(silent / dayMs), until: own.firstAt }
  return {
    known: false,
    why: 'neither the audit log nor its usage reaches back far enough to tell whether a key was silent',
  }
}

function silenceByDays(
  { lastDay, requests }: { lastDay: string; requests: readonly number[] },
  recentSince: number,
  atLeastMs: number,
): Silence | undefined {
  const first = Date.parse(lastDay) - (requests.length - 1) * dayMs
  const woke = requests.findIndex((count, day) => count > 0 && first + (day + 1) * dayMs > recentSince)
  if (woke === -1) return undefined
  const before = requests.slice(0, woke).findLastIndex((count) => count > 0)
  const days = woke - before - 1
  return days * dayMs >= atLeastMs ? { days, until: first + woke * dayMs } : undefined
}

function finding(key: Key, { days, until }: Silence, callers: readonly Caller[], log: AccountLog): Finding {
  const others = networksOfOthers(key, log)
  const areOthers = callers.every(({ network }) => others.has(network))
  const requests = callers.reduce((sum, { recent }) => sum + recent, 0)
  const names = (pick: (caller: Caller) => string) => [...new Set(callers.map(pick))].filter(Boolean)
  const from = names(({ network }) => network)
  const by = names(({ program }) => program)
  return {
    rule: wokeUp.id,
    severity: areOthers ? 'note' : 'warning',
    key,
    message:
      `was silent for ${counted(days, 'day')}, then made ${counted(requests, 'request')} from ${instant(until).slice(0, 10)} on` +
      `${by.length > 0 ? ` by ${listed(by)}` : ''}${from.length > 0 ? ` from ${listed(from)}` : ''}${areOthers ? ', where other keys are used too' : ''}`,
    evidence: {
      silentDays: days,
      requests,
      uses: sightingList(
        callers.map((caller) => ({
          ...caller,
          requests: caller.recent,
          value: `${caller.program || 'an unnamed program'} from ${caller.network || 'an unknown network'}`,
        })),
      ),
      recentSince: instant(log.recentSince),
    },
    mend: ['pictify-keys', 'incident', key.id],
  }
}

function networksOfOthers({ id }: Key, { keys }: AccountLog): ReadonlySet<string> {
  const others = [...keys].filter(([other]) => other !== id)
  return new Set(
    others.flatMap(([, { networks }]: [string, KeyLog]) => networks.list().map(({ value }) => value)),
  )
}
