import { expect, test } from 'vitest'
import { rotationSummary } from '../../src/ui/rotation-summary.ts'
import { outcomeSentence } from '../../src/ui/rotation.ts'
import { receipt } from './audit/subject-fixture.ts'

const seen = receipt().evidence
const waived = seen === null ? null : { ...seen, waived: true }

test.each([
  ['as compromised', true, 'not waited for: the key was compromised'],
  ['with --no-evidence', false, 'waived by --no-evidence'],
])('a rotation %s says why nobody waited for the old key to be idle', (_, compromised, why) => {
  const given = receipt({ evidence: waived, compromised })
  expect(outcomeSentence(given)).toContain(`  evidence  ${why}\n`)
  expect(rotationSummary(given, undefined).rows).toContainEqual(['Evidence', why])
})
