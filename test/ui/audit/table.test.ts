import { describe, expect, test } from 'vitest'
import { plain } from '../../../src/ui/paint.ts'
import { auditTable } from '../../../src/ui/audit/table.ts'
import { cleaned } from '../../../src/ui/text.ts'
import { inWholeWords } from '../../../src/ui/whole-words.ts'
import { hostile, rule, subject } from './subject-fixture.ts'

const drawn = (width: number, options?: Parameters<typeof subject>[0]) =>
  auditTable({ report: cleaned(subject(options).report) }, { paint: plain })
    .split('\n')
    .map((line) => (width === Infinity ? line : inWholeWords(line, width)))
    .join('\n')

describe('the table of an audit', () => {
  test('groups findings by severity and rule, each with its evidence and the command that mends it', () => {
    const text = drawn(Infinity)
    expect(text).toContain(
      [
        'error key-age: what key-age looks for is there',
        '  Production Server (key_0000): it is 412 days old, and may be 365',
        '    age 412 d, created 2025-01-13 09:00 UTC, max age 365d',
        '    → pictify-keys rotate key_0000 --to env:.env#PICTIFY_API_KEY',
      ].join('\n'),
    )
    expect(text).toContain('  config/de v/[prod].env:12: pk_live_…x7Qa stands in a file that git tracks')
    expect(text.indexOf('error secret-in-tree')).toBeLessThan(text.indexOf('warning error-rate'))
    expect(text.indexOf('warning key-age')).toBeLessThan(text.indexOf('note vague-name'))
  })

  test('says what was skipped, and why, and counts it apart', () => {
    const text = drawn(Infinity)
    expect(text).toContain('skipped: neither passed nor failed\n  new-network: the API keeps no audit log\n')
    expect(text.split('\n').at(-1)).toBe('2 errors, 2 warnings, 1 note, 2 rules skipped (24 active keys)')
  })

  test('counts what is accepted apart', () => {
    const accept = [{ line: 1, rule: 'vague-name', key: undefined, reason: 'meant', until: undefined }]
    expect(drawn(Infinity, { accept })).toContain('2 errors, 2 warnings, 1 accepted, 2 rules skipped')
  })

  test('of an account in order says so', () => {
    const text = drawn(Infinity, { rules: [rule('key-age', 'error', [])] })
    expect(text.split('\n')[0]).toBe('security checklist')
    expect(text.split('\n').at(-1)).toBe('nothing found (24 active keys)')
  })

  test('ends with the checklist: what is in order, what is not, and what is not known', () => {
    const text = drawn(Infinity)
    expect(text).toContain('  ✗ .env files excluded from version control: 1 finding\n')
    expect(text).toContain('  ? Unused keys revoked: not known\n    not held: never-used, unused\n')
    expect(text).toContain('  - Incident response plan documented: not checkable\n    a plan is')
  })

  test.each([40, 60, 80, 200])('fits %i columns, but for commands, which stay whole', (width) => {
    const lines = drawn(width).split('\n')
    expect(lines).toContain('    → pictify-keys rotate key_0000 --to env:.env#PICTIFY_API_KEY')
    const tooWide = lines.filter((line) => line.length > width && !/→ |pictify-keys /.test(line))
    // one word alone may be wider than the terminal
    expect(tooWide.filter((line) => line.trim().includes(' '))).toEqual([])
  })

  test('a command of another program stays whole as well', () => {
    const mend = [
      'git',
      'rm',
      '--cached',
      '--',
      'a folder with a long name/that is written in several words/.env',
    ]
    const found = { rule: 'r', severity: 'error' as const, key: undefined, message: 'm', evidence: {}, mend }
    expect(drawn(40, { rules: [rule('r', 'error', [found])] }).split('\n')).toContain(
      `    → ${mend.join(' ')}`,
    )
  })

  test('nothing from outside is more than text', () => {
    expect(hostile).toContain('\u001b')
    expect(drawn(80)).not.toMatch(/[\u001b\u202e]/)
  })
})
