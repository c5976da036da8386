import type { Key } from '../../../src/api/contract.ts'
import type { Finding } from '../../../src/audit/finding.ts'
import { judge } from '../../../src/audit/report.ts'
import type { Rule, Source } from '../../../src/audit/rule.ts'
import type { KeyUsage, Survey } from '../../../src/audit/survey.ts'
import type { Acceptance, Severity } from '../../../src/fleet/fleet.ts'
import type { Receipt } from '../../../src/rotation/state.ts'
import type { AuditSubject } from '../../../src/ui/audit/subject.ts'
import { emptySurvey, surveyed, surveyedAt } from '../../audit/survey-fixture.ts'

const dayMs = 86_400_000
const lastDay = '2026-03-01'

/** What a hostile server, or somebody who names a key, puts where it is shown. */
export const hostile =
  '</style><script>alert(1)</script><img src=x onerror=alert(2)> [x](javascript:alert(3)) |@all ‮\u001b[31m=cmd()'

/** Names as teams give them, and as nobody should. */
const names = [
  'Production Server',
  'Checkout API',
  'Invoice Renderer',
  'Marketing Site',
  'CI/CD',
  'Newsletter Images',
  'Staging Server',
  'Analytics (read-only)',
  'Partner Portal',
  'Test Suite CI (staging)',
  'Key 1',
  'שרת ייצור',
] as const

/** The same figures in every run: a small generator, for pictures are compared by people. */
function createChance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

export function manyKeys(count: number): { keys: Key[]; usage: Map<string, KeyUsage> } {
  const chance = createChance(7)
  const keys: Key[] = []
  const usage = new Map<string, KeyUsage>()
  for (let index = 0; index < count; index += 1) {
    const id = `key_${index.toString(36).padStart(4, '0')}`
    const age = [412, 200, 120][index] ?? 1 + 700 * chance() ** 2
    const isIdle = index % 7 === 6
    const name = `${names[index % names.length]}${index >= names.length ? ` ${index}` : ''}`
    keys.push(
      surveyed({
        id,
        name,
        type: index % 3 === 2 ? 'test' : 'live',
        access: index === 3 ? 'admin' : 'full',
        createdAt: new Date(surveyedAt - age * dayMs).toISOString(),
        lastUsedAt: isIdle ? null : new Date(surveyedAt - chance() * dayMs).toISOString(),
      }),
    )
    if (isIdle) continue
    const usual = 10 ** (1 + 3 * chance())
    const requests = Array.from({ length: Math.min(30, Math.ceil(age)) }, (_, day) =>
      Math.round(usual * (day % 7 > 4 ? 0.3 : 1) * (0.7 + 0.6 * chance())),
    )
    const errors = requests.map((each) => Math.round(each * (index === 1 ? 0.12 : 0.01) * chance()))
    const sum = (list: readonly number[]) => list.reduce((all, each) => all + each, 0)
    const window = (days: number) => ({
      requests: sum(requests.slice(-days)),
      errors: sum(errors.slice(-days)),
      latencyMs: { p50: 80, p95: 100 + Math.round(900 * chance()), p99: 1_400 },
    })
    usage.set(id, {
      updatedAt: surveyedAt,
      windows: { '24h': window(1), '7d': window(7), '30d': window(30) },
      days: { lastDay, requests, errors },
      countries: undefined,
    })
  }
  return { keys, usage }
}

export function rule(id: string, severity: Severity, found: readonly Finding[], needs: Source[] = []): Rule {
  return {
    id,
    severity,
    summary: `what ${id} looks for is there`,
    help: `Why ${id} matters, and how it is told.`,
    needs,
    check: () => found,
  }
}

