import { describe, expect, test } from 'vitest'
import { checklist, holdChecklist, type CheckedItem } from '../../src/audit/checklist.ts'
import { createKeyLog, type KeyLog } from '../../src/audit/key-log.ts'
import { rules } from '../../src/audit/rules.ts'
import type { Survey } from '../../src/audit/survey.ts'
import type { Severity } from '../../src/fleet/fleet.ts'
import { emptySurvey, surveyed, surveyedAt } from './survey-fixture.ts'

/** "Security Checklist", as the API's page on key security has it. */
const published = [
  'API keys stored in environment variables or secrets manager',
  '.env files excluded from version control',
  'Separate keys for production and development',
  'Keys rotated regularly (at least annually)',
  'Unused keys revoked',
  'API usage monitored for anomalies',
  'Access to key creation restricted',
  'Incident response plan documented',
]

test('it has every item that is published, in its words and order', () => {
  expect(checklist.map(({ item }) => item)).toEqual(published)
})

test.each(checklist.map((each) => [each.item, each] as const))(
  '%s: rules that there are, or why it cannot be checked',
  (_, { rules: ids, unseen }) => {
    const known = rules.map(({ id }) => id)
    expect(ids.filter((id) => !known.includes(id))).toEqual([])
    expect(ids.length > 0 || unseen !== null).toBe(true)
  },
)

const all = (_: string): boolean => false
const skipped =
  (...ids: string[]) =>
  (id: string) =>
    ids.includes(id)
const [stored, excluded, separate, rotated, unusedRevoked, monitored, restricted, planned] = published

/** A repository of one file; two keys, of which an application uses one. */
const app = surveyed()
const admin = surveyed({ id: 'key_admin1', name: 'Team admin', access: 'admin' })
const tree = {
  secrets: [],
  hasRepository: true,
  files: 1,
  unread: 0,
  strangers: [] as string[],
  isCut: false,
}
const whole: Survey = {
  ...emptySurvey,
  keys: [app, admin],
  ownKeyId: admin.id,
  tree: { known: true, value: tree },
  log: logOf({ [app.id]: ['axios'], [admin.id]: ['pictify-keys'] }),
}

function logOf(programs: Record<string, readonly string[]>): Survey['log'] {
  const keys = new Map<string, KeyLog>()
  let events = 0
  for (const [keyId, userAgents] of Object.entries(programs)) {
    const log = createKeyLog({ allowance: { left: 100 } })
    for (const userAgent of userAgents) {
      const request = { method: 'GET', endpoint: '/templates', status: 200, ip: '203.0.113.7', userAgent }
      log.add({ timestamp: '2026-02-20T10:00:00Z', action: 'api.request', keyId, ...request })
      events += 1
    }
    keys.set(keyId, log)
  }
  const stretch = { since: surveyedAt - 30 * 86_400_000, until: surveyedAt }
  return { known: true, value: { ...stretch, recentSince: emptySurvey.recentSince, events, keys } }
}

function stateOf(
  item: string | undefined,
  { survey = whole, findings = [] as Found[], isNotHeld = all } = {},
): Partial<CheckedItem> | undefined {
  return holdChecklist(survey, findings, isNotHeld).find((each) => each.item === item)
}

interface Found {
  rule: string
  severity: Severity
  place: { file: string; line: number } | null
}
const found = (rule: string, file?: string, severity: Severity = 'error'): Found => ({
  rule,
  severity,
  place: file === undefined ? null : { file, line: 1 },
})

