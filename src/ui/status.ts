import type { KeyType, Plan } from '../api/contract.ts'
import type { CredentialSource } from '../credentials/credential.ts'
import { formatDuration } from '../duration.ts'
import { formatAge } from './ages.ts'
import type { Output } from './output.ts'

export interface Problem {
  code: string
  message: string
  hint?: string | undefined
}

/** How many active keys of a type there are; `limit` is null where it is not known, or there is none. */
export interface Headroom {
  active: number
  limit: number | null
}

export interface OpenRotation {
  id: string
  state: string
  oldKey: { id: string; name: string }
  startedAt: string
}

/** What `status --json` prints under `status`. */
export interface StatusReport {
  version: string
  profile: string | null
  apiUrl: string | null
  /** `protected`: who can read it besides its owner, in words. */
  credential: (CredentialSource & { key: string; protection: string }) | null
  api: { reachable: boolean; accepted: boolean; clockSkewMs: number | null }
  plan: Plan | null
  keys: Record<KeyType, Headroom> | null
  rateLimit: { limit: number; remaining: number; resetAt: string } | null
  stateDir: string
  rotations: OpenRotation[]
  problems: Problem[]
}

/** The report of `status` for people: what is, then what is wrong with what to do about it. */
export function statusText(report: StatusReport, now: number, { paint }: Output): string {
  const lines: [string, string][] = [
    ['API', apiLine(report)],
    ['profile', report.profile ?? 'unreadable'],
    ['credential', credentialLine(report)],
    ['plan', report.plan ?? (report.api.accepted ? 'not known (--plan says it)' : 'not known')],
    [
      'keys',
      report.keys
        ? `${keysLine('live', report.keys.live)}, ${keysLine('test', report.keys.test)}`
        : 'not known',
    ],
    ...(report.rateLimit
      ? [
          ['rate', `${report.rateLimit.remaining} of ${report.rateLimit.limit} requests a minute left`] as [
            string,
            string,
          ],
        ]
      : []),
    ['rotations', report.rotations.length === 0 ? 'none open' : `${report.rotations.length} open`],
  ]
  const facts = lines.map(([label, value]) => `${paint.dim(`${label}:`.padEnd(12))}${value}`)
  const rotations = report.rotations.map(
    ({ oldKey, state, startedAt }) =>
      `${' '.repeat(12)}${oldKey.name} (${oldKey.id}): ${state}, begun ${formatAge(startedAt, now)}`,
  )
  const problems = report.problems.flatMap(({ message, hint }) => [
    `${paint.yellow('!')} ${message}`,
    ...(hint === undefined ? [] : [`  ${paint.dim(hint)}`]),
  ])
  const verdict = report.problems.length === 0 ? [paint.green('everything is in order')] : problems
  return [...facts, ...rotations, '', ...verdict].join('\n')
}

function apiLine({ apiUrl, api }: StatusReport): string {
  if (apiUrl === null) return 'no usable address'
  const state = api.accepted
    ? 'reachable'
    : api.reachable
      ? 'reachable, but refuses the credential'
      : 'not reached'
  const skew = api.clockSkewMs === null ? '' : `, clocks ${formatDuration(Math.abs(api.clockSkewMs))} apart`
  return `${apiUrl} (${state}${skew})`
}

function credentialLine({ credential }: StatusReport): string {
  if (credential === null) return 'none that can be used'
  const place = placeOf(credential)
  return `${credential.key} ${place} (${credential.protection})`
}

function placeOf(source: CredentialSource): string {
  if (source.kind === 'environment') return `from ${source.variable}`
  if (source.kind === 'file') return `in ${source.path}`
  return `in ${source.keychain} (${source.service}, ${source.account})`
}

function keysLine(type: string, { active, limit }: Headroom): string {
  return limit === null ? `${active} ${type}` : `${active} of ${limit} ${type}`
}
