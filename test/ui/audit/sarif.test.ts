import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { auditSarif } from '../../../src/ui/audit/sarif.ts'
import type { AuditSubject } from '../../../src/ui/audit/subject.ts'
import { emptySurvey } from '../../audit/survey-fixture.ts'
import { hostile, rule, subject } from './subject-fixture.ts'

const schemaFile = new URL('../../schema/sarif/sarif-schema-2.1.0.json', import.meta.url)

interface Result {
  ruleId: string
  ruleIndex: number
  level: string
  message: { text: string }
  locations: {
    physicalLocation: { artifactLocation: { uri: string; uriBaseId: string }; region: { startLine: number } }
    logicalLocations?: { name: string; fullyQualifiedName: string }[]
  }[]
  partialFingerprints: Record<string, string>
  suppressions?: { justification: string }[]
}
interface Run {
  tool: {
    driver: { rules: { id: string; help: { text: string }; defaultConfiguration: { level: string } }[] }
  }
  invocations: {
    toolConfigurationNotifications: { associatedRule: { id: string }; message: { text: string } }[]
  }[]
  results: Result[]
}

let validate: ReturnType<Ajv['compile']>
beforeAll(() => {
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false })
  addFormats.default(ajv)
  validate = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')) as object)
})

function runOf(given: AuditSubject): Run {
  const log = JSON.parse(auditSarif(given)) as { runs: [Run] }
  expect(validate(log), JSON.stringify(validate.errors)).toBe(true)
  return log.runs[0]
}

const fleet: AuditSubject['survey']['fleet'] = {
  known: true,
  value: {
    path: '/home/jane/shop/ops/pictify-keys.yaml',
    file: 'pictify-keys.yaml',
    keys: [
      {
        key: 'Production Server',
        line: 7,
        type: 'live',
        maxAgeMs: undefined,
        overlapMs: undefined,
        to: [],
        verify: undefined,
      },
    ],
    audit: { rules: {}, workingHours: undefined, accept: [] },
    alerts: [],
    notify: [],
  },
}

