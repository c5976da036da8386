import type { Key } from '../../api/contract.ts'
import { readAddress } from '../address.ts'
import { nameOfAnother } from '../another-name.ts'
import { developmentProgramOf } from '../development.ts'
import type { Finding } from '../finding.ts'
import { createIgnored } from '../ignored.ts'
import { callerOf, type Caller, type KeyLog, ownProgram } from '../key-log.ts'
import type { Rule } from '../rule.ts'
import { heldByKey, standingByLog } from '../standing.ts'
import type { AccountLog } from '../survey.ts'
import { counted, instant, listed, sightingList } from '../wording.ts'

export const liveKeyInDevelopment: Rule = {
  id: 'live-key-in-development',
  severity: 'warning',
  summary: 'a live key is used from development',
  help:
    'A live key on a laptop or in a CI job lies where many can read it, and what it renders there counts against the plan: that is what test keys are for. Development is told by addresses in the audit log (loopback, and private networks) and by programs: CI systems (GitHub Actions, GitLab, Jenkins, CircleCI and others), API clients (Postman, Insomnia and others), test runners (jest, pytest, k6 and others) and command-line clients (curl, Wget, HTTPie, PowerShell and others). ' +
    'It is a note where none of it was recent, or where a command-line client alone uses the key, which may be a script of production. What pictify-keys itself does is not counted; `ignore` names user agents and networks that are meant to be there.',
  needs: ['log'],
  settings: { ignore: 'programs' },
  ...heldByKey((key, survey) => (key.type === 'live' ? standingByLog(key, survey) : undefined)),

  *check({ keys, log }, { ignore }) {
    if (!log.known) return
    const isIgnored = createIgnored(ignore)
    for (const key of keys) {
      const own = log.value.keys.get(key.id)
      if (key.status !== 'active' || key.type !== 'live' || own === undefined) continue
      const found = usesOf(own, isIgnored)
      if (found.uses.length > 0) yield finding(key, found, log.value, own)
    }
  },
}

interface Use extends Caller {
  /** `curl`, `loopback`. */
  signs: string[]
  /** A command-line client from a network of the internet. */
  maybeScript: boolean
}

function usesOf(log: KeyLog, isIgnored: (value: string) => boolean): { uses: Use[]; byOthers: boolean } {
  const uses: Use[] = []
  let byOthers = false
  for (const caller of log.callers.list().map(callerOf)) {
    const { program, network } = caller
    if (program === ownProgram || isIgnored(program) || (network !== '' && isIgnored(network))) continue
    const known = developmentProgramOf(program)
    const { kind } = readAddress(network.split('/')[0] ?? '')
    const place = kind === 'loopback' ? 'loopback' : kind === 'private' ? 'a private network' : undefined
    const signs = [known?.name, place].filter((sign) => sign !== undefined)
    if (signs.length > 0)
      uses.push({ ...caller, signs, maybeScript: place === undefined && known?.kind === 'command-line' })
    else byOthers = true
  }
  return { uses, byOthers }
}

function finding(
  key: Key,
  { uses, byOthers }: { uses: Use[]; byOthers: boolean },
  { recentSince }: AccountLog,
  log: KeyLog,
): Finding {
  const signs = [...new Set(uses.flatMap((use) => use.signs))]
  const requests = uses.reduce((sum, use) => sum + use.requests, 0)
  const lastAt = Math.max(...uses.map((use) => use.lastAt))
  const isScript = !byOthers && uses.every(({ maybeScript }) => maybeScript)
  const when = lastAt < recentSince ? `, last on ${instant(lastAt).slice(0, 10)}` : ''
  return {
    rule: liveKeyInDevelopment.id,
    severity: lastAt < recentSince || isScript ? 'note' : 'warning',
    key,
    message: `a live key, used from development: ${listed(signs, 5)} (${counted(requests, 'request')}${when})`,
    evidence: {
      signs,
      requests,
      ofRequests: log.requests,
      firstAt: instant(Math.min(...uses.map((use) => use.firstAt))),
      lastAt: instant(lastAt),
      uses: sightingList(
        uses.map((use) => ({
          ...use,
          value: `${use.program || 'an unnamed program'} from ${use.network || 'an unknown network'}`,
        })),
      ),
    },
    mend: ['pictify-keys', 'create', nameOfAnother(key.name, 'development'), '--type', 'test'],
  }
}
