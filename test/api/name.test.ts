import { expect, test } from 'vitest'
import { checkName } from '../../src/api/name.ts'

test.each(['a', 'Production API Server', 'Zürich ☂ 東京', '🔑'.repeat(100), 'x'.repeat(100)])(
  'the name "%s" will do',
  (name) => {
    expect(() => checkName(name)).not.toThrow()
  },
)

test.each([
  ['', 'is empty'],
  ['   ', 'is empty'],
  ['x'.repeat(101), 'has 101 characters'],
  ['🔑'.repeat(101), 'has 101 characters'],
  ['two\nlines', 'has control characters in it'],
  ['\u001b[31mred', 'has control characters in it'],
  ['tab\there', 'has control characters in it'],
  ['next\u0085line', 'has control characters in it'],
  ['half \ud83d', 'is not valid Unicode'],
])('the name %j %s', (name, message) => {
  expect(() => checkName(name)).toThrow(
    expect.objectContaining({ code: 'invalid-name', exit: 2, message: `the name ${message}` }) as Error,
  )
})