describe('an audit as SARIF', () => {
  test('the schema refuses what is no SARIF', () => {
    expect(validate({ version: '2.1.0', runs: [{ results: [] }] })).toBe(false)
    expect(
      validate({ version: '2.1.0', runs: [{ tool: { driver: { name: 'x', informationUri: 'no uri' } } }] }),
    ).toBe(false)
  })

  test('is as the OASIS schema says, also with nothing in it', () => {
    expect(runOf(subject()).results).toHaveLength(5)
    expect(runOf(subject({ keys: 0, rules: [], survey: { ...emptySurvey } })).results).toEqual([])
  })

  test('every result is of a rule that is listed with its help and its level', () => {
    const { tool, results } = runOf(subject())
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
    expect(tool.driver.rules[0]).toMatchObject({
      id: 'key-age',
      help: { text: 'Why key-age matters, and how it is told.' },
      defaultConfiguration: { level: 'error' },
    })
    expect(results.map(({ level }) => level)).toEqual(['error', 'error', 'warning', 'warning', 'note'])
  })

  test('what was skipped is a notification of its rule', () => {
    const [invocation] = runOf(subject()).invocations
    const said = invocation?.toolConfigurationNotifications.map(({ associatedRule, message }) => [
      associatedRule.id,
      message.text,
    ])
    expect(said?.[0]).toEqual([
      'new-network',
      'new-network was skipped, it neither passed nor failed: the API keeps no audit log',
    ])
    expect(said).toHaveLength(2)
  })

  test('a secret is where it stands, from the root of the repository', () => {
    const { results } = runOf(subject())
    const { physicalLocation } = results.find(({ ruleId }) => ruleId === 'secret-in-tree')?.locations[0] ?? {}
    expect(physicalLocation).toEqual({
      artifactLocation: { uri: 'ops/config/de%20v/%5Bprod%5D.env', uriBaseId: '%SRCROOT%' },
      region: { startLine: 12 },
    })
  })

  test('a key is at its line of the keys file, at the first where the file does not name it or there is none', () => {
    const at = (given: AuditSubject) =>
      runOf(given).results.map(({ locations: [location] }) => [
        location?.logicalLocations?.[0]?.fullyQualifiedName,
        location?.physicalLocation.artifactLocation.uri,
        location?.physicalLocation.region.startLine,
      ])
    const named = at(subject({ survey: { fleet } }))
    expect(named[0]).toEqual(['key_0000', 'ops/pictify-keys.yaml', 7])
    expect(named[2]).toEqual(['key_0001', 'ops/pictify-keys.yaml', 1])
    expect(at(subject())[0]).toEqual(['key_0000', 'pictify-keys.yaml', 1])
  })

  test('no path of this machine is in it', () => {
    if (!fleet.known) throw new Error('no file')
    const elsewhere: typeof fleet = { ...fleet, value: { ...fleet.value, path: '/etc/jane/keys.yaml' } }
    for (const given of [
      subject(),
      subject({ survey: { fleet } }),
      subject({ survey: { fleet: elsewhere } }),
    ]) {
      expect(auditSarif(given)).not.toMatch(/jane|\/home|\/etc|\.\.\//)
    }
  })

  test('fingerprints tell findings apart and stay when what was measured changes', () => {
    const [first, later] = [400, 401].map((ageDays) => {
      const of = (id: string, message: string) => ({
        rule: 'r',
        severity: 'error' as const,
        key: { id, name: id, type: 'live' as const },
        message,
        evidence: { ageDays },
        mend: undefined,
      })
      const found = [
        of('key_1', `it is ${ageDays} days old`),
        of('key_1', `and ${ageDays}`),
        of('key_2', 'old'),
      ]
      return runOf(subject({ rules: [rule('r', 'error', found)] })).results.map(
        ({ partialFingerprints }) => partialFingerprints['primaryLocationLineHash'],
      )
    })
    expect(new Set(first).size).toBe(3)
    expect(later).toEqual(first)
  })

  test('fingerprints are the same from every folder of the repository', () => {
    const [above, below] = [
      { cwd: '/home/jane/shop', file: 'ops/config/.env' },
      { cwd: '/home/jane/shop/ops/config', file: '.env' },
    ].map(({ cwd, file }) => {
      const found = {
        rule: 'secret-in-tree',
        severity: 'error' as const,
        key: undefined,
        message: 'a secret',
        evidence: { secret: 'pk_live_…x7Qa' },
        mend: undefined,
        place: { file, line: 3 },
      }
      const given = { ...subject({ rules: [rule('secret-in-tree', 'error', [found])] }), cwd }
      return runOf(given).results.map(({ partialFingerprints }) => partialFingerprints)
    })
    expect(below).toEqual(above)
  })

  test('the program says its version both ways', () => {
    expect(runOf(subject()).tool.driver).toMatchObject({ version: '0.1.0', semanticVersion: '0.1.0' })
  })

  test('what is accepted is suppressed, with its reason', () => {
    const accept = [{ line: 1, rule: 'vague-name', key: undefined, reason: 'meant', until: undefined }]
    const { results } = runOf(subject({ accept }))
    expect(
      results
        .filter(({ suppressions }) => suppressions)
        .map(({ ruleId, suppressions }) => [ruleId, suppressions?.[0]?.justification]),
    ).toEqual([['vague-name', 'meant']])
  })

  test('what comes from outside is no link and no placeholder', () => {
    const key = { id: 'key_1', name: `{0} ${hostile}`, type: 'live' as const }
    const found = [{ rule: 'r', severity: 'note' as const, key, message: 'm', evidence: {}, mend: undefined }]
    const [result] = runOf(subject({ rules: [rule('r', 'note', found)] })).results
    expect(result?.message.text).toContain('[x] (javascript:alert(3))')
    expect(result?.message.text).not.toMatch(/\{\d+\}|\]\(|[\u001b\u202e]/)
  })
})
