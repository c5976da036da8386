import { describe, expect, test } from 'vitest'
import { checklist, holdChecklist } from '../../src/audit/checklist.ts'
import { rules } from '../../src/audit/rules.ts'

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

describe('an item', () => {
  const all = rules.map(({ id }) => ({ id }))
  const stateOf = (item: string, ...[found, skipped, inForce]: Parameters<typeof holdChecklist>) =>
    holdChecklist(found, skipped, inForce).find((each) => each.item === item)
  const item = 'Unused keys revoked'

  test('is in order where its rules were held and found nothing', () => {
    expect(stateOf(item, [{ rule: 'vague-name' }], [{ rule: 'new-country' }], all)).toMatchObject({
      state: 'in-order',
      findings: 0,
      notHeld: [],
    })
  })

  test('has the findings of its rules', () => {
    const found = [{ rule: 'unused' }, { rule: 'unused' }, { rule: 'never-used' }]
    expect(stateOf(item, found, [], all)).toMatchObject({ state: 'findings', findings: 3 })
  })

  test('is not known where one of its rules was skipped, or was not held at all', () => {
    expect(stateOf(item, [], [{ rule: 'unused' }], all)).toMatchObject({
      state: 'unknown',
      notHeld: ['unused'],
    })
    const without = all.filter(({ id }) => id !== 'never-used')
    expect(stateOf(item, [], [], without)).toMatchObject({ state: 'unknown', notHeld: ['never-used'] })
  })

  test('that no rule covers cannot be checked, whatever was found', () => {
    expect(stateOf('Incident response plan documented', [], [], all)).toMatchObject({
      state: 'not-checkable',
    })
  })
})
