import { describe, expect, test } from 'vitest'
import type { Finding } from '../../src/audit/finding.ts'
import { judge } from '../../src/audit/report.ts'
import type { Rule } from '../../src/audit/rule.ts'
import type { AuditSettings } from '../../src/fleet/fleet.ts'
import { emptySurvey, surveyed } from './survey-fixture.ts'

const key = surveyed({ id: 'key_abc123', name: 'Production Server' })
const finding = (fields: Partial<Finding> = {}): Finding => ({
  rule: 'old',
  severity: 'warning',
  key,
  message: 'it is old',
  evidence: {},
  mend: undefined,
  ...fields,
})
const rule = (id: string, found: Finding[], needs: Rule['needs'] = []): Rule => ({
  id,
  severity: 'error',
  summary: id,
  help: id,
  needs,
  check: () => found,
})
/** As a shell's line, without its quoting. */
const lineOf = (words: readonly string[]) => words.join(' ')
const settings = (fields: Partial<AuditSettings> = {}): AuditSettings => ({
  rules: {},
  workingHours: undefined,
  accept: [],
  ...fields,
})
const survey = { ...emptySurvey, keys: [key, surveyed({ id: 'key_old', status: 'revoked' })] }

describe('a report', () => {
  test('has what was found, severest first, and counts it', () => {
    const report = judge(
      survey,
      [
        rule('b', [finding({ rule: 'b' }), finding({ rule: 'b', severity: 'error' })]),
        rule('a', [finding({ rule: 'a' })]),
      ],
      settings(),
      lineOf,
    )
    expect(report.findings.map((each) => [each.severity, each.rule])).toEqual([
      ['error', 'b'],
      ['warning', 'a'],
      ['warning', 'b'],
    ])
    expect(report.summary).toEqual({
      keys: { active: 1, revoked: 1 },
      findings: { error: 1, warning: 2, note: 0 },
      accepted: 0,
      skipped: 0,
    })
  })

  test('skips a rule whose source is not to be had, and says why', () => {
    const found = [finding({ rule: 'a' })]
    const { findings, skipped, summary } = judge(survey, [rule('a', found, ['log'])], settings(), lineOf)
    expect([findings, skipped, summary.skipped]).toEqual([
      [],
      [{ rule: 'a', source: 'log', why: 'the API keeps no audit log' }],
      1,
    ])
  })

  test('leaves out rules that are off, and lowers those that are to be less', () => {
    const rules = [
      rule('a', [finding({ rule: 'a', severity: 'error' })]),
      rule('b', [finding({ rule: 'b' })]),
    ]
    const report = judge(
      survey,
      rules,
      settings({ rules: { a: { severity: 'note' }, b: { severity: 'off' } } }),
      lineOf,
    )
    expect(report.findings.map((each) => [each.rule, each.severity])).toEqual([['a', 'note']])
    expect(report.rules.map(({ id }) => id)).toEqual(['a'])
  })

  test('does not make more of a finding than its rule did', () => {
    const report = judge(
      survey,
      [rule('a', [finding({ rule: 'a', severity: 'note' })])],
      settings({ rules: { a: { severity: 'error' } } }),
      lineOf,
    )
    expect(report.findings.map(({ severity }) => severity)).toEqual(['note'])
  })

  test('makes more of the severest that a rule finds where the file says so, and of nothing less', () => {
    const found = [finding({ severity: 'warning' }), finding({ severity: 'note' })]
    const own: Rule = { ...rule('old', found), severity: 'warning' }
    const report = judge(survey, [own], settings({ rules: { old: { severity: 'error' } } }), lineOf)
    expect(report.findings.map(({ severity }) => severity)).toEqual(['error', 'note'])
  })

  test('skips a rule that has nothing to go by, with what the rule says of it', () => {
    const own: Rule = { ...rule('old', [finding()]), skip: () => 'there are no working hours' }
    const report = judge(survey, [own], settings(), lineOf)
    expect(report.findings).toEqual([])
    expect(report.skipped).toEqual([{ rule: 'old', source: null, why: 'there are no working hours' }])
  })

  test('counts the keys that a rule can say nothing of, but not of one that is skipped', () => {
    const leftOut = () => [
      { keys: 2, why: 'too young' },
      { keys: 0, why: 'no past' },
    ]
    const rules: Rule[] = [
      { ...rule('old', []), leftOut },
      { ...rule('young', [], ['log']), leftOut },
    ]
    const report = judge(survey, rules, settings(), lineOf)
    expect(report.leftOut).toEqual([{ rule: 'old', keys: 2, why: 'too young' }])
  })

  test('has no line in which the id of a key would be read as a flag', () => {
    const odd = surveyed({ id: '--force', name: 'Odd' })
    const found = finding({ key: odd, mend: ['pictify-keys', 'rotate', '--force'] })
    const own = finding({ mend: ['pictify-keys', 'rotate', 'key_abc123', '--self'] })
    const { findings } = judge(
      { ...survey, keys: [key, odd] },
      [rule('old', [found, own])],
      settings(),
      lineOf,
    )
    expect(findings.map(({ key: about, mend }) => [about?.id, mend])).toEqual([
      ['--force', null],
      ['key_abc123', 'pictify-keys rotate key_abc123 --self'],
    ])
  })

  test('has the line that mends, made of its words', () => {
    const report = judge(
      survey,
      [rule('old', [finding({ mend: ['pictify-keys', 'delete', 'key_abc123'] })])],
      settings(),
      lineOf,
    )
    expect(report.findings[0]?.mend).toBe('pictify-keys delete key_abc123')
  })

  test.each([
    ['by id', { key: 'key_abc123' }, true],
    ['by name', { key: 'Production Server' }, true],
    ['of every key', { key: undefined }, true],
    ['of another key', { key: 'key_other' }, false],
    ['of another rule', { rule: 'young', key: undefined }, false],
    ['until a day to come', { key: undefined, until: survey.at + 1 }, true],
    ['until a day that is past', { key: undefined, until: survey.at }, false],
  ])('sets aside what is accepted %s', (_, acceptance, applies) => {
    const accept = [{ line: 3, rule: 'old', reason: 'it is being replaced', until: undefined, ...acceptance }]
    const report = judge(survey, [rule('old', [finding()])], settings({ accept }), lineOf)
    expect([report.findings.length, report.accepted.length]).toEqual(applies ? [0, 1] : [1, 0])
    if (applies) expect(report.accepted[0]?.reason).toBe('it is being replaced')
  })
})