describe('an item', () => {
  test('is in order where its rules were held, had something to look at, and found nothing', () => {
    const others = { findings: [found('vague-name')], isNotHeld: skipped('new-country') }
    expect(stateOf(unusedRevoked, others)).toMatchObject({ state: 'in-order', findings: 0, notHeld: [] })
    const states = holdChecklist(whole, [], all).map(({ state }) => state)
    expect(states).toEqual([...Array<string>(7).fill('in-order'), 'not-checkable'])
  })

  test('has the findings of its rules', () => {
    const findings = ['unused', 'unused', 'never-used'].map((rule) => found(rule))
    expect(stateOf(unusedRevoked, { findings })).toMatchObject({ state: 'findings', findings: 3 })
  })

  test('is not known where one of its rules was not held', () => {
    expect(stateOf(unusedRevoked, { isNotHeld: skipped('unused') })).toMatchObject({
      state: 'unknown',
      notHeld: ['unused'],
    })
  })

  test('that no rule covers cannot be checked, whatever was found', () => {
    expect(stateOf(planned)).toMatchObject({ state: 'not-checkable' })
  })

  const at = (value: Partial<typeof tree>): Partial<Survey> => ({
    tree: { known: true, value: { ...tree, ...value } },
  })
  test.each<[string, string | undefined, Partial<Survey>, RegExp]>([
    ['of an account without keys', unusedRevoked, { keys: [] }, /no active key/],
    ['of one whose only key is that of the audit', unusedRevoked, { keys: [admin] }, /no active key besides/],
    ['of one whose keys are revoked', rotated, { keys: [surveyed({ status: 'revoked' })] }, /no active key/],
    ['without a request in the log', separate, { log: logOf({}) }, /no request of an active key/],
    [
      'where all that is logged is our own',
      monitored,
      { log: logOf({ [app.id]: ['pictify-keys'] }) },
      /no req/,
    ],
    ['of an empty log', restricted, { log: logOf({}) }, /the audit log is empty/],
    ['in no repository', stored, at({ hasRepository: false, files: 0 }), /in no repository/],
    ['in no repository, whatever was looked at', excluded, at({ hasRepository: false }), /in no repository/],
    ['in an empty repository', excluded, at({ files: 0 }), /no file/],
    ['where files could not be read', stored, at({ unread: 2 }), /not every file/],
  ])('is not known %s', (_, item, fields, why) => {
    expect(stateOf(item, { survey: { ...whole, ...fields } })).toMatchObject({
      state: 'unknown',
      nothingIn: expect.stringMatching(why) as string,
    })
  })
})

test('what was passed over is said with the item, whatever was found', () => {
  const value = { ...tree, unread: 2, strangers: ['tools/a', 'tools/b'], isCut: true }
  const survey: Survey = { ...whole, tree: { known: true, value } }
  const passedOver = /not searched: 2; .* not searched: tools\/a and tools\/b; .* than are listed; where else/
  for (const findings of [[], [found('secret-in-tree', 'src/app.js')]]) {
    expect(stateOf(stored, { survey, findings })?.unseen).toMatch(passedOver)
  }
  expect(stateOf(stored)?.unseen).toMatch(/^where else/)
})

describe('of secrets in files', () => {
  const outside: Survey = { ...whole, tree: { known: true, value: { ...tree, hasRepository: false } } }
  test.each<[string, string | undefined, Found, Survey, CheckedItem['state']]>([
    ['a source file is nothing of .env', excluded, found('secret-in-tree', 'src/app.js'), whole, 'in-order'],
    ['but a secret is where it is not to be', stored, found('secret-in-tree', 'a.js'), whole, 'findings'],
    ['a .env', excluded, found('secret-in-tree', 'app/.env.local', 'warning'), whole, 'findings'],
    ['a prod.env', excluded, found('secret-in-tree', 'prod.env'), whole, 'findings'],
    ['without a repository none is', excluded, found('secret-in-tree', '.env'), outside, 'unknown'],
    ['one that its owner alone reads', stored, found('secret-in-tree', '.env', 'note'), outside, 'unknown'],
    ['one that others read', stored, found('secret-in-tree', '.env'), outside, 'findings'],
  ])('%s', (_, item, finding, survey, state) => {
    expect(stateOf(item, { survey, findings: [finding] })).toMatchObject({ state })
  })
})
