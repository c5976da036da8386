import { parse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import { auditCsv } from '../../../src/ui/audit/csv.ts'
import { rule, subject } from './subject-fixture.ts'

const rows = (options?: Parameters<typeof subject>[0]) =>
  parse<Record<string, string>>(auditCsv(subject(options)), { columns: true })

describe('an audit as CSV', () => {
  test('has a row for each finding, with all of it', () => {
    expect(rows()[0]).toEqual({
      status: 'open',
      severity: 'error',
      rule: 'key-age',
      keyId: 'key_0000',
      keyName: 'Production Server',
      keyType: 'live',
      message: 'it is 412 days old, and may be 365',
      evidence: '{"ageDays":412,"createdAt":"2025-01-13T09:00:00.000Z","maxAgeMs":31536000000}',
      mend: 'pictify-keys rotate key_0000 --to env:.env#PICTIFY_API_KEY',
      file: '',
      line: '',
      reason: '',
    })
    expect(rows()[1]).toMatchObject({ keyId: '', file: 'config/de v/[prod].env', line: '12' })
  })

  test('has what is accepted and what was skipped in rows that say so', () => {
    const accept = [{ line: 1, rule: 'vague-name', key: undefined, reason: 'meant', until: undefined }]
    const found = rows({ accept })
    expect(found.find(({ rule: id }) => id === 'vague-name')).toMatchObject({
      status: 'accepted',
      reason: 'meant',
    })
    expect(
      found.filter(({ status }) => status === 'skipped').map(({ rule: id, reason }) => [id, reason]),
    ).toEqual([
      ['new-network', 'the API keeps no audit log'],
      ['unknown-key', 'there is no pictify-keys.yaml'],
    ])
  })

  test.each(['=cmd()', '+1', '-1', '@x', '\n=cmd()', '\t=1'])(
    'a name that is a formula (%j) is none',
    (name) => {
      const key = { id: 'key_1', name, type: 'live' as const }
      const found = [
        { rule: 'r', severity: 'note' as const, key, message: name, evidence: {}, mend: undefined },
      ]
      const [row] = rows({ rules: [rule('r', 'note', found)] })
      for (const cell of [row?.['keyName'], row?.['message']]) expect(cell).toMatch(/^(?:'|\s*[^=+\-@\s])/)
    },
  )
})