export function receipt(fields: Partial<Receipt> = {}): Receipt {
  return {
    id: '7f3a9c',
    state: 'done',
    apiUrl: 'https://api.pictify.test',
    oldKey: { ...surveyed(), id: 'key_old1', name: 'Production Server' },
    newKey: { id: 'key_0000', createdAt: '2026-02-20T10:00:00.000Z' },
    targets: [{ name: 'aws-sm:prod/pictify#api_key', state: 'delivered' }],
    evidence: {
      checkedAt: '2026-02-20T10:09:00.000Z',
      waived: false,
      overlapOver: true,
      oldKeyIdle: true,
      oldKeyLastUsedAt: '2026-02-20T10:04:00.000Z',
      usageUpdatedAt: '2026-02-20T10:08:00.000Z',
      successorUsed: true,
      successorUseRequired: true,
      successorLastUsedAt: '2026-02-20T10:08:30.000Z',
    },
    verify: './smoke-test.sh',
    restarts: ['deployment/web'],
    self: false,
    compromised: false,
    failure: null,
    notes: [],
    startedAt: '2026-02-20T10:00:00.000Z',
    updatedAt: '2026-02-20T10:09:30.000Z',
    finishedAt: '2026-02-20T10:09:30.000Z',
    ...fields,
  }
}

export interface SubjectOptions {
  keys?: number
  rules?: readonly Rule[]
  accept?: readonly Acceptance[]
  receipts?: readonly Receipt[]
  survey?: Partial<Survey>
}

/** An account as it is found: some keys in order, some old, one hostile, a rule that cannot be held. */
export function subject({
  keys: count = 24,
  rules,
  accept = [],
  receipts,
  survey: own,
}: SubjectOptions = {}): AuditSubject {
  const { keys, usage } = manyKeys(count)
  const survey: Survey = {
    ...emptySurvey,
    keys,
    usage: { known: true, value: usage },
    tree: {
      known: true,
      value: { secrets: [], hasRepository: true, files: 1, unread: 0, strangers: [], isCut: false },
    },
    ...own,
  }
  const report = judge(
    survey,
    rules ?? standardRules(keys),
    { rules: {}, workingHours: undefined, accept },
    (words) => words.join(' '),
  )
  return {
    report,
    survey,
    receipts: receipts ?? [
      receipt(),
      receipt({
        id: '11aa22',
        state: 'aborted',
        failure: { code: 'verify-failed', message: 'the verify command ended with 1' },
      }),
    ],
    version: '0.1.0',
    cwd: '/home/jane/shop/ops',
    root: '/home/jane/shop',
  }
}

function standardRules(keys: readonly Key[]): Rule[] {
  const [first, second, third] = keys
  const of = (id: string, severity: Severity, key: Key | undefined, fields: Partial<Finding>): Finding => ({
    rule: id,
    severity,
    key,
    message: 'it is not as it should be',
    evidence: {},
    mend: key && ['pictify-keys', 'rotate', key.id, '--to', 'env:.env#PICTIFY_API_KEY'],
    ...fields,
  })
  return [
    rule('key-age', 'error', [
      of('key-age', 'error', first, {
        message: 'it is 412 days old, and may be 365',
        evidence: { ageDays: 412, createdAt: '2025-01-13T09:00:00.000Z', maxAgeMs: 365 * dayMs },
      }),
      of('key-age', 'warning', third, { message: 'it is 120 days old', evidence: { ageDays: 120 } }),
    ]),
    rule('error-rate', 'warning', [
      of('error-rate', 'warning', second, {
        message: '12.4 % of its requests failed today, of usually 0.6 %',
        evidence: {
          requests: 18_234,
          errorPercent24h: 12.4,
          errorPercentBefore: 0.6,
          endpoints: ['POST /image', 'POST /gif'],
        },
      }),
    ]),
    rule('secret-in-tree', 'error', [
      {
        rule: 'secret-in-tree',
        severity: 'error',
        key: undefined,
        message: 'pk_live_…x7Qa stands in a file that git tracks',
        evidence: { secret: 'pk_live_…x7Qa', state: 'tracked', probe: 'accepted' },
        mend: ['pictify-keys', 'rotate', 'key_0001', '--compromised'],
        place: { file: 'config/de v/[prod].env', line: 12 },
      },
    ]),
    rule('vague-name', 'note', [
      of(
        'vague-name',
        'note',
        { ...surveyed(), id: 'key_evil', name: hostile },
        {
          message: `its name is ${hostile}`,
          evidence: { name: hostile },
          mend: ['pictify-keys', 'rename', 'key_evil', "'Partner Portal'"],
        },
      ),
    ]),
    rule('new-network', 'warning', [], ['log']),
    rule('unknown-key', 'warning', [], ['fleet']),
  ]
}
